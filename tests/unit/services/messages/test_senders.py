"""The ways out: readable files, the demo inbox, and SMS gateways that refuse, break off or cannot be reached."""

import json
import logging
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from sqlalchemy import select

from services.messages.composer import Attachment, Composed
from services.messages.senders import PermanentFailure, TemporaryFailure
from services.messages.senders.folder import FolderSender
from services.messages.senders.sms import AppriseSender
from services.store.engine import Store
from services.store.tables.messages import demo_messages
from tests.unit.services.messages.mailroom import DiscreetLog
from tests.world.clock import HandClock
from webapp.demo.sender import DemoSender


@pytest.fixture
def sms(clock: HandClock) -> Composed:
    return Composed(kind="sms", language="hu", expires_at=clock.now(), text="Generali: 4827.\n@x.hu #4827")


@pytest.fixture
def mail(clock: HandClock) -> Composed:
    return Composed(
        kind="email",
        language="hu",
        expires_at=clock.now(),
        subject="Erősítse meg email-címét",
        text="Tisztelt Ügyfelünk!\n\nhttps://x.hu/r?token=abc=\n",
        html="<p>Tisztelt Ügyfelünk!</p>",
        links=("https://x.hu/r?token=abc=",),
    )


def test_a_file_has_each_message_readable_one_after_the_other(tmp_path: Path, clock, mail) -> None:
    sender = FolderSender(tmp_path / "out", clock)
    sender.send("kovacs.anna@example.hu", mail, "A1")
    sender.send("kovacs.anna@example.hu", mail, "B2")
    once = (
        "To: kovacs.anna@example.hu\n"
        "Subject: Erősítse meg email-címét\n"
        "Date: Fri, 20 Nov 2026 09:02:00 +0000\n"
        "Message-ID: <A1>\n"
        "\n"
        "Tisztelt Ügyfelünk!\n\nhttps://x.hu/r?token=abc=\n\n"
    )
    assert (tmp_path / "out" / "kovacs.anna@example.hu").read_text() == once + once.replace("A1", "B2")


@pytest.mark.parametrize(
    ("recipient", "name"),
    [
        ("+36201234567", "+36201234567"),
        ("őrsi.éva+teszt@példa.hu", "őrsi.éva+teszt@példa.hu"),
        ("../../etc/passwd@x.hu", "%2E.%2F..%2Fetc%2Fpasswd@x.hu"),
        (".hidden@x.hu", "%2Ehidden@x.hu"),
        ("a\nb\0@x.hu", "a%0Ab%00@x.hu"),
    ],
)
def test_a_recipient_cannot_lead_out_of_the_folder(tmp_path: Path, clock, mail, recipient: str, name: str) -> None:
    FolderSender(tmp_path, clock).send(recipient, mail, "A1")
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_file_that_goes_with_a_mail_lies_beside_it(tmp_path: Path, clock, mail) -> None:
    attached = replace(mail, attachments=(Attachment("../list.pdf", "application/pdf", b"%PDF-"),))
    FolderSender(tmp_path, clock).send("anna@example.hu", attached, "A1")
    (name,) = (file.name for file in tmp_path.iterdir() if file.name != "anna@example.hu")
    assert f"Attachment: {name}\n" in (tmp_path / "anna@example.hu").read_text("utf-8")
    assert (tmp_path / name).read_bytes() == b"%PDF-"
    assert (tmp_path / name).stat().st_mode & 0o077 == 0


def test_a_recipient_of_any_length_has_a_file(tmp_path: Path, clock, mail) -> None:
    FolderSender(tmp_path, clock).send("ő" * 300, mail, "A1")
    (file,) = tmp_path.iterdir()
    assert len(file.name.encode()) <= 255


def test_the_heads_of_a_file_cannot_be_forged(tmp_path: Path, clock, mail) -> None:
    FolderSender(tmp_path, clock).send("a@x.hu\nSubject: forged", mail, "A1")
    (file,) = tmp_path.iterdir()
    assert file.read_text().startswith("To: a@x.hu Subject: forged\nSubject: Erősítse")


def test_many_at_once_write_whole_messages(tmp_path: Path, clock, sms) -> None:
    sender = FolderSender(tmp_path, clock)
    threads = [threading.Thread(target=sender.send, args=("+36201234567", sms, f"M{n}")) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    written = (tmp_path / "+36201234567").read_text()
    assert written.count("\n\nGenerali: 4827.\n@x.hu #4827\n\n") == 50


def test_a_folder_that_is_gone_is_a_failure_that_may_pass(tmp_path: Path, clock, mail) -> None:
    sender = FolderSender(tmp_path / "out", clock)
    os.rmdir(tmp_path / "out")
    with pytest.raises(TemporaryFailure) as failure:
        sender.send("kovacs.anna@example.hu", mail, "A1")
    assert "kovacs" not in str(failure.value)
    assert not failure.value.may_have_arrived


def test_the_demo_inbox_has_a_message_once_however_often_it_is_sent(store: Store, clock, mail) -> None:
    sender = DemoSender(store, clock)
    sender.send("kovacs.anna@example.hu", mail, "A1")
    sender.send("kovacs.anna@example.hu", mail, "A1")
    with store.read() as connection:
        (row,) = connection.execute(select(demo_messages)).all()
    assert (row.kind, row.recipient, row.subject) == ("email", "kovacs.anna@example.hu", mail.subject)
    assert (row.text, row.html, row.links, row.created_at) == (mail.text, mail.html, list(mail.links), clock.now())


class Gateway:
    """A web service for SMS on loopback that answers as it is told."""

    def __init__(self) -> None:
        self.status: int | None = 200
        self.requests: list[tuple[str, bytes]] = []
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                gateway.requests.append((self.path, body))
                if gateway.status is None:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response(gateway.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.port = self._server.server_address[1]

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    running = Gateway()
    yield running
    running.close()


def test_an_sms_goes_to_the_recipient_that_the_url_places(gateway: Gateway, sms) -> None:
    AppriseSender(f"json://127.0.0.1:{gateway.port}/send/{{to}}").send("+36201234567", sms, "A1")
    ((path, body),) = gateway.requests
    assert path in {"/send/%2B36201234567", "/send/+36201234567"}
    assert json.loads(body)["message"] == sms.text


def test_a_plain_webhook_gets_the_recipient_as_a_field(gateway: Gateway, sms) -> None:
    AppriseSender(f"json://127.0.0.1:{gateway.port}/send").send("+36201234567", sms, "A1")
    assert json.loads(gateway.requests[0][1])["to"] == "+36201234567"


@pytest.mark.parametrize(
    ("status", "failure"),
    [(503, TemporaryFailure), (401, TemporaryFailure), (429, TemporaryFailure), (400, PermanentFailure)],
)
def test_a_refusal_is_certain(gateway: Gateway, sms, status: int, failure: type[Exception]) -> None:
    gateway.status = status
    with pytest.raises(failure, match=str(status)) as raised:
        AppriseSender(f"json://127.0.0.1:{gateway.port}/").send("+36201234567", sms, "A1")
    assert not getattr(raised.value, "may_have_arrived", False)


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_gateway_that_fails_may_have_taken_the_message(gateway: Gateway, sms, status: int) -> None:
    gateway.status = status
    with pytest.raises(TemporaryFailure, match=str(status)) as raised:
        AppriseSender(f"json://127.0.0.1:{gateway.port}/").send("+36201234567", sms, "A1")
    assert raised.value.may_have_arrived


def test_a_gateway_that_breaks_off_may_have_taken_the_message(gateway: Gateway, sms) -> None:
    gateway.status = None
    with pytest.raises(TemporaryFailure) as raised:
        AppriseSender(f"json://127.0.0.1:{gateway.port}/").send("+36201234567", sms, "A1")
    assert raised.value.may_have_arrived


def test_a_gateway_that_cannot_be_reached_has_surely_not(gateway: Gateway, sms) -> None:
    gateway.close()
    with pytest.raises(TemporaryFailure, match="reached") as raised:
        AppriseSender(f"json://127.0.0.1:{gateway.port}/").send("+36201234567", sms, "A1")
    assert not raised.value.may_have_arrived
    gateway.close = lambda: None  # type: ignore[method-assign]


def test_apprise_logs_nothing_of_ours(gateway: Gateway, sms, discreet_log: DiscreetLog) -> None:
    sender = AppriseSender(f"json://user:pass4827@127.0.0.1:{gateway.port}/{{to}}")
    logging.getLogger("apprise").debug("JSON Payload: 4827")
    sender.send("+36201234567", sms, "A1")
    gateway.status = 500
    with pytest.raises(TemporaryFailure):
        sender.send("+36201234567", sms, "A1")
    assert not [line for line in discreet_log.lines if "JSON" in line]


@pytest.mark.parametrize(
    "url",
    [
        "twilio://AC735c307c62944b5a42e9d5d08e4a9e29:e29dfbcebf390dee9fc1a9e1a8e8b2f5@+36201110000/",
        "nosuch://secret@host/{to}",
        "twilio://secret/{to}",
        "{to}",
        "secret{to}",
        "",
    ],
)
def test_a_url_that_cannot_work_is_refused_at_start_without_its_secrets(url: str) -> None:
    with pytest.raises(ValueError, match="SMS") as refused:
        AppriseSender(url)
    assert "secret" not in str(refused.value)
    assert "e29dfbce" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "twilio://AC735c307c62944b5a42e9d5d08e4a9e29:e29dfbcebf390dee9fc1a9e1a8e8b2f5@+36201110000/{to}",
        "vonage://abcdef12:abcdefgh12345678@36201110000/{to}",
        "clickatell://36201110000@abcdef/{to}",
        "bulksms://user:password@{to}",
        "jsons://gateway.example/sms",
    ],
)
def test_common_services_are_accepted(url: str) -> None:
    AppriseSender(url)
