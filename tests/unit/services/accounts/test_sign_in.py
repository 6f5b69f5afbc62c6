"""Signing in, sessions and changed terms, by the services' own doors (security.md, Sign-in and session)."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy import event

from services.refusal import Refusal
from services.sessions import Device
from services.store.engine import Store
from services.store.tables.accounts import accounts, sessions
from services.store.tables.audit import audit
from tests.world.cast import ANNA, CROWD, ESZTER, LAPTOP, OTHER_PASSWORD, PASSWORD, PHONE, Customer
from tests.world.outcomes import outcome_of
from tests.world.world import PROFILE, World, move_in

RULES = PROFILE.sign_in
FEW_A_SOURCE = RULES.model_copy(update={"source_tries": 10})


@pytest.fixture
def anna(world: World) -> World:
    """A world in which Anna has just opened an account: the mails of her registration still count."""
    world.registered(ANNA)
    return world


@pytest.fixture
def crowded(store: Store) -> World:
    """A world that hears fewer failures from one source, with Anna's account."""
    move_in(store)
    world = World(store, profile=PROFILE.model_copy(update={"sign_in": FEW_A_SOURCE}))
    world.registered(ANNA)
    return world


def wait_of(world: World, person: Customer, device: Device = LAPTOP) -> datetime | None:
    """Try once more in vain; return until when to wait, or None when the try was looked at."""
    with pytest.raises(Refusal) as refused:
        world.sign_ins.sign_in(person.address.key, "not the password", device)
    assert refused.value.reason in ("failed", "wait")
    at: datetime | None = refused.value.facts.get("at")
    return at


# --- One answer for every failure --------------------------------------------------------------------------------


def test_the_right_password_opens_a_session(anna: World) -> None:
    session = anna.signed_in(ANNA)
    assert (session.account.kutid, session.account.name, session.device) == (ANNA.kutid, ANNA.name, PHONE.name)
    assert session.ended_by is None
    assert PASSWORD not in repr(session)
    assert "whole:" not in repr(session)


@pytest.mark.parametrize(
    ("key", "password"),
    [
        (ANNA.email, "not the password"),
        (ANNA.email, PASSWORD.lower()),
        (ANNA.email, f"{PASSWORD} "),
        (ANNA.email, ""),
        (ESZTER.email, PASSWORD),
        ("nobody at all", PASSWORD),
        ("", PASSWORD),
    ],
)
def test_every_failure_has_one_answer_and_costs_one_comparison(
    anna: World, compared: Mock, key: str, password: str
) -> None:
    before = anna.count(sessions)
    with pytest.raises(Refusal) as refused:
        anna.sign_ins.sign_in(key, password, PHONE)
    assert (refused.value.field, refused.value.reason, refused.value.facts) == ("login", "failed", {})
    assert compared.call_count == 1
    assert anna.count(sessions) == before


def test_a_failure_makes_the_same_statements_for_known_and_unknown_addresses(anna: World) -> None:
    made: list[str] = []
    event.listen(anna.store.engine, "before_cursor_execute", note := lambda *found: made.append(found[2]))
    try:
        for person, password in ((ANNA, "not the password"), (ESZTER, PASSWORD)):
            made.append(person.kutid)
            assert anna.comes_in(person, password) == "login.failed"
    finally:
        event.remove(anna.store.engine, "before_cursor_execute", note)
    place = made.index(ESZTER.kutid)
    assert made[1:place] == made[place + 1 :]
    assert place > 2


def test_a_password_longer_than_any_is_not_hashed_whoever_it_is_for(anna: World, compared: Mock) -> None:
    for person in (ANNA, ESZTER):
        assert anna.comes_in(person, "x" * (anna.profile.password.max_length + 1)) == "login.failed"
    assert not compared.called


def test_passwords_are_compared_whole_and_in_one_normal_form(world: World) -> None:
    access = world.accepted(ANNA)
    world.registrations.completion.complete(access, "Árvíztűrő 7 " + "a" * 400)
    for wrong in ("Árvíztűrő 7 " + "a" * 399, "Árvíztűrő 7 " + "a" * 399 + "b"):
        assert world.comes_in(ANNA, wrong) == "login.failed"
    decomposed = "A\u0301rvi\u0301ztu\u030bro\u030b\u00a07\u00a0" + "a" * 400
    assert world.comes_in(ANNA, decomposed) == "ok"


# --- Growing waits -----------------------------------------------------------------------------------------------


def test_waits_begin_after_the_free_tries_double_and_end_by_themselves(anna: World, compared: Mock) -> None:
    anna.fail(ANNA, RULES.tries)
    expected = [RULES.first_wait * 2**power for power in range(6)] + [RULES.longest_wait] * 3
    assert expected[5] < RULES.longest_wait < expected[5] * 2
    for wait in expected:
        evaluated = compared.call_count
        assert wait_of(anna, ANNA) == anna.clock.now() + wait
        assert anna.comes_in(ANNA, PASSWORD, PHONE) == "login.wait", "the right one is not looked at either"
        assert compared.call_count == evaluated, "what comes during a wait is not looked at"
        anna.clock.advance(seconds=wait.total_seconds() - 0.01)
        assert wait_of(anna, ANNA) is not None
        anna.clock.advance(seconds=0.01)
        assert wait_of(anna, ANNA) is None
    anna.clock.advance(seconds=RULES.longest_wait.total_seconds())
    assert anna.comes_in(ANNA, PASSWORD) == "ok"


def test_whoever_tries_whenever_it_is_allowed_tries_less_than_a_hundred_times_a_day(
    sqlite_store: Store, compared: Mock
) -> None:
    move_in(sqlite_store)
    anna = World(sqlite_store)
    anna.registered(ANNA)
    end = anna.clock.now() + timedelta(days=1)
    while anna.clock.now() < end:
        wait = wait_of(
            anna, ANNA, Device(f"a-new-mark-{compared.call_count:09}", "", f"2001:db8:{compared.call_count:x}::1")
        )
        if wait is not None:
            anna.clock.moment = wait
    assert 50 < compared.call_count < 100


def test_an_address_without_an_account_waits_alike(anna: World) -> None:
    anna.fail(ESZTER, RULES.tries)
    assert wait_of(anna, ESZTER) == anna.clock.now() + RULES.first_wait


def test_a_success_forgets_the_slips_before_it(anna: World) -> None:
    for number in range(3):
        anna.fail(ANNA, RULES.tries - 1)
        assert anna.comes_in(ANNA, PASSWORD, Device(f"new-mark-{number:09}", "", "192.0.2.1")) == "ok"


def test_slips_of_yesterday_are_forgotten(anna: World) -> None:
    anna.fail(ANNA, RULES.tries)
    anna.clock.advance(hours=RULES.forgotten_hours)
    anna.fail(ANNA, RULES.tries)


def test_a_free_try_is_looked_at_though_another_was_counted_a_moment_later(anna: World) -> None:
    """Of two at once, one may read the clock first and be counted second."""
    anna.fail(ANNA, 1)
    anna.clock.advance(milliseconds=-7)
    anna.fail(ANNA, 1)
    anna.clock.advance(milliseconds=-7)
    assert anna.comes_in(ANNA, PASSWORD) == "ok"


def test_one_source_waits_too_whomever_it_tries(crowded: World) -> None:
    for number in range(FEW_A_SOURCE.source_tries):
        key = f"somebody{number}@example.hu"
        assert outcome_of(crowded.sign_ins.sign_in, key, PASSWORD, LAPTOP) == "login.failed"
    assert wait_of(crowded, ESZTER) == crowded.clock.now() + RULES.first_wait
    assert crowded.comes_in(ANNA, PASSWORD, LAPTOP) == "login.wait"
    assert crowded.comes_in(ANNA, PASSWORD, PHONE) == "ok", "another source is not stopped"
    crowded.clock.advance(seconds=RULES.first_wait_seconds)
    assert crowded.comes_in(ESZTER, PASSWORD, LAPTOP) == "login.failed"
    assert wait_of(crowded, CROWD[0]) == crowded.clock.now() + RULES.first_wait * 2
    crowded.clock.advance(seconds=RULES.first_wait_seconds * 2)
    assert crowded.comes_in(ANNA, PASSWORD, LAPTOP) == "ok"


@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "192.0.2.1:50001", True),
        ("[2001:db8:1:2::1]:50001", "2001:db8:1:2::2", True),
        ("[2001:db8:1:2::1]", "2001:db8:1:3::2", False),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::1", "::2", True),
        ("somewhere", "somewhere", True),
    ],
)
def test_a_source_is_what_one_household_holds(crowded: World, first: str, second: str, is_one: bool) -> None:
    for number in range(FEW_A_SOURCE.source_tries):
        outcome_of(crowded.sign_ins.sign_in, f"{number}", PASSWORD, Device("m", "", first))
    assert crowded.comes_in(ANNA, PASSWORD, Device("m", "", second)) == ("login.wait" if is_one else "ok")


def test_a_network_does_not_pay_for_the_slips_of_weeks(crowded: World) -> None:
    """Somebody of the thousands behind one address mistypes every day."""
    every = timedelta(hours=RULES.forgotten_hours) / (FEW_A_SOURCE.source_tries - 1)
    for number in range(FEW_A_SOURCE.source_tries * 5):
        assert outcome_of(crowded.sign_ins.sign_in, f"{number}@example.hu", PASSWORD, LAPTOP) == "login.failed"
        crowded.clock.moment += every
    assert crowded.comes_in(ANNA, PASSWORD, LAPTOP) == "ok"


# --- Nobody is locked out ----------------------------------------------------------------------------------------


def test_a_known_browser_is_not_stopped_by_failures_elsewhere(anna: World) -> None:
    anna.signed_in(ANNA, PHONE)
    anna.fail(ANNA, RULES.tries)
    assert wait_of(anna, ANNA)
    assert anna.comes_in(ANNA, PASSWORD, PHONE) == "ok"
    assert wait_of(anna, ANNA), "and its success ends no wait of others"


def test_a_known_browser_waits_by_a_count_of_its_own(anna: World) -> None:
    anna.signed_in(ANNA, PHONE)
    anna.fail(ANNA, RULES.tries, PHONE)
    assert wait_of(anna, ANNA, PHONE)
    assert anna.comes_in(ANNA, PASSWORD, LAPTOP) == "ok"
    assert wait_of(anna, ANNA, PHONE)


def test_a_mark_known_to_one_account_counts_nothing_for_another(anna: World) -> None:
    anna.registered(ESZTER)
    anna.signed_in(ESZTER, LAPTOP)
    anna.fail(ANNA, RULES.tries, LAPTOP)
    assert wait_of(anna, ANNA, Device("another-mark-at-all", "", "192.0.2.77"))


def test_a_known_browser_is_not_stopped_by_others_on_its_network(crowded: World) -> None:
    """Thousands of phones share one address of their operator."""
    crowded.signed_in(ANNA, PHONE)
    for number in range(FEW_A_SOURCE.source_tries):
        outcome_of(crowded.sign_ins.sign_in, f"{number}", PASSWORD, Device("a-strangers-mark", "", PHONE.source))
    assert crowded.comes_in(ANNA, PASSWORD, Device("yet-another-mark", "", PHONE.source)) == "login.wait"
    assert crowded.comes_in(ANNA, PASSWORD, PHONE) == "ok"


def test_the_mailed_link_gets_in_while_somebody_fails_on_purpose(crowded: World) -> None:
    for number in range(FEW_A_SOURCE.source_tries):
        outcome_of(crowded.sign_ins.sign_in, f"{number}", PASSWORD, Device("a-strangers-mark", "", PHONE.source))
    crowded.fail(ANNA, RULES.tries)
    proof = crowded.password_changes.reset(crowded.reset_link(ANNA), OTHER_PASSWORD)
    crowded.fail(ANNA, RULES.tries)
    assert wait_of(crowded, ANNA)
    assert crowded.comes_in(ANNA, OTHER_PASSWORD) == "login.wait"
    token = crowded.sign_ins.sign_in(ANNA.address.key, OTHER_PASSWORD, PHONE, reset_here=proof)
    assert crowded.session(token).ended_by is None


def test_who_came_by_the_mailed_link_still_guesses_no_faster(anna: World) -> None:
    proof = anna.password_changes.reset(anna.reset_link(ANNA), OTHER_PASSWORD)
    answers = [
        outcome_of(anna.sign_ins.sign_in, ANNA.address.key, PASSWORD, Device(f"mark-{n:020}", "", f"192.0.2.{n}"),
             reset_here=proof)
        for n in range(RULES.tries + 2)
    ]  # fmt: skip
    assert answers == ["login.failed"] * RULES.tries + ["login.wait"] * 2
    answer = outcome_of(anna.sign_ins.sign_in, ANNA.address.key, PASSWORD, LAPTOP, reset_here="something else")
    assert answer == "login.failed"


# --- Sessions ----------------------------------------------------------------------------------------------------


def test_a_session_ends_when_it_is_idle(anna: World) -> None:
    token = anna.sign_ins.sign_in(ANNA.address.key, PASSWORD, PHONE)
    for _ in range(3):
        anna.clock.advance(seconds=RULES.idle.total_seconds() - 1)
        seen = anna.sign_ins.resume(token)
        assert seen is not None
        assert (seen.ended_by, seen.over_at) == (None, anna.clock.now() + RULES.idle)
    anna.clock.advance(seconds=RULES.idle.total_seconds())
    seen = anna.sign_ins.resume(token)
    assert seen is not None
    assert seen.ended_by == "idle"
    anna.clock.advance(seconds=-RULES.idle.total_seconds() / 2)
    assert anna.session(token).over_at > anna.clock.now(), "being asked for afterwards did not prolong it"


def test_being_looked_at_does_not_prolong_a_session(anna: World) -> None:
    token = anna.sign_ins.sign_in(ANNA.address.key, PASSWORD, PHONE)
    over_at = anna.session(token).over_at
    anna.clock.advance(minutes=5)
    seen = anna.sign_ins.resume(token, is_activity=False)
    assert seen is not None
    assert seen.over_at == over_at
    seen = anna.sign_ins.resume(token)
    assert seen is not None
    assert seen.over_at == over_at + timedelta(minutes=5)


def test_a_session_ends_however_busy_it_is(anna: World) -> None:
    token = anna.sign_ins.sign_in(ANNA.address.key, PASSWORD, PHONE)
    end = anna.clock.now() + RULES.longest
    while anna.clock.now() + timedelta(minutes=10) < end:
        anna.clock.advance(minutes=10)
        seen = anna.sign_ins.resume(token)
        assert seen is not None
        assert seen.ended_by is None
        assert seen.over_at <= end
    anna.clock.moment = end
    seen = anna.sign_ins.resume(token)
    assert seen is not None
    assert seen.ended_by == "absolute"


def test_reading_on_writes_once_a_minute_at_most(anna: World) -> None:
    token = anna.sign_ins.sign_in(ANNA.address.key, PASSWORD, PHONE)
    before = anna.rows(sessions)
    for _ in range(5):
        anna.clock.advance(seconds=11)
        anna.sign_ins.resume(token)
        assert anna.rows(sessions) == before
    anna.clock.advance(seconds=11)
    anna.sign_ins.resume(token)
    assert anna.rows(sessions) != before


def test_only_the_secrets_hash_is_kept_and_a_made_up_one_opens_nothing(anna: World) -> None:
    token = anna.sign_ins.sign_in(ANNA.address.key, PASSWORD, PHONE)
    kept = repr(anna.everything())
    assert token not in kept
    assert PHONE.mark not in kept
    assert PHONE.source not in kept
    (row,) = anna.rows(sessions)
    for other in (row.token_hash, row.id, token[:-1], token.swapcase(), "", "x" * 10_000):
        assert anna.sign_ins.resume(other) is None


def test_every_sign_in_has_a_session_of_its_own(anna: World) -> None:
    tokens = [anna.sign_ins.sign_in(ANNA.address.key, PASSWORD, PHONE) for _ in range(2)]
    assert len({*tokens, *(anna.session(token).id for token in tokens)}) == 4


def test_signing_in_again_ends_the_session_that_the_browser_held(anna: World) -> None:
    """ASVS 7.2.4: a re-authentication ends the session token that was there."""
    anna.registered(ESZTER)
    held = anna.sign_ins.sign_in(ANNA.address.key, PASSWORD, PHONE)
    assert outcome_of(anna.sign_ins.sign_in, ESZTER.address.key, "not the password", PHONE, held=held) == "login.failed"
    assert anna.session(held).ended_by is None
    anna.sign_ins.sign_in(ESZTER.address.key, PASSWORD, PHONE, held=held)
    assert anna.session(held).ended_by == "signed_out"


def test_signing_out_ends_one_session_and_a_saved_secret_is_worth_nothing(anna: World) -> None:
    tokens = [anna.sign_ins.sign_in(ANNA.address.key, PASSWORD, device) for device in (PHONE, LAPTOP)]
    anna.sign_ins.sign_out(anna.session(tokens[0]))
    assert [anna.session(token).ended_by for token in tokens] == ["signed_out", None]


def test_one_session_or_all_others_can_be_ended(anna: World) -> None:
    tokens = [anna.sign_ins.sign_in(ANNA.address.key, PASSWORD, device) for device in (PHONE, LAPTOP) * 2]
    own, *others = [anna.session(token) for token in tokens]
    anna.devices.end(own, others[0].id)
    assert [anna.session(token).ended_by for token in tokens] == [None, "elsewhere", None, None]
    assert {place.id for place in anna.devices.places(own).open} == {own.id, others[1].id, others[2].id}
    anna.devices.end_others(own)
    assert [anna.session(token).ended_by for token in tokens] == [None, "elsewhere", "elsewhere", "elsewhere"]
    assert [place.id for place in anna.devices.places(own).open] == [own.id]
    assert len(anna.devices.places(own).last) == 4


def test_nobody_ends_a_session_of_somebody_else(anna: World) -> None:
    anna.registered(ESZTER)
    token = anna.sign_ins.sign_in(ESZTER.address.key, PASSWORD, LAPTOP)
    own = anna.signed_in(ANNA)
    anna.devices.end(own, anna.session(token).id)
    anna.devices.end_others(own)
    assert anna.session(token).ended_by is None


def test_the_last_sign_ins_are_the_newest_five(anna: World) -> None:
    for number in range(7):
        anna.clock.advance(minutes=1)
        own = anna.signed_in(ANNA, Device(f"mark-number-{number:09}", f"Browser {number}", "192.0.2.1"))
    assert [place.device for place in anna.devices.places(own).last] == [f"Browser {n}" for n in (6, 5, 4, 3, 2)]


ENDINGS: dict[str, Callable[[World, Any], None]] = {
    "signed out": lambda world, session: world.sign_ins.sign_out(session),
    "ended elsewhere": lambda world, session: world.devices.end_others(world.signed_in(ANNA, LAPTOP)),
    "idle": lambda world, session: world.clock.advance(seconds=RULES.idle.total_seconds()),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_session_that_ended_meanwhile_changes_nothing(
    world: World, ending: str, store: Store, tmp_path: Path
) -> None:
    """What a request read before the end must not count after it."""
    world = World(store, published=tmp_path / "terms")
    world.registered(ANNA)
    world.clock.advance(days=1)
    world.terms.publish("new", world.clock.now())
    world.changed_terms.open_terms(opening := world.signed_in(ANNA), "new")
    world.mobile_changes.ask_for_mobile(opening, PASSWORD, "+36209998877")
    world.clock.advance(minutes=2)
    other = world.signed_in(ANNA, Device("a-mark-that-stays-on", "", "192.0.2.44"))
    session = world.signed_in(ANNA)
    world.changed_terms.open_terms(session, "new")
    code = world.code_sent("+36209998877")
    ENDINGS[ending](world, session)
    before = world.everything()
    emails, mobiles = world.email_changes, world.mobile_changes
    verbs: dict[str, Callable[[], Any]] = {
        "end": partial(world.devices.end, session, other.id),
        "end others": partial(world.devices.end_others, session),
        "speak": partial(world.sign_ins.speak, session, "en"),
        "accept terms": partial(world.changed_terms.accept_terms, session),
        "change password": partial(world.password_changes.change, session, PASSWORD, OTHER_PASSWORD),
        "ask for email": partial(emails.ask_for_email, session, PASSWORD, ESZTER.address),
        "ask for mobile": partial(mobiles.ask_for_mobile, session, PASSWORD, "+36201112233"),
        "resend code": partial(mobiles.resend_code, session),
        "confirm mobile": partial(mobiles.confirm_mobile, session, code),
        "drop mobile": partial(mobiles.drop_mobile_change, session),
        "close": partial(world.account_details.close, session, PASSWORD),
    }
    assert {name: outcome_of(verb) for name, verb in verbs.items()} == dict.fromkeys(verbs, "signed_out")
    world.changed_terms.open_terms(session, "another")
    world.sign_ins.sign_out(session)
    after = world.everything()
    assert {name for name, rows in after.items() if rows != before[name]} <= {"sessions", "sign_in_tries"}
    assert len(world.rows(accounts)) == 1


def test_what_was_typed_travels_into_the_new_session(anna: World) -> None:
    token = anna.sign_ins.sign_in(ANNA.address.key, PASSWORD, PHONE, kept={"email": "uj@example.hu"})
    assert anna.session(token).kept == {"email": "uj@example.hu"}
    assert anna.signed_in(ANNA).kept is None


# --- What is told ------------------------------------------------------------------------------------------------


def test_a_new_device_is_told_once_and_the_registering_one_never(world: World) -> None:
    access = world.registered(ANNA)
    here = partial(world.sign_ins.sign_in, ANNA.address.key, PASSWORD, registered_here=access.registration_id)
    here(PHONE)
    assert world.told("new_device", ANNA.email) == 0
    world.signed_in(ANNA, PHONE)
    assert world.told("new_device", ANNA.email) == 0, "it is known from now on"
    world.signed_in(ANNA, LAPTOP)
    assert world.told("new_device", ANNA.email) == 1
    (letter,) = (letter for letter in world.letters("email", ANNA.email) if LAPTOP.name in letter.text)
    assert "10:02" in letter.text, "the time in Budapest"
    assert letter.link == "https://belepo.example/sso/ForgotPassword"
    world.devices.end_others(world.signed_in(ANNA, PHONE))
    world.signed_in(ANNA, LAPTOP)
    assert world.told("new_device", ANNA.email) == 1, "a device stays known when its session was ended"
    assert world.comes_in(ANNA, "not the password", Device("a-third-device-now", "", "192.0.2.9")) == "login.failed"
    assert world.told("new_device", ANNA.email) == 1, "a failure tells nobody anything"


def test_another_registration_makes_no_browser_known(world: World) -> None:
    world.registered(ANNA)
    other = world.registered(ESZTER)
    world.sign_ins.sign_in(ANNA.address.key, PASSWORD, PHONE, registered_here=other.registration_id)
    assert world.told("new_device", ANNA.email) == 1


def test_a_device_without_a_name_is_told_in_words(anna: World) -> None:
    anna.signed_in(ANNA, Device("a-mark-without-name", "", "192.0.2.9"))
    assert any(
        anna.profile.texts.say("account.device.unknown", "hu") in letter.text
        for letter in anna.letters("email", ANNA.email)
    )


def test_new_devices_and_links_share_the_mails_of_an_hour_and_neither_keeps_the_other_away(anna: World) -> None:
    anna.clock.advance(hours=1)  # the mail of the registration counts no more
    kinds = ("new_device", "reset")

    def come_in(number: int) -> None:
        anna.signed_in(ANNA, Device(f"mark-number-{number:09}", "", "192.0.2.1"))

    def ask(_number: int) -> None:
        anna.password_changes.ask_for_reset(ANNA.address, "hu")
        anna.deliver()  # or the next one replaces it

    def told(*deeds: Callable[[int], None]) -> list[int]:
        before = [anna.told(kind, ANNA.email) for kind in kinds]
        for deed in deeds:
            for number in range(9):
                come = int(anna.clock.now().timestamp()) + number
                deed(come)
        after = [anna.told(kind, ANNA.email) for kind in kinds]
        anna.clock.advance(hours=1)
        return [now - then for now, then in zip(after, before, strict=True)]

    assert told(come_in, ask) == [4, 1]
    assert told(ask, come_in) == [1, 4]
    assert told(come_in) == [4, 0]


def test_six_mails_an_hour_to_one_address_hold_in_the_hour_of_the_registration(anna: World) -> None:
    for number in range(9):
        anna.signed_in(ANNA, Device(f"mark-number-{number:09}", "", "192.0.2.1"))
        anna.password_changes.ask_for_reset(ANNA.address, "hu")
        anna.deliver()
    assert len(anna.letters("email", ANNA.email)) == 6
    assert anna.told("registered", ANNA.email) == 1


# --- Changed terms (M24) -----------------------------------------------------------------------------------------


@pytest.fixture
def publishing(store: Store, tmp_path: Path) -> World:
    """A world in which terms can be published, with Anna's account."""
    move_in(store)
    world = World(store, published=tmp_path / "terms")
    world.registered(ANNA)
    world.clock.advance(hours=1)
    return world


def due(world: World, session: Any) -> str | None:
    terms = world.changed_terms.terms_due(session)
    return terms.version if terms else None


def test_changed_terms_are_asked_for_at_the_next_sign_in_and_once(publishing: World) -> None:
    world = publishing
    token = world.sign_ins.sign_in(ANNA.address.key, PASSWORD, PHONE)
    world.clock.advance(minutes=1)
    world.terms.publish("new", world.clock.now())
    world.clock.advance(minutes=1)
    assert due(world, world.session(token)) is None, "a session that was open goes on undisturbed"
    second = world.sign_ins.sign_in(ANNA.address.key, PASSWORD, PHONE)
    assert due(world, world.session(second)) == "new"
    assert outcome_of(world.changed_terms.accept_terms, world.session(second)) == "terms.not_opened"
    world.changed_terms.open_terms(world.session(second), "new")
    third = world.changed_terms.accept_terms(world.session(second))
    assert world.sign_ins.resume(second) is None, "a new id with new rights"
    accepted = world.session(third)
    assert due(world, accepted) is None
    assert (accepted.account.terms_version, accepted.account.terms_accepted_at) == ("new", world.clock.now())
    (row,) = world.rows(accounts)
    assert row.terms_hash == world.terms.in_force(world.clock.now()).hash
    assert due(world, world.signed_in(ANNA, LAPTOP)) is None, "asked once"
    assert [(row.action, row.facts) for row in world.rows(audit)] == [("terms_accepted", {"version": "new"})]


def test_a_version_that_replaced_the_opened_one_must_be_opened(publishing: World) -> None:
    world = publishing
    world.terms.publish("second", world.clock.now())
    world.clock.advance(minutes=1)
    token = world.sign_ins.sign_in(ANNA.address.key, PASSWORD, PHONE)
    world.changed_terms.open_terms(world.session(token), "second")
    world.clock.advance(minutes=1)
    world.terms.publish("third", world.clock.now())
    assert due(world, world.session(token)) == "third"
    assert outcome_of(world.changed_terms.accept_terms, world.session(token)) == "terms.replaced"
    world.changed_terms.open_terms(world.session(token), "third")
    assert due(world, world.session(world.changed_terms.accept_terms(world.session(token)))) is None


def test_after_accepting_one_version_the_session_is_not_asked_for_the_next(publishing: World) -> None:
    world = publishing
    open_one = world.sign_ins.sign_in(ANNA.address.key, PASSWORD, LAPTOP)
    world.terms.publish("second", world.clock.now() + timedelta(minutes=1))
    world.clock.advance(minutes=2)
    token = world.sign_ins.sign_in(ANNA.address.key, PASSWORD, PHONE)
    world.changed_terms.open_terms(world.session(token), "second")
    token = world.changed_terms.accept_terms(world.session(token))
    world.clock.advance(minutes=2)
    world.terms.publish("third", world.clock.now())
    world.clock.advance(minutes=2)
    assert due(world, world.session(token)) is None
    assert due(world, world.session(open_one)) is None, "nor one that was open before both"
    assert due(world, world.signed_in(ANNA, PHONE)) == "third"


def test_terms_that_are_not_in_force_yet_are_not_asked_for(publishing: World) -> None:
    world = publishing
    world.terms.publish("later", world.clock.now() + timedelta(days=1))
    assert due(world, world.signed_in(ANNA)) is None
    world.clock.advance(days=1)
    assert due(world, world.signed_in(ANNA)) == "later"
