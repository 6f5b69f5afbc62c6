"""The password of electronic correspondence, and the letters that it opens (P25–P32, S1–S4)."""

import json
from datetime import date

import pytest
from sqlalchemy import update

from services.accounts import Session
from services.letters.password_box import PasswordBox
from services.letters.publishing import NewLetter
from services.messages.composer import Attachment
from services.pdf import Letterhead, Paper, Text, typeset
from services.profiles.profile import LetterPassword
from services.store.engine import Store
from services.store.tables import metadata
from services.store.tables.letters import letter_passwords
from services.store.tables.register import customers
from tests.world.cast import ANNA, PASSWORD
from tests.world.outcomes import outcome_of
from tests.world.papers import text_of
from tests.world.world import PROFILE, World, move_in

OWN = "Kaktusz-2026"
MAILING = PROFILE.model_copy(
    update={"letters": "encrypted_mail", "letter_password": LetterPassword(sensitive=("claim_decision",))}
)


@pytest.fixture
def world(sqlite_store: Store) -> World:
    """An insurer that mails encrypted letters; Anna has an account and a birth number of ten digits."""
    move_in(sqlite_store)
    made = World(sqlite_store, profile=MAILING)
    _birth_number(made, "8553140013")
    made.registered(ANNA)
    made.clock.advance(days=1)
    return made


@pytest.fixture
def anna(world: World) -> Session:
    """Anna, signed in."""
    return world.signed_in(ANNA)


def _birth_number(world: World, number: str | None) -> None:
    with world.store.write() as connection:
        connection.execute(update(customers).where(customers.c.kutid == ANNA.kutid).values(birth_number=number))


def _publish(world: World, letter_type: str = "policy") -> str:
    content = typeset(
        Paper("hu", "Kötvény", Letterhead.of(PROFILE, "hu"), [Text("Tisztelt Ügyfelünk!")]), world.clock.now()
    )
    letter = NewLetter(ANNA.kutid, letter_type, "Kötvény", date(2026, 11, 20), "hu")
    letter_id = world.portal.letters.publishing.publish(letter, content, actor="insurer")
    world.clock.advance(minutes=2)
    world.deliver()
    return letter_id


def _set(world: World, session: Session, new: str = OWN, current: str = PASSWORD) -> None:
    world.portal.letters.passwords.set(session, current, new)


def _attachment(world: World) -> Attachment:
    (found,) = world.letters("email", ANNA.email)[-1].attachments
    return found


def _opens(world: World, password: str) -> bool:
    try:
        return "Tisztelt Ügyfelünk!" in text_of(_attachment(world).content, password)
    except Exception:
        return False


# --- What opens a letter ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "password", "kind"), [("8553140013", "0013", "default4"), ("485722/004", "004", "default3")]
)
def test_without_an_own_password_the_birth_number_opens_it(world: World, number: str, password: str, kind: str) -> None:
    _birth_number(world, number)
    _publish(world)
    assert _opens(world, password)
    mail = world.letters("email", ANNA.email)[-1]
    assert PROFILE.texts.say(f"mail.encrypted.password.{kind}", "hu") in mail.text
    assert password not in mail.text.replace(ANNA.kutid, "").replace(mail.link or "", "")


def test_the_own_password_opens_it_and_the_digits_no_longer_do(world: World, anna: Session) -> None:
    _set(world, anna)
    _publish(world)
    assert _opens(world, OWN)
    assert not _opens(world, "0013")
    mail = world.letters("email", ANNA.email)[-1]
    assert "2026. november 21-én" in " ".join(mail.text.split())
    assert OWN not in mail.text


def test_the_mail_is_a_notice_too(world: World) -> None:
    letter_id = _publish(world)
    mail = world.letters("email", ANNA.email)[-1]
    assert mail.subject == PROFILE.texts.say("letter.type.policy", "hu")
    assert ANNA.kutid in mail.text
    assert mail.link == f"https://belepo.example/levelezes/{letter_id}"
    events = world.portal.letters.publishing.find(letter_id)[1]
    assert [event.type for event in events] == ["published", "notified"]


def test_its_file_says_nothing_of_the_customer(world: World) -> None:
    _publish(world)
    found = _attachment(world)
    assert (found.name, found.type) == ("level.pdf", "application/pdf")


def test_the_archive_keeps_the_plain_one(world: World, anna: Session) -> None:
    letter_id = _publish(world)
    mailbox = world.portal.letters.mailbox
    assert "Tisztelt Ügyfelünk!" in text_of(b"".join(mailbox.file(anna, letter_id).chunks))


def test_without_a_birth_number_letters_are_in_the_portal_alone(world: World, anna: Session) -> None:
    _birth_number(world, None)
    _publish(world)
    assert world.letters("email", ANNA.email)[-1].attachments == ()
    assert world.portal.letters.passwords.state(anna).kind == "none"
    _set(world, anna)
    _publish(world)
    assert _opens(world, OWN)


def test_a_sensitive_letter_waits_for_an_own_password(world: World, anna: Session) -> None:
    _publish(world, "claim_decision")
    assert world.letters("email", ANNA.email)[-1].attachments == ()
    _set(world, anna)
    _publish(world, "claim_decision")
    assert _opens(world, OWN)


def test_a_letter_that_was_withdrawn_in_time_is_not_mailed(world: World) -> None:
    before = len(world.letters("email", ANNA.email))
    content = typeset(Paper("hu", "Kötvény", Letterhead.of(PROFILE, "hu"), []), world.clock.now())
    letter = NewLetter(ANNA.kutid, "policy", "Kötvény", date(2026, 11, 20), "hu")
    letter_id = world.portal.letters.publishing.publish(letter, content, actor="insurer")
    world.portal.letters.publishing.withdraw(letter_id, "a mistake", actor="insurer")
    assert len(world.letters("email", ANNA.email)) == before


def test_a_letter_that_is_held_back_does_not_change_one_that_is_mailed(world: World) -> None:
    publishing = world.portal.letters.publishing
    content = typeset(Paper("hu", "Kötvény", Letterhead.of(PROFILE, "hu"), []), world.clock.now())
    for letter_type in ("policy", "claim_decision"):
        letter = NewLetter(ANNA.kutid, letter_type, "Kötvény", date(2026, 11, 20), "hu")
        publishing.publish(letter, content, actor="insurer")
    world.clock.advance(minutes=2)
    mails = {mail.subject: mail for mail in world.letters("email", ANNA.email)}
    assert mails[PROFILE.texts.say("letter.type.policy", "hu")].attachments
    assert not mails[PROFILE.texts.say("letter.type.claim_decision", "hu")].attachments


# --- Setting it ----------------------------------------------------------------------------------------------------


def test_a_mail_tells_of_a_new_password(world: World, anna: Session) -> None:
    _set(world, anna)
    assert world.told("letter_password_set", ANNA.email) == 1
    state = world.portal.letters.passwords.state(anna)
    assert (state.kind, state.set_at, state.password) == ("own", world.clock.now(), "")


@pytest.mark.parametrize(
    ("new", "why"),
    [
        ("Ab1!xyz", "too_short"), ("Ab1!" * 6, "too_long"), ("Levelező-26", "malformed"), ("Kaktusz 2026", "malformed"),
        ("Kaktusz`2026", "malformed"), ("a-8553140013", "birth_number"), ("a-140-013-b", "birth_number"),
        ("password123", "common"),
    ],
)  # fmt: skip
def test_a_weak_password_is_refused(world: World, anna: Session, new: str, why: str) -> None:
    assert outcome_of(_set, world, anna, new) == f"letter_password.{why}"
    assert world.portal.letters.passwords.state(anna).kind == "default4"


def test_it_is_not_the_one_of_the_sign_in(world: World, anna: Session) -> None:
    assert outcome_of(_set, world, anna, PASSWORD) in ("letter_password.sign_in", "letter_password.malformed")


def test_the_same_again_is_refused(world: World, anna: Session) -> None:
    _set(world, anna)
    assert outcome_of(_set, world, anna) == "letter_password.same"


def test_the_accounts_password_is_asked_again(world: World, anna: Session) -> None:
    assert outcome_of(_set, world, anna, OWN, "not the password") == "current_password.wrong"


def test_it_is_nowhere_in_the_database(world: World, anna: Session) -> None:
    _set(world, anna)
    world.portal.letters.passwords.send(anna)
    _publish(world)
    with world.store.read() as connection:
        dump = json.dumps(
            [
                [str(value) for value in row]
                for table in metadata.sorted_tables
                for row in connection.execute(table.select())
            ]
        )
    assert OWN not in dump


def test_another_customers_row_does_not_open(world: World) -> None:
    box = PasswordBox(("ab" * 32,))
    sealed = box.close("10000001", OWN)
    assert box.open("10000001", sealed) == OWN
    assert box.open("10000002", sealed) is None
    assert box.open("10000001", "not base64!") is None
    assert PasswordBox(("cd" * 32, "ab" * 32)).open("10000001", sealed) == OWN
    assert PasswordBox(("cd" * 32,)).open("10000001", sealed) is None


def test_it_ends_with_the_account(world: World, anna: Session) -> None:
    _set(world, anna)
    world.account_details.close(anna, PASSWORD)
    assert world.rows(letter_passwords) == []


# --- Having it sent ------------------------------------------------------------------------------------------------


def test_the_sms_brings_it_on_a_line_of_its_own(world: World, anna: Session) -> None:
    _set(world, anna)
    assert world.portal.letters.passwords.send(anna) == ANNA.mobile
    assert OWN in world.letters("sms", ANNA.mobile)[-1].text.splitlines()
    assert world.told("letter_password_sent", ANNA.email) == 1


def test_it_is_paid_for_from_the_allowance_of_codes(world: World, anna: Session) -> None:
    _set(world, anna)
    sent = []
    for _ in range(PROFILE.one_time_code.codes + 1):
        sent.append(outcome_of(world.portal.letters.passwords.send, anna))
        world.deliver()
        world.clock.advance(seconds=PROFILE.one_time_code.again_seconds)
    assert sent[-1] == "codes_used_up"
    assert "ok" in sent


def test_what_there_is_not_is_not_sent(world: World, anna: Session) -> None:
    assert outcome_of(world.portal.letters.passwords.send, anna) == "out_of_turn"


# --- Trying it -----------------------------------------------------------------------------------------------------


def test_the_right_one_is_recognised(world: World, anna: Session) -> None:
    passwords = world.portal.letters.passwords
    assert outcome_of(passwords.try_out, anna, "0013") == "ok"
    _set(world, anna)
    assert outcome_of(passwords.try_out, anna, "0013") == "try_password.wrong"
    assert outcome_of(passwords.try_out, anna, OWN) == "ok"


def test_tries_are_counted_and_come_back(world: World, anna: Session) -> None:
    passwords, rules = world.portal.letters.passwords, MAILING.letter_password
    for _ in range(rules.tries):
        assert outcome_of(passwords.try_out, anna, "wrong") == "try_password.wrong"
    assert outcome_of(passwords.try_out, anna, "0013") == "try_password.wait"
    world.clock.advance(minutes=rules.tries_minutes)
    assert outcome_of(passwords.try_out, world.signed_in(ANNA), "0013") == "ok"


# --- Staff -----------------------------------------------------------------------------------------------------------


def test_after_a_reset_the_letters_come_again_with_the_digits(world: World, anna: Session) -> None:
    _set(world, anna)
    first = _publish(world)
    world.clock.advance(days=30)
    with world.store.write() as connection:
        assert world.portal.letters.password_help.reset(connection, ANNA.kutid) == 1
    assert _opens(world, "0013")
    assert not _opens(world, OWN)
    mail = world.letters("email", ANNA.email)[-1]
    again = PROFILE.texts.say("mail.encrypted_again.subject", "hu", document_type="Kötvény")
    assert mail.subject == again
    assert PROFILE.texts.say("mail.encrypted_again.password.default4", "hu") in mail.text
    assert mail.link == f"https://belepo.example/levelezes/{first}"
    assert world.told("letter_password_reset", ANNA.email) == 1
    assert world.portal.letters.passwords.state(world.signed_in(ANNA)).reset_at == world.clock.now()


def test_older_letters_than_the_profile_says_do_not_come_again(world: World, anna: Session) -> None:
    _set(world, anna)
    _publish(world)
    world.clock.advance(days=MAILING.letter_password.resend_days + 1)
    with world.store.write() as connection:
        assert world.portal.letters.password_help.reset(connection, ANNA.kutid) == 0


def test_without_a_password_there_is_nothing_to_reset_or_send(world: World) -> None:
    letter_help = world.portal.letters.password_help
    with world.store.write() as connection:
        assert outcome_of(letter_help.reset, connection, ANNA.kutid) == "out_of_turn"
        assert outcome_of(letter_help.send, connection, ANNA.kutid, "staff:1") == "out_of_turn"
        assert letter_help.state(connection, ANNA.kutid).opener.kind == "default4"


def test_where_letters_are_in_the_portal_there_is_no_such_password(sqlite_store: Store) -> None:
    move_in(sqlite_store)
    plain = World(sqlite_store)
    plain.registered(ANNA)
    session, passwords = plain.signed_in(ANNA), plain.portal.letters.passwords
    for outcome in (
        outcome_of(passwords.state, session),
        outcome_of(passwords.set, session, PASSWORD, OWN),
        outcome_of(passwords.send, session),
        outcome_of(passwords.try_out, session, OWN),
    ):
        assert outcome == "out_of_turn"


def test_the_sign_in_password_cannot_become_the_letters(world: World, anna: Session) -> None:
    world.portal.letters.passwords.set(anna, PASSWORD, OWN)
    assert outcome_of(world.password_changes.change, anna, PASSWORD, OWN) == "password.opens_letters"


def test_an_hour_has_three_changes(world: World, anna: Session) -> None:
    passwords = world.portal.letters.passwords
    outcomes = [outcome_of(passwords.set, anna, PASSWORD, f"Kaktusz-{number}") for number in range(4)]
    assert outcomes == ["ok", "ok", "ok", "letter_password.too_many"]
    assert world.told("letter_password_set", ANNA.email) == 3
