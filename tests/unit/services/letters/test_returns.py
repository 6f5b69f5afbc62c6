"""Mails that came back after the server had taken them over: the letter has bounced (P13, P18; RFC 3464)."""

from datetime import date

import pytest

from services.gateways.mailbox import ImapMailbox, MailboxUnavailable
from services.letters.publishing import NewLetter
from services.messages import returned
from services.store.tables.messages import outbox
from tests.world.cast import ANNA
from tests.world.imap import Mailroom, imap_server
from tests.world.pdfs import pdf
from tests.world.world import World

ID = "A" * 22


def report(message_id: str = ID, *, action: str = "failed", status: str = "5.1.1", encloses: str = "header") -> bytes:
    """Return a delivery status notification as Postfix writes it."""
    header = (
        f"From: Portal <portal@insurer.example>\r\nMessage-ID: <{message_id}@insurer.example>\r\nSubject: x\r\n\r\n"
    )
    kind = "text/rfc822-headers" if encloses == "header" else "message/rfc822"
    body = header if encloses == "header" else header + "The letter's mail.\r\n"
    return (
        "From: MAILER-DAEMON@mx.example\r\nTo: portal@insurer.example\r\nSubject: Undelivered Mail\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nI'm sorry.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; anna@example.hu\r\nAction: {action}\r\nStatus: {status}\r\n\r\n"
        f"--b\r\nContent-Type: {kind}\r\n\r\n{body}\r\n--b--\r\n"
    ).encode()


@pytest.mark.parametrize("encloses", ["header", "mail"])
def test_a_report_names_the_mail_and_why(encloses: str) -> None:
    assert returned.read(report(encloses=encloses)) == returned.Returned(ID, "5.1.1")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe\x00",
        b"From: anna@example.hu\r\nSubject: Re: Levelek\r\n\r\nSzia!",
        report(action="delayed", status="4.4.1"),
        report("not ours"),
        report().replace(b"delivery-status; boundary", b"disposition-notification; boundary"),
        report().replace(b"Action", b"Other"),
        report()[:400],
    ],
    ids=["nothing", "noise", "an answer", "a delay", "another's", "a receipt", "no action", "cut off"],
)
def test_anything_else_is_left_alone(raw: bytes) -> None:
    assert returned.read(raw) is None


def test_a_status_that_nobody_can_read_is_a_failure_all_the_same() -> None:
    assert returned.read(report(status="unknown")) == returned.Returned(ID, "5.0.0")


def published(world: World) -> tuple[str, str]:
    """Return a letter whose mail was taken over, and the mail's id."""
    world.registered(ANNA)
    letter = NewLetter(ANNA.kutid, "policy", "Kötvény", date(2026, 11, 20), "hu")
    letter_id = world.portal.letters.publishing.publish(letter, pdf(), actor="insurer")
    world.clock.advance(minutes=2)
    world.deliver()
    (mail,) = [row for row in world.rows(outbox) if row.message == "document"]
    world.clock.advance(minutes=1)
    return letter_id, mail.id


def happened(world: World, letter_id: str) -> list[str]:
    return [event.type for event in world.portal.letters.publishing.find(letter_id)[1]]


def test_a_letter_whose_mail_came_back_has_bounced_once(world: World) -> None:
    letter_id, mail_id = published(world)
    assert world.portal.letters.returns.note(report(mail_id))
    assert happened(world, letter_id) == ["published", "notified", "bounced"]
    assert not world.portal.letters.returns.note(report(mail_id))
    assert happened(world, letter_id).count("bounced") == 1
    (given_up,) = world.outbox.given_up()
    assert (given_up.id, given_up.error) == (mail_id, "the mail came back: 5.1.1")


def test_a_report_about_a_mail_that_we_never_sent_changes_nothing(world: World) -> None:
    letter_id, _ = published(world)
    assert not world.portal.letters.returns.note(report())
    assert happened(world, letter_id) == ["published", "notified"]


def test_a_mailbox_is_read_once_and_what_is_not_ours_stays_in_it(world: World) -> None:
    letter_id, mail_id = published(world)
    with imap_server() as room:
        room.mails = [b"Subject: Re: Levelek\r\n\r\nSzia!", report(mail_id)]
        mailbox = box(room)
        assert mailbox.take(world.portal.letters.returns.note) == 2
        assert mailbox.take(world.portal.letters.returns.note) == 0
        assert room.folders == ["INBOX", "INBOX"]
        assert len(room.mails) == 2
    assert happened(world, letter_id)[-1] == "bounced"


def test_what_could_not_be_noted_is_read_again() -> None:
    def fail(_raw: bytes) -> None:
        raise KeyError

    with imap_server() as room:
        room.mails = [report()]
        with pytest.raises(KeyError):
            box(room).take(fail)
        assert not room.seen
        assert box(room).take(lambda _raw: None) == 1


@pytest.mark.parametrize("command", ["LOGIN", "SELECT", "SEARCH", "FETCH", "STORE"])
def test_a_mailbox_that_hangs_up_is_unavailable(command: str) -> None:
    with imap_server() as room:
        room.mails, room.breaks_off_at = [report()], command
        with pytest.raises(MailboxUnavailable):
            box(room).take(lambda _raw: None)


def test_a_mailbox_that_is_not_there_or_refuses_tells_no_password() -> None:
    with imap_server() as room:
        refused = box(room, password="valami-titok")
        with pytest.raises(MailboxUnavailable) as failure:
            refused.take(lambda _raw: None)
    assert "titok" not in f"{failure.value} {refused!r}"
    with pytest.raises(MailboxUnavailable):
        refused.take(lambda _raw: None)


def box(room: Mailroom, password: str = "") -> ImapMailbox:
    return ImapMailbox("127.0.0.1", room.port, "portal", password or room.password, is_encrypted=False)
