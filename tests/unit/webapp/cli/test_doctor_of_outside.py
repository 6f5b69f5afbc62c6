"""What the doctor asks of other servers, how it says what it heard, and by which exit code."""

import json
import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult
from click.testing import CliRunner

from services.gateways.mailbox import ImapMailbox, MailboxUnavailable
from tests.ports import free_port
from tests.world.imap import imap_server
from tests.world.site import Site
from webapp.cli import outside
from webapp.cli.doctor import examine
from webapp.cli.findings import Finding
from webapp.cli.main import main
from webapp.settings import load

Make = Callable[..., Site]


class MailServer:
    """Takes no sender but those of `takes`, and hears which one was named."""

    def __init__(self, takes: str = "@") -> None:
        self.takes = takes
        self.heard: list[str] = []

    async def handle_MAIL(self, server: SMTP, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        self.heard.append(address)
        if self.takes not in address:
            return "550 5.7.1 not yours"
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:
        raise AssertionError("a mail was sent")


@contextmanager
def _served(handler: MailServer, **options: Any) -> Iterator[int]:
    controller = Controller(handler, "127.0.0.1", free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@pytest.fixture(autouse=True)
def _quiet_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("mail.log"), "propagate", False)


def _found(site: Site, subject: str) -> list[Finding]:
    return [one for one in examine(site.parts.settings) if one.subject == subject]


def test_a_mail_server_is_asked_as_for_a_mail_and_gets_none(make_site: Make) -> None:
    server = MailServer()
    with _served(server) as port:
        site = make_site(mail_url=f"smtp://127.0.0.1:{port}")
        (found,) = _found(site, "mail server")
    assert (found.verdict, server.heard) == ("ok", [site.parts.profile.contact.mail_from])


def test_one_that_refuses_the_sender_or_the_password_is_named_with_its_answer(make_site: Make) -> None:
    def refuse(*_: Any) -> AuthResult:
        return AuthResult(success=False, handled=False)

    with _served(MailServer(takes="@other.example")) as port:
        (sender,) = _found(make_site(mail_url=f"smtp://127.0.0.1:{port}"), "mail server")
    with _served(MailServer(), authenticator=refuse, auth_require_tls=False) as port:
        (password,) = _found(make_site(mail_url=f"smtp://belepo:jelszo@127.0.0.1:{port}"), "mail server")
    assert sender.is_bad
    assert "550 5.7.1" in sender.state
    assert password.is_bad
    assert "535" in password.state
    assert "jelszo" not in password.state + password.advice


def test_one_that_is_not_there_or_cannot_encrypt_is_named(make_site: Make) -> None:
    (away,) = _found(make_site(mail_url=f"smtp://127.0.0.1:{free_port()}"), "mail server")
    assert away.is_bad
    assert "ConnectionRefusedError" in away.state
    with _served(MailServer()) as port:
        (plain,) = _found(make_site(mail_url=f"smtp://127.0.0.1:{port}?starttls=1"), "mail server")
    assert plain.is_bad


def test_the_mailbox_of_bounces_is_opened_and_nothing_in_it_read() -> None:
    with imap_server() as room:
        room.mails.append(b"Subject: returned\r\n\r\n")
        ImapMailbox("127.0.0.1", room.port, "portal", room.password, is_encrypted=False).probe()
        assert not room.seen
        with pytest.raises(MailboxUnavailable):
            ImapMailbox("127.0.0.1", room.port, "portal", "another", is_encrypted=False).probe()


def test_a_redis_that_hangs_is_said_within_seconds(make_site: Make, redis: tuple[int, int]) -> None:
    port, process = redis
    site = make_site(limits_url=f"redis://127.0.0.1:{port}/0")
    assert [one.verdict for one in outside.shared_limits(site.parts)] == ["ok"]
    os.kill(process, signal.SIGSTOP)
    (found,) = outside.shared_limits(site.parts)
    assert found.is_bad


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok" if self.path == "/healthz" else b"another page")

    def log_message(self, *_: Any) -> None:
        pass


def test_the_public_address_is_asked_and_https_without_a_proxy_is_told(make_site: Make) -> None:
    site = make_site()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        here = site.parts.settings.model_copy(update={"demo": False, "public_url": address})
        (answers,) = outside.public_address(_with(site, here))
        server.shutdown()
    away = here.model_copy(update={"public_url": f"https://127.0.0.1:{free_port()}"})
    proxy, silent = outside.public_address(_with(site, away))
    assert answers.verdict == "ok"
    assert "BELEPO_TRUSTED_PROXIES" in proxy.advice
    assert "does not answer" in silent.state
    (alone,) = outside.public_address(_with(site, away.model_copy(update={"trusted_proxies": 1})))
    assert alone.state == silent.state


def _with(site: Site, settings: Any) -> Any:
    return replace(site.parts, settings=settings)


def test_several_processes_on_one_sqlite_file_are_told(make_site: Make) -> None:
    found = _found(make_site(workers=4), "database")
    assert any("postgresql://" in one.advice for one in found)


def test_the_worker_is_looked_for(site: Site) -> None:
    assert [one.state for one in _found(site, "worker")] == ["none is running"]
    site.parts.health.heartbeats.beat("first.example")
    assert [one.verdict for one in _found(site, "worker")] == ["ok"]
    site.advance(seconds=120)
    (found,) = _found(site, "worker")
    assert found.is_bad
    assert "first.example" in found.state


@pytest.mark.parametrize(("mail", "code"), [("demo:", 0), ("smtp://127.0.0.1:9", 1)])
def test_programs_read_the_verdicts_and_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mail: str, code: int
) -> None:
    settings = {"DEMO": "1", "DATA_DIR": str(tmp_path), "MAIL_URL": mail, "BCRYPT_ROUNDS": "4"}
    for name, value in settings.items():
        monkeypatch.setenv(f"BELEPO_{name}", value)
    run = CliRunner()
    assert run.invoke(main, ["migrate"]).exit_code == 0
    done = run.invoke(main, ["doctor", "--json"])
    rows = json.loads(done.stdout)
    assert done.exit_code == code
    assert {"verdict", "subject", "state", "advice"} == set(rows[0])
    assert any(row["verdict"] == "wrong" for row in rows) is bool(code)
    assert load().mail_url == mail
