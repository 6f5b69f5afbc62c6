"""Changing the password and setting a new one when it is forgotten (M24, M26, M30, M31)."""

from datetime import UTC, datetime, timedelta
from functools import partial
from unittest.mock import Mock

import bcrypt
import pytest

from services.accounts import Session
from services.refusal import Refusal
from services.store.tables.accounts import account_changes, accounts, password_resets
from services.store.tables.audit import audit
from services.store.tables.limits import sign_in_tries
from services.values import email_addresses
from tests.world.cast import ANNA, CROWD, ESZTER, LAPTOP, OTHER_PASSWORD, PASSWORD, PHONE
from tests.world.outcomes import outcome_of
from tests.world.world import World

THIRD_PASSWORD = "Teli-Hideg-2051-Hegy"


def change(world: World, session: Session, current: str = PASSWORD, new: str = OTHER_PASSWORD) -> str:
    return outcome_of(world.password_changes.change, session, current, new)


# --- Changing ----------------------------------------------------------------------------------------------------


def test_a_change_ends_every_other_session_and_this_one_goes_on_under_a_new_id(anna: World) -> None:
    here = anna.sign_ins.sign_in(ANNA.address.key, PASSWORD, PHONE)
    others = [anna.sign_ins.sign_in(ANNA.address.key, PASSWORD, device) for device in (PHONE, LAPTOP)]
    ends_at = anna.session(here).ends_at
    anna.reset_link(ANNA)
    anna.clock.advance(minutes=1)
    token = anna.password_changes.change(anna.session(here), PASSWORD, OTHER_PASSWORD)
    assert anna.sign_ins.resume(here) is None
    assert [anna.session(other).ended_by for other in others] == ["elsewhere", "elsewhere"]
    session = anna.session(token)
    assert (session.ended_by, session.ends_at) == (None, ends_at), "not prolonged beyond its longest"
    assert session.account.password_changed_at == anna.clock.now()
    assert (anna.comes_in(ANNA, PASSWORD), anna.comes_in(ANNA, OTHER_PASSWORD)) == ("login.failed", "ok")
    assert anna.told("password_changed", ANNA.email) == 1
    assert anna.count(password_resets) == 0
    assert [(row.action, row.actor, row.facts) for row in anna.rows(audit)] == [("password_changed", "customer", {})]


def test_within_a_day_a_change_is_refused_before_the_present_password_is_looked_at(
    world: World, compared: Mock
) -> None:
    world.registered(ANNA)
    registered_at = world.clock.now()
    world.clock.advance(hours=23, minutes=59, seconds=59)
    session = world.signed_in(ANNA)
    compared.reset_mock()
    tries = world.rows(sign_in_tries)
    for current in (PASSWORD, "not the password", ""):
        with pytest.raises(Refusal) as refused:
            world.password_changes.change(session, current, OTHER_PASSWORD)
        assert (refused.value.field, refused.value.reason) == ("password", "too_soon")
        assert refused.value.facts == {"moment": registered_at + timedelta(days=1)}
    assert not compared.called
    assert world.rows(sign_in_tries) == tries
    world.clock.advance(seconds=1)
    token = world.password_changes.change(session, PASSWORD, OTHER_PASSWORD)
    world.clock.advance(minutes=5)
    assert change(world, world.session(token), OTHER_PASSWORD, THIRD_PASSWORD) == "password.too_soon"
    world.clock.advance(hours=24)
    assert change(world, world.signed_in(ANNA, PHONE, OTHER_PASSWORD), OTHER_PASSWORD, THIRD_PASSWORD) == "ok"


@pytest.mark.parametrize(
    "changed",
    [datetime(2027, 3, 27, 12, 30, tzinfo=UTC), datetime(2027, 10, 30, 12, 30, tzinfo=UTC)],
    ids=["spring", "autumn"],
)
def test_a_day_is_24_hours_when_the_clocks_change_too(world: World, changed: datetime) -> None:
    world.clock.moment = changed
    world.registered(ANNA)
    session_zone = world.profile.zone
    possible = world.password_changes.possible_from(world.signed_in(ANNA).account)
    assert possible == changed + timedelta(hours=24)
    shift = possible.astimezone(session_zone).hour - changed.astimezone(session_zone).hour
    assert shift == (1 if changed.month == 3 else -1)
    world.clock.moment = possible - timedelta(seconds=1)
    assert change(world, world.signed_in(ANNA)) == "password.too_soon"
    world.clock.moment = possible
    assert change(world, world.signed_in(ANNA)) == "ok"


def test_wrong_present_passwords_are_counted_by_session(anna: World, compared: Mock) -> None:
    session, tries = anna.signed_in(ANNA), anna.profile.sign_in.tries
    compared.reset_mock()
    answers = [change(anna, session, f"wrong {number}") for number in range(tries + 3)]
    assert answers == ["current_password.wrong"] * tries + ["current_password.wait"] * 3
    assert compared.call_count == tries
    assert change(anna, session) == "current_password.wait", "nor is the right one looked at"
    assert compared.call_count == tries
    assert anna.comes_in(ANNA, PASSWORD, LAPTOP) == "ok", "it keeps nobody from signing in"
    for verb in (anna.account_details.close, partial(anna.email_changes.ask_for_email, address=ESZTER.address)):
        assert outcome_of(verb, session, PASSWORD) == "current_password.wait", "every door spends from one count"
    anna.clock.advance(seconds=anna.profile.sign_in.first_wait_seconds)
    assert change(anna, session) == "ok"


def test_a_right_present_password_forgets_the_slips(anna: World) -> None:
    session = anna.signed_in(ANNA)
    for _ in range(3):
        for _ in range(anna.profile.sign_in.tries - 1):
            assert change(anna, session, "wrong") == "current_password.wrong"
        assert change(anna, session, PASSWORD, "short") == "password.too_short"


@pytest.mark.parametrize(
    ("new", "reason"),
    [
        (PASSWORD, "same"),
        ("Rövid-1", "too_short"),
        ("csupa-kisbetu-2027", "upper"),
        ("CSUPA-NAGYBETU-2027", "lower"),
        ("Szam-Nelkuli-Jelszo", "digit"),
        ("Password123", "common"),
        ("Anna-2027-Kovács", "like_record"),
        ("Kotveny-940000001-Xy", "like_record"),
        ("Anna@Example.hu1", "like_email"),
        ("X1" + "a" * 999, "too_long"),
    ],
)
def test_a_new_password_must_meet_the_rules_and_be_new(anna: World, new: str, reason: str) -> None:
    session = anna.signed_in(ANNA)
    before = anna.rows(accounts)
    assert change(anna, session, PASSWORD, new) == f"password.{reason}"
    assert anna.rows(accounts) == before
    assert anna.session_of(session).ended_by is None


def test_the_same_password_in_other_unicode_is_the_same(world: World) -> None:
    world.registrations.completion.complete(world.accepted(ANNA), "Árvíztűrő 2031 kő")
    world.clock.advance(days=1)
    session = world.signed_in(ANNA, PHONE, "Árvíztűrő 2031 kő")
    decomposed = "A\u0301rvi\u0301ztu\u030bro\u030b\u00a02031 ko\u030b"
    assert change(world, session, "Árvíztűrő 2031 kő", decomposed) == "password.same"


# --- Forgotten ---------------------------------------------------------------------------------------------------


def test_a_reset_sets_the_password_and_ends_every_session(anna: World) -> None:
    tokens = [anna.sign_ins.sign_in(ANNA.address.key, PASSWORD, device) for device in (PHONE, LAPTOP)]
    assert outcome_of(anna.password_changes.reset, anna.reset_link(ANNA), OTHER_PASSWORD) == "ok"
    assert [anna.session(token).ended_by for token in tokens] == ["elsewhere", "elsewhere"]
    assert (anna.comes_in(ANNA, PASSWORD), anna.comes_in(ANNA, OTHER_PASSWORD)) == ("login.failed", "ok")
    assert anna.told("password_changed", ANNA.email) == 1
    assert [row.action for row in anna.rows(audit)] == ["password_reset"]


def test_a_reset_needs_no_day_to_have_passed_and_begins_one(world: World) -> None:
    world.registered(ANNA)
    for number in range(3):
        world.clock.advance(minutes=1)
        assert outcome_of(world.password_changes.reset, world.reset_link(ANNA), f"{OTHER_PASSWORD}{number}") == "ok"
    session = world.signed_in(ANNA, PHONE, f"{OTHER_PASSWORD}2")
    assert world.password_changes.possible_from(session.account) == world.clock.now() + timedelta(days=1)
    assert change(world, session, f"{OTHER_PASSWORD}2", THIRD_PASSWORD) == "password.too_soon"


def test_a_link_works_once(anna: World) -> None:
    link = anna.reset_link(ANNA)
    assert outcome_of(anna.password_changes.reset, link, OTHER_PASSWORD) == "ok"
    assert anna.password_changes.find_reset(link) is None
    assert outcome_of(anna.password_changes.reset, link, THIRD_PASSWORD) == "dead_link"
    assert anna.comes_in(ANNA, OTHER_PASSWORD) == "ok"


def test_only_the_newest_link_works(anna: World) -> None:
    older = anna.reset_link(ANNA)
    anna.clock.advance(seconds=5)
    newer = anna.reset_link(ANNA)
    assert older != newer
    assert anna.password_changes.find_reset(older) is None
    assert outcome_of(anna.password_changes.reset, older, OTHER_PASSWORD) == "dead_link"
    assert outcome_of(anna.password_changes.reset, newer, OTHER_PASSWORD) == "ok"


def test_a_link_lives_fifteen_minutes(anna: World) -> None:
    link = anna.reset_link(ANNA)
    found = anna.password_changes.find_reset(link)
    assert found is not None
    assert found.expires_at == anna.clock.now() + timedelta(minutes=15)
    anna.clock.advance(minutes=14, seconds=59.9)
    assert anna.password_changes.find_reset(link)
    anna.clock.advance(seconds=0.1)
    assert anna.password_changes.find_reset(link) is None
    assert outcome_of(anna.password_changes.reset, link, OTHER_PASSWORD) == "dead_link"


def test_a_link_that_dies_while_the_password_is_hashed_sets_none(anna: World, monkeypatch: pytest.MonkeyPatch) -> None:
    link = anna.reset_link(ANNA)
    before = anna.rows(accounts)
    hashpw = bcrypt.hashpw

    def slow(password: bytes, salt: bytes) -> bytes:
        anna.clock.advance(minutes=15)
        return hashpw(password, salt)

    monkeypatch.setattr(bcrypt, "hashpw", slow)
    assert outcome_of(anna.password_changes.reset, link, OTHER_PASSWORD) == "dead_link"
    assert anna.rows(accounts) == before


def test_looking_at_a_link_changes_nothing(anna: World) -> None:
    link = anna.reset_link(ANNA)
    before = anna.everything()
    for _ in range(3):
        assert anna.password_changes.find_reset(link)
    assert anna.password_changes.find_reset("made-up") is None
    assert anna.everything() == before


@pytest.mark.parametrize("new", ["Rövid-1", "Password123", "Anna-2027-Kovács", "X1" + "a" * 999])
def test_a_refused_password_uses_nothing_up(anna: World, new: str) -> None:
    link = anna.reset_link(ANNA)
    before = anna.everything()
    assert outcome_of(anna.password_changes.reset, link, new).startswith("password.")
    assert anna.everything() == before
    assert outcome_of(anna.password_changes.reset, link, OTHER_PASSWORD) == "ok"


def test_a_reset_ends_the_waits_of_the_address_and_of_its_known_browsers(anna: World) -> None:
    anna.signed_in(ANNA, PHONE)
    for device in (PHONE, LAPTOP):
        anna.fail(ANNA, anna.profile.sign_in.tries, device)
        assert anna.comes_in(ANNA, PASSWORD, device) == "login.wait"
    anna.password_changes.reset(anna.reset_link(ANNA), OTHER_PASSWORD)
    for device in (PHONE, LAPTOP):
        assert anna.comes_in(ANNA, OTHER_PASSWORD, device) == "ok"


@pytest.mark.parametrize("how", ["change", "reset"])
def test_what_somebody_asked_for_with_the_old_password_dies_with_it(anna: World, how: str) -> None:
    """Else the thief of a password takes the account over an hour after it was changed."""
    thief = anna.signed_in(ANNA, LAPTOP)
    anna.email_changes.ask_for_email(thief, PASSWORD, email_addresses.parse("tolvaj@example.hu"))
    anna.mobile_changes.ask_for_mobile(thief, PASSWORD, "+36209998877")
    link = anna.mailed_id("email", "tolvaj@example.hu")
    if how == "reset":
        anna.password_changes.reset(anna.reset_link(ANNA), OTHER_PASSWORD)
    else:
        assert change(anna, anna.signed_in(ANNA, PHONE)) == "ok"
    assert anna.count(account_changes) == 0
    assert outcome_of(anna.email_changes.confirm_email, link) == "dead_link"
    assert [(row.email, row.mobile) for row in anna.rows(accounts)] == [(ANNA.email, ANNA.mobile)]


def test_an_unsent_link_does_not_leave_once_it_is_dead(anna: World) -> None:
    thief = anna.signed_in(ANNA, LAPTOP)
    anna.deliver()
    anna.email_changes.ask_for_email(thief, PASSWORD, email_addresses.parse("uj@example.hu"))
    anna.password_changes.ask_for_reset(ANNA.address, "hu")
    anna.password_changes.ask_for_reset(ANNA.address, "hu")
    assert change(anna, anna.signed_in(ANNA, PHONE)) == "ok"
    assert anna.letters("email", "uj@example.hu") == []
    assert anna.told("reset", ANNA.email) == 0


# --- Whom a link is mailed to ------------------------------------------------------------------------------------


def test_the_link_goes_to_the_address_as_it_is_stored(world: World) -> None:
    access = world.identified(ANNA)
    world.registrations.emails.choose_email(access, email_addresses.parse("Anna.Kovacs@Example.HU"))
    access = world.access_by_mail("Anna.Kovacs@Example.HU")
    world.registrations.mobiles.choose_mobile(access, ANNA.mobile)
    world.registrations.mobiles.confirm_mobile(access, world.code_sent(ANNA.mobile))
    world.accept_terms(access)
    world.registrations.completion.complete(access, PASSWORD)
    world.password_changes.ask_for_reset(email_addresses.parse("anna.kovacs@EXAMPLE.hu"), "hu")
    assert world.told("reset", "Anna.Kovacs@Example.HU") == 1
    world.postman.letters.clear()
    for look_alike in ("ann\u0430.kovacs@example.hu", "anna.kovacs@examp\u0142e.hu", "anna.kovac\u017f@example.hu"):
        world.password_changes.ask_for_reset(email_addresses.parse(look_alike), "hu")
    links = [letter for letter in world.letters("email") if "token=" in (letter.link or "")]
    assert {letter.to for letter in links} <= {"Anna.Kovacs@Example.HU"}


def test_a_stranger_is_told_once_a_day(world: World) -> None:
    ask = partial(world.password_changes.ask_for_reset, ESZTER.address)
    for _ in range(3):
        ask("en")
        world.clock.advance(hours=2)
    assert len(world.letters("email", ESZTER.email)) == 1
    letter = world.letters("email", ESZTER.email)[0]
    assert letter.subject == world.profile.texts.say("mail.reset_unknown.subject", "en")
    assert letter.link == "https://belepo.example/regisztracio"
    assert world.count(password_resets) == 0
    world.clock.advance(hours=18)
    ask("hu")
    assert world.told("reset_unknown", ESZTER.email) == 1


def test_nobody_has_us_write_to_all_the_world(world: World) -> None:
    """Not even by way of one mailbox's many spellings. Who has an account gets the link all the same."""
    limit = world.profile.password.strangers_an_hour
    world.registered(ANNA)
    ask = world.password_changes.ask_for_reset
    addresses = [email_addresses.parse(f"somebody+{number}@example.hu") for number in range(limit + 2)]
    for number, address in enumerate(addresses):
        ask(address, "hu", source=f"2001:db8:1:2::{number:x}")
    assert [world.told("reset_unknown", address.typed) for address in addresses] == [1] * limit + [0, 0]
    ask(ANNA.address, "hu", source="2001:db8:1:2::1")
    ask(ESZTER.address, "hu", source="2001:db8:1:3::1")
    assert (world.told("reset", ANNA.email), world.told("reset_unknown", ESZTER.email)) == (1, 1)
    world.clock.advance(hours=1)
    ask(addresses[-1], "hu", source="2001:db8:1:2::1")
    assert world.told("reset_unknown", addresses[-1].typed) == 1


def test_one_address_gets_four_links_an_hour_and_the_newest_stays_good(anna: World) -> None:
    for _ in range(9):
        anna.password_changes.ask_for_reset(ANNA.address, "hu")
        anna.clock.advance(minutes=1)
        anna.deliver()
    assert anna.told("reset", ANNA.email) == 4
    assert outcome_of(anna.password_changes.reset, anna.mailed_id("reset", ANNA.email), OTHER_PASSWORD) == "ok"
    anna.clock.advance(hours=1)
    anna.reset_link(ANNA)
    assert anna.told("reset", ANNA.email) == 5


def test_a_link_opens_its_own_account_alone(anna: World) -> None:
    anna.registered(CROWD[0])
    link = anna.reset_link(CROWD[0])
    assert outcome_of(anna.password_changes.reset, link, OTHER_PASSWORD) == "ok"
    assert anna.comes_in(ANNA, PASSWORD) == "ok"
    assert anna.comes_in(CROWD[0], OTHER_PASSWORD) == "ok"
