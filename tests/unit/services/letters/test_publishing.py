"""Letters come in whole or not at all, and are taken back once."""

import logging
from collections.abc import Callable
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from obstore.store import LocalStore
from sqlalchemy import update

from services.gateways.storage import ObjectStorage, StorageUnavailable
from services.letters.archive import LetterDamaged
from services.letters.publishing import NewLetter
from services.messages.senders import PermanentFailure, TemporaryFailure
from services.refusal import OutOfTurn, Refusal
from services.store.tables.letters import letter_events, letters
from services.store.tables.messages import outbox
from services.store.tables.register import customers
from tests.world.cast import ANNA, ILONA, Customer
from tests.world.pdfs import pdf
from tests.world.world import World

ADDRESS = "ilona.nagy@example.hu"


def letter(person: Customer = ANNA, **values: Any) -> NewLetter:
    given: dict[str, Any] = {
        "kutid": person.kutid, "type": "certificate", "title": "Díjigazolás", "issued_on": date(2026, 11, 2),
        "language": "hu", **values,
    }  # fmt: skip
    return NewLetter(**given)


def publish(world: World, content: bytes | BytesIO | None = None, **values: Any) -> str:
    return world.portal.letters.publishing.publish(letter(**values), content or pdf(), actor="client:G3")


def happened(world: World, letter_id: str) -> list[str]:
    return [event.type for event in world.portal.letters.publishing.find(letter_id)[1]]


def refused(world: World, **values: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        publish(world, **values)
    return f"{refusal.value.field}.{refusal.value.reason}"


def test_a_letter_is_read_as_it_was_published(world: World) -> None:
    world.registered(ANNA)
    letter_id = publish(world, policy_number=ANNA.policy_number, data={"sum": 12000})
    session = world.signed_in(ANNA)
    found = world.portal.letters.mailbox.find(session, letter_id)
    assert (found.type, found.policy_number, found.size) == ("certificate", ANNA.policy_number, len(pdf()))
    assert b"".join(world.portal.letters.mailbox.file(session, letter_id, is_saved=True).chunks) == pdf()
    assert happened(world, letter_id) == ["published", "opened", "downloaded"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (BytesIO(), "empty"),
        (b"PK\x03\x04 a zip", "no_pdf"),
        (b"<script>alert(1)</script>" + pdf(), "no_pdf"),
        (b"%PDF-1.7 and nothing of one", "damaged"),
        (pdf()[: len(pdf()) // 2], "damaged"),
        (pdf(password="1234"), "encrypted"),
        (pdf(password=""), "encrypted"),
        (pdf() + b"\n" * (20 * 1024 * 1024), "too_large"),
    ],
    ids=[
        "empty",
        "zip",
        "a page too",
        "header alone",
        "cut off",
        "encrypted",
        "encrypted for its owner",
        "above 20 MB",
    ],
)
def test_what_no_customer_could_open_is_refused(world: World, content: Any, reason: str) -> None:
    assert refused(world, content=content) == f"document.{reason}"
    assert not world.rows(letters)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"kutid": "99999999"}, "customer.unknown"),
        ({"type": "no such type"}, "document.type"),
        ({"title": "  "}, "document.title"),
        ({"language": "xx"}, "document.language"),
        ({"policy_number": ILONA.policy_number}, "document.policy"),
        ({"replaces": "A" * 22}, "document.replaces"),
        ({"latest_on": date(2026, 11, 19)}, "document.latest"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_fit_the_register_is_refused(world: World, values: dict[str, Any], reason: str) -> None:
    assert refused(world, **values) == reason
    assert not world.rows(letters)
    assert not world.rows(outbox)


def test_the_same_letter_sent_twice_is_published_once(world: World) -> None:
    first, again = (publish(world, once="0" * 64) for _ in range(2))
    other = publish(world, once="1" * 64)
    assert first == again != other
    assert happened(world, first).count("published") == 1


def test_the_latest_day_may_be_today_and_a_repetition_on_a_later_day_is_the_same_letter(world: World) -> None:
    first = publish(world, once="0" * 64, latest_on=date(2026, 11, 20))
    world.clock.advance(days=1)
    assert publish(world, once="0" * 64, latest_on=date(2026, 11, 20)) == first


# --- Replaced and withdrawn ------------------------------------------------------------------------------------


def test_a_correction_replaces_a_letter_once(world: World) -> None:
    old = publish(world)
    new = publish(world, pdf("corrected"), replaces=old)
    assert world.portal.letters.publishing.find(old)[0].replaced_by == new
    assert happened(world, old)[-1] == "replaced"
    assert refused(world, replaces=old) == "document.replaced"
    assert len(world.rows(letters)) == 2


def test_another_customers_letter_is_not_replaced(world: World) -> None:
    old = publish(world)
    assert refused(world, person=ILONA, replaces=old) == "document.replaces"
    assert world.portal.letters.publishing.find(old)[0].replaced_by is None


def test_a_letter_is_withdrawn_once_with_a_reason_and_a_code(world: World) -> None:
    letter_id, publishing = publish(world), world.portal.letters.publishing
    for reason in ("", " ", "x" * 301):
        with pytest.raises(Refusal, match=r"document\.reason"):
            publishing.withdraw(letter_id, reason, actor="client:G3")
    taken_back = publishing.withdraw(letter_id, "Tévedés", actor="client:G3")
    assert taken_back.is_withdrawn
    assert taken_back.withdrawn_code
    with pytest.raises(OutOfTurn):
        publishing.withdraw(letter_id, "again", actor="client:G3")
    assert publishing.find(letter_id)[0].withdrawn_reason == "Tévedés"
    assert happened(world, letter_id).count("withdrawn") == 1
    assert refused(world, replaces=letter_id) == "document.replaced"


# --- Storage ----------------------------------------------------------------------------------------------------


class Away:
    """A storage that does not answer."""

    def put(self, key: str, content: object) -> None:
        raise StorageUnavailable("away")

    def get(self, key: str) -> Any:
        raise StorageUnavailable("away")

    delete = get


def test_nothing_is_published_while_the_storage_is_away(world: World) -> None:
    world.portal = world.portal_at(Away())
    with pytest.raises(StorageUnavailable):
        publish(world)
    assert not world.rows(letters)
    assert not world.rows(letter_events)
    assert not world.rows(outbox)


@pytest.mark.parametrize("damage", ["a flipped byte", "cut off", "gone"])
def test_bytes_that_do_not_fit_their_hash_are_never_served(
    world: World, tmp_path: Any, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    storage = ObjectStorage(LocalStore(tmp_path))
    world.portal = world.portal_at(storage)
    world.registered(ANNA)
    letter_id, session = publish(world), world.signed_in(ANNA)
    (file,) = (tmp_path / "letters").iterdir()
    if damage == "gone":
        file.unlink()
    else:
        file.write_bytes(pdf()[:-1] + (b"X" if damage == "a flipped byte" else b""))
    with caplog.at_level(logging.ERROR), pytest.raises(LetterDamaged):
        world.portal.letters.mailbox.file(session, letter_id)
    assert letter_id in caplog.text
    assert "downloaded" not in happened(world, letter_id)
    (row,) = world.rows(letters)
    assert row.damaged_at is not None
    file.write_bytes(pdf())  # restored from a backup
    assert b"".join(world.portal.letters.mailbox.file(session, letter_id, is_saved=True).chunks) == pdf()
    (row,) = world.rows(letters)
    assert row.damaged_at is None


# --- Notices -----------------------------------------------------------------------------------------------------


def _mails(world: World, to: str = ANNA.email) -> list[Any]:
    subjects = ("Díjigazolás", "Díjbekérő", "Kötvény")
    return [mail for mail in world.letters("email", to) if mail.subject.startswith(subjects)]


def test_a_notice_says_the_type_and_the_number_and_leads_to_the_letter(world: World) -> None:
    world.registered(ANNA)
    letter_id = publish(world, title="Titkos tartalom")
    assert not _mails(world), "it waits for further letters"
    world.clock.advance(seconds=61)
    (mail,) = _mails(world)
    assert mail.subject == "Díjigazolás"
    assert f" Ügyfél-azonosító: {ANNA.kutid}. " in mail.text
    assert ANNA.policy_number not in mail.text
    assert f"/levelezes/{letter_id}" in mail.text
    assert "Titkos" not in mail.text
    assert "Regisztráció" not in mail.text
    assert happened(world, letter_id) == ["published", "notified"]


def test_letters_of_one_minute_make_one_mail(world: World) -> None:
    world.registered(ANNA)
    ids = [publish(world, type=kind) for kind in ("certificate", "policy", "payment_request")]
    other = publish(world, person=ILONA)
    world.clock.advance(seconds=61)
    (mail,) = _mails(world)
    assert mail.subject == "Díjbekérő és még 2 levél"
    assert f"/levelezes/{ids[2]}" in mail.text
    assert [happened(world, letter_id)[-1] for letter_id in ids] == ["notified"] * 3
    later = publish(world)
    world.clock.advance(seconds=61)
    assert [mail.subject for mail in _mails(world)] == ["Díjbekérő és még 2 levél", "Díjigazolás"]
    assert happened(world, later) == ["published", "notified"]
    assert happened(world, other) == ["published", "bounced"], "she has no address"


def test_no_mail_tells_of_a_letter_that_was_taken_back(world: World) -> None:
    world.registered(ANNA)
    first, second = publish(world, type="payment_request"), publish(world)
    world.portal.letters.publishing.withdraw(first, "Tévedés", actor="client:G3")
    world.clock.advance(seconds=61)
    (mail,) = _mails(world)
    assert mail.subject == "Díjigazolás"
    assert "notified" not in happened(world, first)
    assert happened(world, second)[-1] == "notified"
    third = publish(world)
    world.portal.letters.publishing.withdraw(third, "Tévedés", actor="client:G3")
    world.clock.advance(seconds=61)
    assert len(_mails(world)) == 1


def test_who_has_no_account_is_led_to_the_registration(world: World) -> None:
    with world.store.write() as connection:
        connection.execute(update(customers).where(customers.c.kutid == ILONA.kutid).values(email=ADDRESS))
    publish(world, person=ILONA)
    world.clock.advance(seconds=61)
    (mail,) = _mails(world, ADDRESS)
    assert "/regisztracio?level=" in mail.text
    assert "\nRegisztráció:\n" in mail.text


def test_what_the_mail_server_says_is_written_to_each_letter(world: World) -> None:
    world.registered(ANNA)
    world.deliver()
    ids = [publish(world), publish(world)]
    send = world.postman.send
    world.postman.send = _fails(TemporaryFailure("later"))  # type: ignore[method-assign]
    world.clock.advance(seconds=61)
    world.deliver()
    assert {happened(world, letter_id)[-1] for letter_id in ids} == {"published"}
    world.postman.send = _fails(PermanentFailure("550 no such user"))  # type: ignore[method-assign]
    world.clock.advance(seconds=61)
    world.deliver()
    assert {happened(world, letter_id)[-1] for letter_id in ids} == {"bounced"}
    world.postman.send = send  # type: ignore[method-assign]
    world.clock.advance(seconds=61)
    assert not _mails(world)


def _fails(failure: Exception) -> Callable[..., None]:
    def send(_recipient: str, _composed: Any, _message_id: str, leaving: Callable[[], None]) -> None:
        leaving()
        raise failure

    return send
