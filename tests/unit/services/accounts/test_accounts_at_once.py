"""Many at once on one account, each in a thread: one has its way, nothing waits in a circle, no error is seen."""

from collections import Counter
from functools import partial
from unittest.mock import Mock

import pytest

from services.sessions import Device
from services.store.tables.accounts import account_changes, accounts, sessions
from services.store.tables.codes import one_time_codes
from tests.world.cast import ANNA, CROWD, ESZTER, LAPTOP, OTHER_PASSWORD, PASSWORD, PHONE
from tests.world.outcomes import at_once, only_answers, outcome_of
from tests.world.world import World

NEW_MOBILE = "+36209998877"


def test_of_fifty_wrong_passwords_at_once_the_free_ones_are_looked_at(anna: World, compared: Mock) -> None:
    tries = anna.profile.sign_in.tries
    devices = [Device(f"mark-number-{n:09}", "", f"192.0.2.{n}") for n in range(50)]
    found = at_once([partial(anna.comes_in, ANNA, "not the password", device) for device in devices])
    assert Counter(found) == {"login.failed": tries, "login.wait": 50 - tries}
    assert compared.call_count == tries


def test_of_present_passwords_at_once_the_free_ones_are_looked_at(anna: World, compared: Mock) -> None:
    session, tries = anna.signed_in(ANNA), anna.profile.sign_in.tries
    compared.reset_mock()
    found = at_once([partial(outcome_of, anna.account_details.close, session, "not the password")] * 20)
    assert Counter(found) == {"current_password.wrong": tries, "current_password.wait": 20 - tries}
    assert compared.call_count == tries


def test_one_link_eight_times_at_once_sets_one_password(anna: World) -> None:
    link = anna.reset_link(ANNA)
    passwords = [f"{OTHER_PASSWORD}{number}" for number in range(8)]
    found = at_once([partial(outcome_of, anna.password_changes.reset, link, password) for password in passwords])
    assert Counter(found) == {"ok": 1, "dead_link": 7}
    right = passwords[found.index("ok")]
    assert anna.comes_in(ANNA, right) == "ok"
    assert anna.told("password_changed", ANNA.email) == 1


def test_of_changes_at_once_one_has_its_way(anna: World) -> None:
    sessions_ = [anna.signed_in(ANNA, device) for device in (PHONE, LAPTOP) * 2]
    passwords = [f"{OTHER_PASSWORD}{number}" for number in range(4)]
    calls = zip(sessions_, passwords, strict=True)
    found = at_once([partial(outcome_of, anna.password_changes.change, s, PASSWORD, new) for s, new in calls])
    assert Counter(found) == {"ok": 1, "signed_out": 3}
    winner = found.index("ok")
    assert anna.comes_in(ANNA, passwords[winner]) == "ok"
    assert [anna.session_of(session).ended_by for session in sessions_].count(None) == 1
    assert anna.session_of(sessions_[winner]).ended_by is None


def test_of_changes_in_two_windows_of_one_session_the_second_is_told_when(anna: World) -> None:
    session = anna.signed_in(ANNA)
    change = anna.password_changes.change
    found = at_once([partial(outcome_of, change, session, PASSWORD, f"{OTHER_PASSWORD}{n}") for n in range(3)])
    assert Counter(found) == {"ok": 1, "password.too_soon": 2}
    assert anna.session_of(session).ended_by is None


def test_a_change_that_is_sent_twice_is_done_for_both(anna: World) -> None:
    """A double click without scripts: the browser shows the second answer, and holds what it brings."""
    session = anna.signed_in(ANNA)
    anna.deliver()
    tokens: list[str] = []
    change = partial(anna.password_changes.change, session, PASSWORD, OTHER_PASSWORD)
    assert at_once([partial(outcome_of, lambda: tokens.append(change()))] * 3) == ["ok"] * 3
    holds = [token for token in tokens if anna.sign_ins.resume(token)]
    assert len(holds) == 1
    assert anna.told("password_changed", ANNA.email) == 1


@pytest.mark.parametrize("round_", range(4))
def test_a_sign_in_with_the_old_password_survives_no_reset(anna: World, round_: int) -> None:
    link = anna.reset_link(ANNA)
    devices = [Device(f"mark-number-{n:09}", "", f"192.0.2.{n}") for n in range(4)]
    sign_ins = [partial(outcome_of, anna.sign_ins.sign_in, ANNA.address.key, PASSWORD, device) for device in devices]
    reset = partial(outcome_of, anna.password_changes.reset, link, OTHER_PASSWORD)
    found = at_once([*sign_ins[:2], reset, *sign_ins[2:]])
    assert found[2] == "ok"
    assert set(found) <= {"ok", "login.failed"}
    assert {row.ended_by for row in anna.rows(sessions)} <= {"elsewhere"}


@pytest.mark.parametrize("round_", range(2))
def test_everything_that_changes_one_account_takes_turns(anna: World, round_: int) -> None:
    """On PostgreSQL statements that take the same rows in different orders wait for each other for good."""
    session, other = anna.signed_in(ANNA), anna.signed_in(ANNA, LAPTOP)
    emails, mobiles, passwords = anna.email_changes, anna.mobile_changes, anna.password_changes
    emails.ask_for_email(session, PASSWORD, ESZTER.address)
    mobiles.ask_for_mobile(session, PASSWORD, NEW_MOBILE)
    code, link = anna.code_sent(NEW_MOBILE), anna.mailed_id("email", ESZTER.email)
    reset = anna.reset_link(ANNA)
    anna.clock.advance(minutes=1)
    only_answers(
        at_once(
            [
                partial(passwords.change, session, PASSWORD, OTHER_PASSWORD),
                partial(passwords.reset, reset, f"{OTHER_PASSWORD}2"),
                partial(emails.confirm_email, link),
                partial(mobiles.confirm_mobile, session, code),
                partial(mobiles.resend_code, other),
                partial(passwords.ask_for_reset, ANNA.address, "hu"),
                partial(emails.ask_for_email, other, PASSWORD, CROWD[0].address),
                partial(mobiles.ask_for_mobile, other, PASSWORD, "+36201112233"),
                partial(anna.devices.end_others, session),
                partial(anna.sign_ins.sign_in, ANNA.address.key, PASSWORD, LAPTOP),
            ]
        )
    )
    assert len(anna.rows(accounts)) == 1


@pytest.mark.parametrize("round_", range(3))
def test_closing_at_once_with_everything_else_leaves_nothing_behind(anna: World, round_: int) -> None:
    session, other = anna.signed_in(ANNA), anna.signed_in(ANNA, LAPTOP)
    found = at_once(
        [
            partial(anna.sign_ins.sign_in, ANNA.address.key, PASSWORD, PHONE),
            partial(anna.password_changes.ask_for_reset, ANNA.address, "hu"),
            partial(anna.account_details.close, session, PASSWORD),
            partial(anna.email_changes.ask_for_email, other, PASSWORD, ESZTER.address),
            partial(anna.sign_ins.sign_in, ANNA.address.key, PASSWORD, LAPTOP),
            partial(anna.account_details.close, other, PASSWORD),
        ]
    )
    only_answers(found)
    assert [found[2], found[5]].count(None) == 1
    assert anna.count(accounts) == anna.count(sessions) == anna.count(account_changes) == 0
    assert anna.told("account_closed", ANNA.email) == 1


def test_a_confirmed_address_and_a_registration_of_it_at_once(anna: World) -> None:
    session = anna.signed_in(ANNA)
    anna.email_changes.ask_for_email(session, PASSWORD, ESZTER.address)
    link = anna.mailed_id("email", ESZTER.email)
    access = anna.accepted(ESZTER)
    confirm = partial(outcome_of, anna.email_changes.confirm_email, link)
    complete = partial(outcome_of, anna.registrations.completion.complete, access, PASSWORD)
    found = at_once([confirm, complete, confirm])
    assert found[1] in ("ok", "email.taken")
    expected = {"email.taken"} if found[1] == "ok" else {"ok", "dead_link"}
    assert {found[0], found[2]} == expected
    assert [row.email_key for row in anna.accounts()].count(ESZTER.address.key) == 1


def test_codes_asked_for_at_once_make_one_sms(anna: World) -> None:
    session = anna.signed_in(ANNA)
    ask = anna.mobile_changes.ask_for_mobile
    found = at_once([partial(outcome_of, ask, session, PASSWORD, f"+3620999887{n}") for n in range(3)])
    assert found.count("ok") == 1
    assert len(anna.letters("sms")) == 1 + 1, "the registration's and this one"
    (code,) = anna.rows(one_time_codes)
    (change,) = anna.rows(account_changes)
    assert (code.registration_id, code.mobile) == (change.id, change.value)
