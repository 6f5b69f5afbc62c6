"""Mails go over real SMTP on loopback: to servers that accept, refuse, hang, drip and break off."""

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

from services import profiles
from services.links import Links
from services.messages.composer import Attachment, Composed, Composer
from services.messages.outbox import Message
from services.messages.senders import PermanentFailure, TemporaryFailure, Withdrawn
from webapp.service_urls import mail_server
from webapp.worker.mail_sender import SmtpSender
from webapp.worker.mailed_pages import mailed_pages

NOW = datetime(2026, 11, 20, 9, 2, tzinfo=UTC)
FROM = "ugyfelszolgalat@generali.example"
TO = "kovacs.anna@example.hu"


@pytest.fixture(autouse=True)
def _quiet_server(monkeypatch: pytest.MonkeyPatch) -> None:
    # The servers of these tests run in this process and log all that they hear; only the sender must not.
    monkeypatch.setattr(logging.getLogger("mail.log"), "propagate", False)


class StandingClock:
    def now(self) -> datetime:
        return NOW


@pytest.fixture(scope="module")
def mail() -> Composed:
    composer = Composer(profiles.load("mygenerali"), Links(("k" * 40,), "https://ugyfel.example.hu"), mailed_pages())
    return composer.compose(
        Message(
            id="A1",
            kind="email",
            recipient=TO,
            message="confirm",
            language="hu",
            facts={"link_id": "Zx4tq9LmV2kR8wYb3NcE6h"},
            topic="t",
            created_at=NOW,
            expires_at=NOW + timedelta(hours=1),
            state="sending",
            attempts=1,
        )
    )


class AnyPort(Controller):
    """aiosmtpd's controller on a port that the system chooses."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class Server:
    """aiosmtpd's server, which keeps what it gets and answers as it is told."""

    def __init__(self, *, is_utf8: bool = True, **options: Any) -> None:
        self.rcpt = self.data = "250 OK"
        self.envelopes: list[Any] = []
        self._controller = AnyPort(
            self, hostname="127.0.0.1", port=0, enable_SMTPUTF8=is_utf8, ready_timeout=10, **options
        )

    async def handle_RCPT(self, _server: SMTP, _session: Any, envelope: Any, address: str, options: Any) -> str:
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, _server: SMTP, _session: Any, envelope: Any) -> str:
        self.envelopes.append(envelope)
        return self.data

    @property
    def url(self) -> str:
        return f"127.0.0.1:{self._controller.port}"

    def mails(self) -> list[EmailMessage]:
        return [message_from_bytes(e.original_content, policy=policy.SMTPUTF8) for e in self.envelopes]  # type: ignore[misc]

    def __enter__(self) -> "Server":
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


class RawServer:
    """A server that speaks line by line as a script has it, for what a sane one never does."""

    def __init__(self, script: Callable[["RawServer", socket.socket], None]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._script = script
        self.is_over = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    @property
    def url(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    def _serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection, suppress(OSError):
            self._script(self, connection)

    def talk(self, connection: socket.socket, answers: int = 4) -> None:
        """Greet, and answer EHLO, MAIL, RCPT and DATA, as far as `answers` goes."""
        connection.sendall(b"220 ready\r\n")
        for answer in (b"250 hello\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go on\r\n")[:answers]:
            connection.recv(4096)
            connection.sendall(answer)

    def read_mail(self, connection: socket.socket) -> None:
        got = b""
        while not got.endswith(b"\r\n.\r\n"):
            piece = connection.recv(65536)
            if not piece:
                raise ConnectionResetError
            got += piece

    def __enter__(self) -> "RawServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self._thread.join(10)
        self._listener.close()
        assert not self._thread.is_alive()


def sender(url: str, **limits: float) -> SmtpSender:
    return SmtpSender(mail_server(url), FROM, StandingClock(), **limits)


def test_a_mail_that_can_be_declined_says_so_to_mail_programs(server: Server, mail: Composed) -> None:
    heads = {"List-Unsubscribe": "<https://portal.example/meghivo/lemondas?token=WyJ4Il0.AbC>",
             "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}  # fmt: skip
    sender(f"smtp://{server.url}").send(TO, replace(mail, headers=heads), "A1")
    sender(f"smtp://{server.url}").send(TO, mail, "A2")
    got, other = server.mails()
    assert {name: got[name] for name in heads} == heads
    assert other["List-Unsubscribe"] is None


def test_a_mail_arrives_whole_with_its_heads(server: Server, mail: Composed) -> None:
    sender(f"smtp://{server.url}").send(TO, mail, "A1")
    (envelope,) = server.envelopes
    (got,) = server.mails()
    assert (envelope.mail_from, envelope.rcpt_tos) == (FROM, [TO])
    heads = {name: got[name] for name in ("From", "To", "Subject", "Message-ID", "Auto-Submitted", "Content-Language")}
    assert heads == {
        "From": f"MyGenerali <{FROM}>",
        "To": TO,
        "Subject": "Erősítse meg email-címét",
        "Message-ID": "<A1@generali.example>",
        "Auto-Submitted": "auto-generated",
        "Content-Language": "hu",
    }
    assert got["Reply-To"] is None
    assert got["Date"].datetime == NOW
    assert got.get_content_type() == "multipart/alternative"
    plain, html = got.get_body(("plain",)), got.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert plain.get_content().replace("\r\n", "\n") == mail.text
    assert mail.links[0] in html.get_content()


def test_a_file_goes_with_the_mail(server: Server, mail: Composed) -> None:
    content = bytes(range(256)) * 300
    sender(f"smtp://{server.url}").send(
        TO, replace(mail, attachments=(Attachment("list.pdf", "application/pdf", content),)), "A1"
    )
    (got,) = server.mails()
    assert got.get_content_type() == "multipart/mixed"
    (file,) = got.iter_attachments()
    assert (file.get_filename(), file.get_content_type(), file.get_content()) == (
        "list.pdf",
        "application/pdf",
        content,
    )
    body = got.get_body(("plain",))
    assert body is not None
    assert body.get_content().replace("\r\n", "\n") == mail.text


def test_a_mail_goes_through_servers_that_know_only_seven_bits_and_short_lines(server: Server, mail: Composed) -> None:
    sender(f"smtp://{server.url}").send(TO, mail, "A1")
    raw = server.envelopes[0].original_content
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998


@pytest.mark.parametrize(
    ("stored", "wire"),
    [
        ("őrsi.éva@example.hu", "őrsi.éva@example.hu"),
        ("anna@példa.hu", "anna@xn--plda-bpa.hu"),
        ("o'brien+tag@example.hu", "o'brien+tag@example.hu"),
        ("ı@example.hu", "ı@example.hu"),
    ],
)
def test_a_mail_goes_to_the_address_as_it_is_stored(server: Server, mail: Composed, stored: str, wire: str) -> None:
    sender(f"smtp://{server.url}").send(stored, mail, "A1")
    assert server.envelopes[0].rcpt_tos == [wire]
    assert server.mails()[0]["To"] == wire


def test_a_server_that_cannot_take_an_international_address_refuses_it(mail: Composed) -> None:
    with Server(is_utf8=False) as server, pytest.raises(PermanentFailure):
        sender(f"smtp://{server.url}").send("őrsi.éva@example.hu", mail, "A1")
    assert server.envelopes == []


@pytest.mark.parametrize(
    "address", ["a@x.hu\r\nBcc: b@x.hu", "a@x.hu\nSubject: x", "a@x.hu, b@x.hu", "A <a@x.hu>", "", "a@", "@"]
)
def test_an_address_cannot_bring_heads_or_recipients_with_it(server: Server, mail: Composed, address: str) -> None:
    with pytest.raises(PermanentFailure) as refused:
        sender(f"smtp://{server.url}").send(address, mail, "A1")
    assert "x.hu" not in str(refused.value)
    assert server.envelopes == []


@pytest.mark.parametrize(
    ("answers", "failure", "text"),
    [
        ({"rcpt": f"550 5.1.1 <{TO}> unknown"}, PermanentFailure, "refused the recipient: 550 5.1.1"),
        ({"rcpt": f"451 4.7.1 <{TO}> greylisted"}, TemporaryFailure, "refused the recipient: 451 4.7.1"),
        ({"data": f"554 no mail for {TO}"}, PermanentFailure, "refused the mail: 554"),
        ({"data": "452 4.3.1 full"}, TemporaryFailure, "refused the mail: 452 4.3.1"),
    ],
)
def test_a_refusal_is_certain_and_told_without_the_address(
    server: Server, mail: Composed, answers: dict[str, str], failure: type[Exception], text: str
) -> None:
    vars(server).update(answers)
    with pytest.raises(failure) as raised:
        sender(f"smtp://{server.url}").send(TO, mail, "A1")
    assert str(raised.value) == f"the mail server {text}"
    assert not getattr(raised.value, "may_have_arrived", False)


def test_a_server_that_is_away_or_does_not_want_to_talk_has_nothing(mail: Composed) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"smtp://127.0.0.1:{closed.getsockname()[1]}"
    with pytest.raises(TemporaryFailure) as away:
        sender(url).send(TO, mail, "A1")
    with (
        RawServer(lambda server, connection: connection.sendall(b"421 busy\r\n")) as busy,
        pytest.raises(TemporaryFailure, match="421") as unwilling,
    ):
        sender(f"smtp://{busy.url}").send(TO, mail, "A1")
    assert not away.value.may_have_arrived
    assert not unwilling.value.may_have_arrived


def hang_at_once(server: RawServer, connection: socket.socket) -> None:
    server.is_over.wait(20)


def hang_before_data(server: RawServer, connection: socket.socket) -> None:
    server.talk(connection, answers=3)
    server.is_over.wait(20)


def hang_after_data(server: RawServer, connection: socket.socket) -> None:
    server.talk(connection)
    server.read_mail(connection)
    server.is_over.wait(20)


def break_off_before_data(server: RawServer, connection: socket.socket) -> None:
    server.talk(connection, answers=3)
    connection.recv(4096)


def break_off_after_data(server: RawServer, connection: socket.socket) -> None:
    server.talk(connection)
    server.read_mail(connection)


@pytest.mark.parametrize(
    ("script", "may_have_arrived"),
    [
        (hang_at_once, False),
        (hang_before_data, False),
        (hang_after_data, True),
        (break_off_before_data, False),
        (break_off_after_data, True),
    ],
)
def test_only_after_the_mail_was_handed_over_is_silence_doubtful(
    mail: Composed, script: Callable[[RawServer, socket.socket], None], may_have_arrived: bool
) -> None:
    with RawServer(script) as server, pytest.raises(TemporaryFailure) as raised:
        sender(f"smtp://{server.url}", step_seconds=2).send(TO, mail, "A1")
    assert raised.value.may_have_arrived is may_have_arrived
    assert TO not in str(raised.value)


def drip(server: RawServer, connection: socket.socket) -> None:
    while not server.is_over.wait(0.05):
        connection.sendall(b"2")


def drip_after_data(server: RawServer, connection: socket.socket) -> None:
    server.talk(connection)
    server.read_mail(connection)
    drip(server, connection)


@pytest.mark.parametrize(("script", "may_have_arrived"), [(drip, False), (drip_after_data, True)])
def test_a_server_that_drips_is_cut_off(
    mail: Composed, script: Callable[[RawServer, socket.socket], None], may_have_arrived: bool
) -> None:
    with RawServer(script) as server, pytest.raises(TemporaryFailure) as raised:
        sender(f"smtp://{server.url}", step_seconds=5, mail_seconds=2).send(TO, mail, "A1")
    assert raised.value.may_have_arrived is may_have_arrived


def test_a_server_that_breaks_off_after_it_accepted_has_accepted(mail: Composed) -> None:
    def accept_and_leave(server: RawServer, connection: socket.socket) -> None:
        server.talk(connection)
        server.read_mail(connection)
        connection.sendall(b"250 taken\r\n")

    with RawServer(accept_and_leave) as server:
        sender(f"smtp://{server.url}").send(TO, mail, "A1")


def test_a_mail_withdrawn_at_the_last_moment_is_not_handed_over(server: Server, mail: Composed) -> None:
    def withdraw() -> None:
        raise Withdrawn

    with pytest.raises(Withdrawn):
        sender(f"smtp://{server.url}").send(TO, mail, "A1", withdraw)
    assert server.envelopes == []


def test_it_signs_in(mail: Composed) -> None:
    seen: list[Any] = []

    def check(_server: SMTP, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        seen.append((data.login, data.password))
        return AuthResult(success=data.password == b"p@ss/word", handled=False)

    with Server(authenticator=check, auth_require_tls=False) as server:
        sender(f"smtp://user:p%40ss%2Fword@{server.url}").send(TO, mail, "A1")
        with pytest.raises(TemporaryFailure, match="535") as refused:
            sender(f"smtp://user:wrong@{server.url}").send(TO, mail, "A1")
    assert seen[0] == (b"user", b"p@ss/word")
    assert len(server.envelopes) == 1
    assert "wrong" not in str(refused.value)


def test_encryption_that_cannot_be_trusted_or_had_gets_no_mail(server: Server, mail: Composed) -> None:
    with pytest.raises(TemporaryFailure):
        sender(f"smtp://{server.url}?starttls=1").send(TO, mail, "A1")
    with pytest.raises(TemporaryFailure):
        sender(f"smtps://{server.url}").send(TO, mail, "A1")
    assert server.envelopes == []


@pytest.mark.parametrize("mail_from", ["ugyfelportal", "", "@generali.example", "ügyfél@generali.example", "a b@c.hu"])
def test_a_sender_that_is_no_address_is_not_blamed_on_a_recipient(mail_from: str) -> None:
    with pytest.raises(ValueError, match="mail_from"):
        SmtpSender(mail_server("smtp://127.0.0.1"), mail_from, StandingClock())
