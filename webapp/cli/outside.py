"""What `belepo doctor` asks of other servers: mail, the mailbox of bounces, the limits' store, the public address."""

from collections.abc import Iterator

import requests

from services.gateways.mailbox import ImapMailbox, MailboxUnavailable
from services.messages.senders import DeliveryFailure
from webapp.cli.findings import Finding
from webapp.http import limits
from webapp.parts import Parts
from webapp.service_urls import is_of_this_machine
from webapp.worker.mail_sender import SmtpSender

_SECONDS = 5


def mail(parts: Parts) -> Iterator[Finding]:
    """Ask the mail server what the worker would ask of it, but for a mail."""
    server = parts.settings.mail_server
    if server is None:
        return
    name = f"{server.host}:{server.port}"
    try:
        SmtpSender(server, parts.profile.contact.mail_from, parts.clock).probe()
    except DeliveryFailure as failure:
        advice = "Is BELEPO_MAIL_URL right, can this machine reach the server, may it send as contact.mail_from?"
        yield Finding("mail server", f"{name}: {failure}", advice, is_bad=True)
    except ValueError as error:
        yield Finding("mail server", str(error), "Mend contact.mail_from in the profile.", is_bad=True)
    else:
        how = "encrypted" if server.is_encrypted or server.starts_tls else "unencrypted"
        signed_in = ", signed in" if server.user else ""
        advice = "" if how == "encrypted" or is_of_this_machine(parts.settings.mail_url) else "Add ?starttls=1."
        yield Finding("mail server", f"{name} takes mails of ours, {how}{signed_in}", advice)


def bounces(parts: Parts) -> Iterator[Finding]:
    """Open the mailbox to which mails come back; what is in it stays unread."""
    server = parts.settings.bounces
    if server is None:
        return
    try:
        ImapMailbox(**vars(server)).probe()
    except MailboxUnavailable as error:
        yield Finding("bounces", f"{server.host}: {error}", "Is BELEPO_BOUNCES_URL right?", is_bad=True)
    else:
        yield Finding("bounces", f"the folder {server.folder} at {server.host} opens")


def text_messages(parts: Parts) -> Iterator[Finding]:
    """Say that nobody knows: a gateway can be asked by a text message alone."""
    if not parts.settings.sms_url.startswith(("folder:", "demo:")):
        yield Finding("SMS gateway", "cannot be asked without a text message; see belepo_sms_today in /metrics")


def shared_limits(parts: Parts) -> Iterator[Finding]:
    """Ask the store in which processes count requests together."""
    url = parts.settings.limits_url
    if url.startswith("memory:"):
        return
    try:
        is_there = limits.open_store(url).check()
    except Exception:  # each kind of store fails in its own way
        is_there = False
    if is_there:
        yield Finding("request limits", "their store answers")
    else:
        state = "their store does not answer, so each process counts alone"
        yield Finding("request limits", state, "Is Redis running? See BELEPO_LIMITS_URL.", is_bad=True)


def public_address(parts: Parts) -> Iterator[Finding]:
    """Ask for our own page where customers do: by the public address."""
    settings = parts.settings
    if settings.demo:
        return
    if settings.is_https and not settings.trusted_proxies:
        state = "https, and BELEPO_TRUSTED_PROXIES is 0: all customers seem to come from the proxy's address"
        yield Finding("public address", state, "Set BELEPO_TRUSTED_PROXIES=1 where a proxy speaks TLS for the server.")
    try:
        answer = requests.get(f"{settings.public_url}/healthz", timeout=_SECONDS, allow_redirects=False)
        state = "answers" if answer.ok and answer.text == "ok" else f"answers {answer.status_code}, not as this server"
    except requests.RequestException as error:
        state = f"does not answer from here: {type(error).__name__}"
    advice = "" if state == "answers" else "Is the server running, does the proxy lead to it, is its certificate good?"
    yield Finding("public address", f"{settings.public_url} {state}", advice)
