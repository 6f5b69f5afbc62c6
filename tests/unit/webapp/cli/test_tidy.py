"""Erasing as customers and operators meet it: old links, accounts that live on, the commands, the audit trail."""

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from click.testing import CliRunner

from services.retention import Tidying
from services.store.migrate import migrate
from tests import ROOT
from tests.world.cast import ANNA, MINTA, PASSWORD
from tests.world.site import Site, Visitor
from tests.world.walk import FIRST, SECOND, WAY
from webapp.cli.doctor import Finding, examine
from webapp.cli.main import main
from webapp.parts import Parts
from webapp.settings import load
from webapp.wiring import wire
from webapp.worker.tidying import tidying


def tidy(site: Site) -> None:
    """Let the profile's time pass and erase what is over."""
    site.advance(days=site.parts.profile.retention.registrations_days + 2)
    assert {one.kind: one.count for one in tidying(site.parts).tidy()}["registrations"]
    assert not site.rows("registrations")


def sign_in(site: Site, password: str = PASSWORD, email: str = ANNA.email, due: str = "") -> Visitor:
    """Sign in on a new device; `due` is what is asked before anything else."""
    visitor = site.visitor()
    visitor.open("/belepes")
    assert visitor.post("/belepes", {"email": email, "password": password}).status_code == 303
    visitor.csrf_token = ""
    assert visitor.client.get("/fiok").headers.get("Location", "") == due
    return visitor


# --- Customers -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", WAY[2:-1])
def test_an_old_link_leads_to_a_new_start(site: Site, step: str, htmx: bool) -> None:
    own = site.visitor(htmx=htmx)
    own.walk_to(step)
    link = site.link(ANNA.email)
    tidy(site)
    before = site.database()
    for visitor in (site.visitor(htmx=htmx), own):
        page = visitor.open(link)
        assert page.status == 410
        assert site.say("dead_end.link_expired.heading") in page.text
        token = link.partition("token=")[2]
        for fields in ({"mobile": ANNA.mobile}, {"sms_code": "1234"}, {"terms": "1"}, {"password": PASSWORD}):
            assert visitor.post(SECOND, {**fields, "token": token}).status_code == 410
    assert site.database() == before
    page = own.act("restart")
    assert page.step == "identify"
    assert own.identify(ANNA).step == "email"


@pytest.mark.parametrize("step", WAY[1:-1])
def test_a_browser_left_open_for_a_week_meets_no_fault(site: Site, step: str, htmx: bool) -> None:
    visitor = site.visitor(htmx=htmx)
    visitor.walk_to(step)
    tidy(site)
    before = site.database()
    for address in (FIRST, SECOND):
        assert visitor.post(address, {"step": step, "action": "resend-email"}).status_code in (200, 303, 410)
        assert visitor.post(address, {"step": step}).status_code in (200, 303, 410, 422)
    assert site.database() == before
    # Whoever had opened the link is told; whoever had not begins anew.
    expected = (200, "identify") if step in WAY[:3] else (410, None)
    for address in (FIRST, SECOND):
        page = visitor.open(address)
        assert (page.status, page.step or None) == expected


def test_a_finished_registrations_link_still_says_so(site: Site) -> None:
    visitor = site.visitor()
    visitor.walk_to("mobile")
    link = site.link(ANNA.email)
    visitor.walk_to("done")
    tidy(site)
    for reader in (visitor, site.visitor()):
        page = reader.open(link)
        assert page.status == 410
        assert site.say("dead_end.link_completed.heading") in page.text


def test_an_account_lives_on_without_its_registration(site: Site) -> None:
    site.visitor().walk_to("done")
    first = sign_in(site)
    first.post("/kilepes", {})
    open_session = sign_in(site)
    site.advance(days=site.parts.profile.retention.registrations_days + 2)
    again = sign_in(site)
    tidying(site.parts).tidy()
    assert not site.rows("registrations")
    assert again.open("/fiok").status == 200
    held = json.loads(again.client.get("/fiok/adatok.json").data)
    assert held["account"]["email"] == ANNA.email
    assert len(held["sessions"]) == 3
    assert open_session.client.get("/fiok").status_code == 303, "its time was over long ago"
    assert site.visitor().identify(ANNA).status == 409, "the customer is still known to have an account"
    assert site.visitor().walk_to("done", MINTA).step == "done"
    assert site.app.test_client().post("/dev/reset").status_code == 200
    assert not site.rows("accounts")


# --- Operators -------------------------------------------------------------------------------------------------


@pytest.fixture
def run(make_site: Callable[..., Site], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run a command on a site of its own, with two registrations in it that are over."""
    site = make_site()
    for customer in (ANNA, MINTA):
        site.visitor().walk_to("email-sent", customer)
    site.advance(days=9)
    for name, value in {"DEMO": "1", "DATA_DIR": str(tmp_path), "BCRYPT_ROUNDS": "4"}.items():
        monkeypatch.setenv(f"BELEPO_{name}", value)
    monkeypatch.setenv("BELEPO_LOG_LEVEL", "info")

    def run(*words: str) -> str:
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, result.output
        return result.output

    run.site = site  # type: ignore[attr-defined]
    return run


def test_belepo_tidy_says_what_it_erased(run: Any) -> None:
    counted = run("tidy", "--dry-run")
    assert line(counted, "registrations")[-2:] == ["7", "2"]
    assert "nothing was erased" in counted
    assert len(run.site.rows("registrations")) == 2
    assert line(run("tidy"), "registrations")[-2:] == ["7", "2"]
    assert not run.site.rows("registrations")
    assert line(run("tidy"), "registrations")[-1] == "0"


def line(output: str, words: str) -> list[str]:
    """Return the words of the line that begins so."""
    return next(line.split() for line in output.splitlines() if line.strip().startswith(words))


def test_the_worker_erases_and_stops_when_told(run: Any) -> None:
    quick = (
        "from services import retention; retention._LOOK_SECONDS = 0.05; "
        "from webapp.cli.main import main; main(['worker'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", quick],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    ) as worker:
        assert worker.stderr is not None
        assert any("erased 2 registrations" in line for line in worker.stderr)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
    assert not run.site.rows("registrations")


def test_doctor_says_when_it_was_last_done(run: Any) -> None:
    def finding() -> Finding:
        return next(one for one in examine(run.site.parts.settings) if one.subject == "tidying")

    assert "not begun" in finding().state
    tidying(run.site.parts).tidy_if_due()
    now = run.site.now.astimezone(run.site.parts.profile.zone)
    assert f"{now:%Y-%m-%d %H:}" in finding().state
    assert not finding().advice
    run.site.advance(days=1, minutes=1)
    assert "belepo worker" in finding().advice


# --- The audit trail -------------------------------------------------------------------------------------------


def test_the_audit_trail_tells_who_did_what_and_nothing_personal(site: Site) -> None:
    """All that a customer can do to an account; then all that was typed, mailed or known is looked for."""
    mobile, email = "+36301112233", "anna.uj@example.hu"
    first, second, third = PASSWORD, "Zöld 5 almafa alatt ülök", "Lila 6 körtefa mögött állok"
    site.visitor().walk_to("done")

    def do(visitor: Visitor, address: str, **fields: str) -> None:
        assert visitor.post(address, fields).status_code == 303, address

    def choose(password: str) -> dict[str, str]:
        return {"password": password, "password_confirm": password}

    visitor = sign_in(site)
    (own,) = (row.id for row in site.rows("sessions"))
    sign_in(site)
    do(visitor, "/fiok/beallitasok", session=next(row.id for row in site.rows("sessions") if row.id != own))
    sign_in(site)
    do(visitor, "/fiok/beallitasok", action="end-others")

    site.advance(hours=25)
    visitor = sign_in(site)
    do(visitor, "/fiok/jelszo", current_password=first, **choose(second))
    do(visitor, "/fiok/email", current_password=second, email=email, email_confirm=email)
    do(visitor, "/fiok/email/uj", token=token(site, email))
    do(visitor, "/fiok/mobil", current_password=second, mobile=mobile)
    do(visitor, "/fiok/mobil", sms_code=site.code(mobile))

    do(visitor, "/dev/terms", version="uj-9", next="/dev/messages")
    visitor = sign_in(site, second, email, due="/fiok/feltetelek")
    visitor.open("/aszf")
    do(visitor, "/fiok/feltetelek", terms="1")
    do(visitor, "/sso/ForgotPassword", email=email)
    do(visitor, "/sso/ResetPassword", token=token(site, email), **choose(third))
    visitor = sign_in(site, third, email)
    do(visitor, "/fiok/megszuntetes", current_password=third, confirm="1")

    trail = site.rows("audit")
    assert [row.action for row in trail] == [
        "session_ended", "sessions_ended", "password_changed", "email_change_asked", "email_changed",
        "mobile_changed", "terms_accepted", "password_reset", "account_closed",
    ]  # fmt: skip
    assert {(row.actor, row.kutid) for row in trail} == {("customer", "10000001")}
    site.secrets.add(first, second, third, email, mobile, mobile[3:], "Kovács", "Anna", ANNA.born, ANNA.policy_number)
    told = json.dumps([{**row._mapping, "at": None, "kutid": None} for row in trail], ensure_ascii=False)
    assert [secret for secret in site.secrets.known if secret.casefold() in told.casefold()] == []
    assert "uj-9" in told, "and which terms were accepted"


def token(site: Site, to: str) -> str:
    """Return the token of the newest link mailed to an address."""
    return site.link(to).partition("token=")[2]


# --- A time in doubt ---------------------------------------------------------------------------------------------


def test_while_time_runs_days_ahead_of_the_machine_nothing_is_erased_and_the_doctor_says_so(tmp_path: Path) -> None:
    def start(**more: Any) -> Parts:
        where = f"folder:{tmp_path / 'sent'}"
        return wire(load(
            data_dir=str(tmp_path), public_url="https://portal.example.hu", mail_url=where, sms_url=where,
            secret_keys=secrets.token_urlsafe(32), **more,
        ))  # fmt: skip

    def clock_of(parts: Parts) -> list[Finding]:
        return [finding for finding in examine(parts.settings) if finding.subject == "clock"]

    parts = start()
    migrate(parts.store)
    assert [finding.is_bad for finding in clock_of(parts)] == [False]
    parts.references.issue("link_expired")
    year = timedelta(days=365, hours=12)
    then = parts.clock.now() + year
    stop = threading.Event()
    stop.set()
    Tidying(replace(parts.base, clock=Mock(now=lambda: then)), Mock()).run(stop)  # notes the end of a process
    ahead = start()
    assert ahead.clock.now() >= then
    assert year - timedelta(minutes=1) < ahead.clock.lead <= year
    assert not any(one.count for one in tidying(ahead).tidy())
    (finding,) = clock_of(ahead)
    assert finding.is_bad
    assert "365 days" in finding.state
    assert any(f"{moment:%Y-%m-%d %H}" in finding.advice for moment in (then, then + timedelta(minutes=5)))
    trusting = start(trust_clock=True)
    assert trusting.clock.lead == timedelta()
    assert not any(finding.is_bad for finding in clock_of(trusting))
    assert any("BELEPO_TRUST_CLOCK" in finding.advice for finding in clock_of(trusting))
    for one in (parts, ahead, trusting):
        one.store.close()
