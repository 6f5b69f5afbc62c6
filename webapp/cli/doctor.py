"""`belepo doctor`: looks at everything the server needs, and says what is wrong and how to mend it."""

import os
import sys
import time
from collections.abc import Iterator
from datetime import timedelta

import click
import requests
from sqlalchemy.exc import SQLAlchemyError

from services.clients.keys import SOON
from services.gateways.payments import ProviderUnavailable
from services.gateways.scanner import ScannerUnavailable
from services.gateways.storage import StorageUnavailable
from services.profiles import ProfileError
from services.store.version import is_current, newest, version_of
from webapp.cli import outside
from webapp.cli.findings import Finding, as_json, show
from webapp.cli.main import Context
from webapp.http.assets import Assets
from webapp.parts import Parts
from webapp.settings import Settings, SettingsError, unknown_names
from webapp.wiring import wire
from webapp.worker.delivery import delivery
from webapp.worker.tidying import tidying

_FORGIVEN = timedelta(minutes=1)
_WAITS_LONG = timedelta(minutes=2)
_SILENT = timedelta(minutes=1)
"""A worker writes down every 15 seconds that it is alive."""
_EARLIEST = 1_767_225_600  # 2026: a machine that believes in an earlier year has not set its clock


@click.command()
@click.option("--json", "is_json", is_flag=True, help="Print a JSON list of verdict, subject, state and advice.")
@click.pass_obj
def doctor(shared: Context, is_json: bool) -> None:
    """Look at all that the server needs, say what is wrong and how to mend it.

    Settings, database, storage, keys and clock are looked at. The mail server, the mailbox of bounces, the limits'
    store, the scanner, the payment provider, the company's sign-in and the public address are asked; no message leaves.
    Each line is ok, look or WRONG. The exit code is 0 when nothing is wrong, 1 when something is or the settings
    cannot be read, and 2 for an unknown option.
    """
    findings = examine(shared.settings)
    if is_json:
        click.echo(as_json(findings))
    else:
        show(findings)
    if any(finding.is_bad for finding in findings):
        sys.exit(1)


def examine(settings: Settings) -> list[Finding]:
    """Look at everything; nothing stays changed and no message is sent."""
    findings = list(_settings(settings))
    try:
        parts = wire(settings)
    except (ProfileError, RuntimeError, ValueError, OSError) as error:
        return [*findings, Finding("set-up", str(error), "Mend the profile or the setting that it names.", is_bad=True)]
    hardened = ", hardened" if settings.hardened else ""
    findings.append(Finding("profile", f"{parts.profile.name}{hardened}: {' → '.join(parts.profile.journey)}"))
    try:
        for look in (
            _front_end,
            _passkeys,
            _database,
            _storage,
            _scanner,
            _payments,
            outside.mail,
            outside.bounces,
            outside.text_messages,
            _messages,
            _worker,
            _sms_budget,
            _api_keys,
            _webhooks,
            _company,
            _tidying,
            outside.shared_limits,
            outside.public_address,
            _clock,
        ):
            try:
                findings.extend(look(parts))
            except SQLAlchemyError as error:
                findings.append(Finding("database", type(error).__name__, "See the line on the database.", is_bad=True))
    finally:
        parts.store.close()
    return findings


def _settings(settings: Settings) -> Iterator[Finding]:
    for sentence in unknown_names():
        yield Finding("settings", sentence, "Mend its name, or take it out.")
    if settings.demo:
        yield Finding("mode", "demo", "Testers' doors are open; never with real customers.")
    else:
        keys = len(settings.secret_keys)
        yield Finding("keys", f"{keys} {'key' if keys == 1 else 'keys'}; the first signs")
        if not settings.is_https:
            yield Finding(
                "public address",
                settings.public_url,
                "Serve customers over https and set BELEPO_PUBLIC_URL.",
                is_bad=True,
            )
    if settings.bcrypt_rounds < 12:
        yield Finding("hash cost", str(settings.bcrypt_rounds), "Set BELEPO_BCRYPT_ROUNDS=12 or more.")
    if settings.workers > 1 and settings.limits_url.startswith("memory:"):
        yield Finding(
            "request limits",
            f"kept in memory by each of {settings.workers} processes",
            "Set BELEPO_LIMITS_URL=redis://… so that they share one count.",
        )
    if settings.workers > 1 and settings.database_url.startswith("sqlite"):
        yield Finding(
            "database",
            f"{settings.workers} processes take turns at one SQLite file",
            "Set BELEPO_DATABASE_URL=postgresql://… for several processes.",
        )
    if settings.trust_clock:
        yield Finding(
            "clock",
            "trusted, whatever the database knows",
            "Take BELEPO_TRUST_CLOCK away once the time is past to which the clock was set wrongly: set back again, it "
            "would let live what has ended.",
        )
    if settings.sqlite_synchronous != "FULL" and settings.database_url.startswith("sqlite"):
        yield Finding("durability", settings.sqlite_synchronous, "Set BELEPO_SQLITE_SYNCHRONOUS=FULL.")


def _front_end(parts: Parts) -> Iterator[Finding]:
    try:
        Assets()
    except RuntimeError as error:
        yield Finding("front-end files", str(error), "Run make assets.", is_bad=True)
    else:
        yield Finding("front-end files", "built")


def _passkeys(parts: Parts) -> Iterator[Finding]:
    host = parts.accounts.passkeys.host
    if parts.accounts.passkeys.are_possible:
        yield Finding("passkeys", f"belong to {host}")
    else:
        yield Finding("passkeys", f"not offered: {host} is no name", "Set BELEPO_PUBLIC_URL to an address with a name.")


def _database(parts: Parts) -> Iterator[Finding]:
    name = parts.store.url.render_as_string(hide_password=True)
    try:
        if not is_current(parts.store):
            yield Finding("database", name, "Run belepo migrate.", is_bad=True)
            return
        if reason := parts.health.fault_of_writing():
            advice = "Is the disk full, is it a copy that only reads, has the server's user the right to write?"
            yield Finding("database", f"{name} takes nothing: {reason}", advice, is_bad=True)
            return
        count = parts.health.customers()
        is_of_demo = parts.staff.accounts.has_members_without_second_factor()
    except SQLAlchemyError as error:
        yield Finding(
            "database", f"{name}: {type(error).__name__}", "Is it running, is the address right?", is_bad=True
        )
        return
    if (found := version_of(parts.store)) > newest():
        yield Finding("database", f"{name}, migrated to {found} by a newer version", "Upgrade this machine too.")
    else:
        yield Finding("database", f"{name}, up to date")
    yield Finding("register", f"{count} customers", "" if count else "Load them with belepo import.")
    if is_of_demo and not parts.settings.demo:
        yield Finding(
            "database",
            "has been used in demo mode: its customers, accounts and staff are invented",
            "Begin with an empty one: set BELEPO_DATA_DIR or BELEPO_DATABASE_URL.",
            is_bad=True,
        )
    if parts.store.is_sqlite and not os.access(os.path.dirname(parts.store.url.database or "") or ".", os.W_OK):
        yield Finding(
            "database folder", "cannot be written", "Give the server's user the right to write there.", is_bad=True
        )


def _storage(parts: Parts) -> Iterator[Finding]:
    try:
        parts.portal.letters.archive.probe()
    except StorageUnavailable as error:
        advice = "Is it there, may the server write to it? See BELEPO_STORAGE_URL."
        yield Finding("storage", f"cannot be used: {error}", advice, is_bad=True)
        return
    yield Finding("storage", "writes, reads and deletes")
    if is_current(parts.store) and (damaged := parts.health.counts().damaged_letters):
        state = f"{damaged} {'letter' if damaged == 1 else 'letters'} whose bytes do not fit their hash"
        yield Finding("letters", state, "Restore them from a backup; the log names them.", is_bad=True)


def _scanner(parts: Parts) -> Iterator[Finding]:
    checking = parts.portal.uploads.checking
    try:
        if checking.probe():
            yield Finding("virus scanner", "answers")
        else:
            yield Finding("virus scanner", "none", "Set BELEPO_SCANNER_URL: customers' files are not scanned.")
    except ScannerUnavailable as error:
        advice = "Is clamd running? Until it answers, files wait and nobody opens them. See BELEPO_SCANNER_URL."
        yield Finding("virus scanner", f"cannot be used: {error}", advice, is_bad=True)
    if not is_current(parts.store):
        return
    queue = checking.queue()
    if queue.since is not None and (waited := parts.clock.now() - queue.since) > _WAITS_LONG:
        state = f"{queue.waiting} wait to be checked, the oldest for {int(waited.total_seconds()) // 60} minutes"
        yield Finding("files", state, "Is belepo worker running? Do the scanner and the storage answer?", is_bad=True)
    else:
        yield Finding("files", f"{queue.waiting} wait to be checked, {queue.refused} were refused")


def _payments(parts: Parts) -> Iterator[Finding]:
    provider = parts.portal.payments.provider
    if provider is None:
        return
    try:
        provider.probe()
    except ProviderUnavailable as error:
        advice = "Is BELEPO_PAYMENTS_URL right, can the server reach the provider?"
        yield Finding("card payments", f"cannot be taken: {error}", advice, is_bad=True)
    else:
        yield Finding("card payments", f"{provider.name} answers")


def _messages(parts: Parts) -> Iterator[Finding]:
    try:
        delivery(parts)
    except SettingsError as error:
        yield Finding("messages", str(error), "Mend BELEPO_MAIL_URL or BELEPO_SMS_URL.", is_bad=True)
        return
    if not is_current(parts.store):
        return
    counts = parts.messages.outbox.counts()
    yield Finding("messages", ", ".join(f"{count} {state}" for state, count in sorted(counts.items())))
    backlog = parts.messages.outbox.backlog()
    if backlog is not None and (waited := parts.clock.now() - backlog.since) > _WAITS_LONG:
        minutes = int(waited.total_seconds()) // 60
        state = f"the oldest message has waited for {minutes} minutes"
        if backlog.error:
            yield Finding("delivery", f"{state}; last error: {backlog.error}", "Look at the gateway.", is_bad=True)
        else:
            yield Finding("delivery", f"{state}, untried", "Is belepo worker running?", is_bad=True)
    for lost in parts.messages.outbox.given_up(5):
        yield Finding(
            "given up",
            f"{lost.kind} {lost.message} to {lost.recipient}: {lost.error or lost.state}",
            "Look at the gateway.",
        )


def _worker(parts: Parts) -> Iterator[Finding]:
    if not is_current(parts.store):
        return
    ages = parts.health.heartbeats.ages()
    is_nobody_left = all(age > _SILENT for age in ages.values())
    for machine, age in sorted(ages.items()):
        seconds = int(age.total_seconds())
        if age > _SILENT:
            state = f"at {machine} was seen {seconds} seconds ago, and ended without a word"
            yield Finding("worker", state, "Start it again; its log says what stopped it.", is_bad=is_nobody_left)
        else:
            yield Finding("worker", f"at {machine} was seen {seconds} seconds ago")
    if not ages:
        yield Finding("worker", "none is running", "Start belepo serve, or belepo worker beside --no-worker.")


def _api_keys(parts: Parts) -> Iterator[Finding]:
    if not is_current(parts.store):
        return
    now = parts.clock.now()
    keys = [one for one in parts.clients.api_keys.all() if one.revoked_at is None]
    ending = [one for one in keys if one.expires_at is not None and one.expires_at <= now + SOON]
    for one in ending:
        end = f"{one.expires_at:%Y-%m-%d}"
        state = f"{one.name}: good until {end}" if one.is_good(now) else f"{one.name}: over since {end}"
        yield Finding("API key", state, "Make a new one with belepo api-key add, then revoke this one.")
    if keys and not ending:
        yield Finding("API keys", f"{len(keys)} in use")


def _webhooks(parts: Parts) -> Iterator[Finding]:
    if not is_current(parts.store):
        return
    found = parts.clients.events.webhooks.all()
    for one in found:
        if one.failing_since is not None:
            state = f"{one.id} at {one.url} has failed since {one.failing_since:%Y-%m-%d %H:%M} UTC: {one.error}"
            yield Finding("webhook", f"{state}; {one.waiting} events wait", "Look at the endpoint.", is_bad=True)
        elif one.oldest_at is not None and parts.clock.now() - one.oldest_at > _WAITS_LONG:
            yield Finding("webhook", f"{one.id}: {one.waiting} events wait", "Is belepo worker running?", is_bad=True)
        if one.given_up:
            state = f"{one.id}: {one.given_up} events were given up"
            yield Finding("webhook", state, f"Once its endpoint works, run belepo webhook retry {one.id}.")
    if found:
        yield Finding("webhooks", f"{len(found)} in use")


def _company(parts: Parts) -> Iterator[Finding]:
    issuer = parts.settings.oidc_issuer
    if not issuer:
        return
    try:
        answer = requests.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration", timeout=5)
        is_there = answer.ok and answer.json().get("issuer") == issuer
    except (requests.RequestException, ValueError, AttributeError):
        is_there = False
    if is_there:
        yield Finding("company sign-in", f"{issuer} answers")
    else:
        yield Finding(
            "company sign-in",
            f"{issuer} does not answer as that issuer",
            "Is BELEPO_OIDC_ISSUER exactly what the provider calls itself?",
            is_bad=True,
        )


def _sms_budget(parts: Parts) -> Iterator[Finding]:
    if not is_current(parts.store):
        return
    budget = parts.messages.sms_budget.budget()
    if budget is None:
        yield Finding("SMS budget", "none")
        return
    advice = ""
    if budget.is_stopped:
        advice = "No text message leaves: a supervisor releases it in the console, under Registrations in figures."
    elif budget.is_short:
        advice = "Raise the budget in the profile's [messages], or have a supervisor allow more for this month."
    state = f"{budget.used} of {budget.allowed} parts this month, {budget.percent} %"
    yield Finding("SMS budget", state, advice, is_bad=budget.is_stopped)


def _tidying(parts: Parts) -> Iterator[Finding]:
    if not is_current(parts.store):
        return
    begun = tidying(parts).last_begun()
    if begun is None:
        yield Finding("tidying", "the worker has not begun it yet")
        return
    is_late = parts.clock.now() - begun > timedelta(days=1)
    yield Finding(
        "tidying",
        f"last begun {begun.astimezone(parts.profile.zone):%Y-%m-%d %H:%M %Z}",
        "Is belepo worker running? What is over is erased by it, or by belepo tidy." if is_late else "",
    )


def _clock(parts: Parts) -> Iterator[Finding]:
    if time.time() < _EARLIEST:
        yield Finding("clock", "is years behind", "Set the machine's clock (NTP).", is_bad=True)
    elif parts.demo and parts.demo.moved_by:
        yield Finding("clock", f"moved forward by {parts.demo.moved_by}", "Demo mode; POST /dev/reset goes back.")
    elif parts.clock.lead > _FORGIVEN:
        yield Finding(
            "clock",
            f"{timedelta(seconds=round(parts.clock.lead.total_seconds()))} behind what the database knows: time goes "
            "on from there, so that nothing that has ended lives again; staff's authenticator codes do not fit, and "
            "more than a day ahead nothing is erased",
            "Set the machine's clock (NTP). If it is right now and was wrong then, set BELEPO_TRUST_CLOCK=1 until "
            f"{parts.clock.now():%Y-%m-%d %H:%M} UTC.",
            is_bad=True,
        )
    else:
        yield Finding("clock", f"{parts.clock.now().astimezone(parts.profile.zone):%Y-%m-%d %H:%M:%S %Z}")
