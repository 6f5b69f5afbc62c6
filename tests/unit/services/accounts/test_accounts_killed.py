"""The process is killed between any two statements, and at named points: an account changes wholly or not at all."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from services.store.engine import Store
from services.store.tables.accounts import sessions
from services.store.tables.limits import allowances, sign_in_tries
from services.store.tables.registrations import registrations
from tests.world.cast import ANNA, ESZTER, LAPTOP, OTHER_PASSWORD, PASSWORD, PHONE
from tests.world.outcomes import said
from tests.world.victims import Victims
from tests.world.world import House, move_in

NEW_MOBILE = "+36209998877"
TRIES = (sign_in_tries, allowances)
"""Counts of tries are committed before anything else: they may be ahead of the rest."""


@dataclass(frozen=True)
class Verb:
    """A verb of an account and what it is given, made for a house in which Anna has an account for a day."""

    service: str
    name: str
    arguments: Callable[[House], tuple[Any, ...]]
    crash_at: str = ""


def _to_change_email(house: House) -> tuple[str]:
    house.email_changes.ask_for_email(house.signed_in(ANNA), PASSWORD, ESZTER.address)
    return (house.mailed_id("email", ESZTER.email),)


def _to_change_mobile(house: House) -> tuple[Any, str]:
    session = house.signed_in(ANNA)
    house.mobile_changes.ask_for_mobile(session, PASSWORD, NEW_MOBILE)
    return session, house.code_sent(NEW_MOBILE)


VERBS = (
    Verb("sign_ins", "sign_in", lambda house: (ANNA.address.key, PASSWORD, LAPTOP), "accounts.signed_in"),
    Verb("devices", "end_others", lambda house: (house.signed_in(ANNA),)),
    Verb(
        "password_changes",
        "change",
        lambda house: (house.signed_in(ANNA), PASSWORD, OTHER_PASSWORD),
        "accounts.password_changed",
    ),
    Verb("password_changes", "ask_for_reset", lambda house: (ANNA.address, "hu")),
    Verb(
        "password_changes", "reset", lambda house: (house.reset_link(ANNA), OTHER_PASSWORD), "accounts.password_reset"
    ),
    Verb("email_changes", "ask_for_email", lambda house: (house.signed_in(ANNA), PASSWORD, ESZTER.address)),
    Verb("email_changes", "confirm_email", _to_change_email, "accounts.email_changed"),
    Verb("mobile_changes", "ask_for_mobile", lambda house: (house.signed_in(ANNA), PASSWORD, NEW_MOBILE)),
    Verb("mobile_changes", "confirm_mobile", _to_change_mobile),
    Verb("account_details", "close", lambda house: (house.signed_in(ANNA), PASSWORD), "accounts.closed"),
)


@pytest.fixture
def anna(house: House) -> House:
    """A house in which Anna has had an account for a day, and is signed in somewhere."""
    return _with_account(house)


@pytest.fixture
def anna_on_sqlite(sqlite_store: Store) -> House:
    """The same on SQLite alone: that a transaction is whole or absent there is seen hundreds of times."""
    move_in(sqlite_store)
    return _with_account(House(sqlite_store))


def _with_account(house: House) -> House:
    house.registered(ANNA)
    house.clock.advance(days=1)
    house.signed_in(ANNA, PHONE)
    return house


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_killed_between_any_two_statements_nothing_has_happened_and_it_can_be_done(
    victims: Victims, anna_on_sqlite: House, verb: Verb
) -> None:
    anna = anna_on_sqlite
    arguments = verb.arguments(anna)
    anna.deliver()
    before, statements = anna.everything(*TRIES), 0
    take = partial(victims.take, anna, verb.service, verb.name, *arguments)
    while (answer := take(statements=statements)) == "killed":
        assert anna.everything(*TRIES) == before, statements
        statements += 1
        _forgive(anna)  # each of them has counted as a failure, which is right
    assert answer == "ok"
    assert statements >= 2
    assert anna.everything(*TRIES) != before


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb.crash_at], ids=lambda verb: verb.name)
def test_killed_before_the_answer_all_of_it_has_happened(victims: Victims, anna: House, verb: Verb) -> None:
    arguments = verb.arguments(anna)
    anna.deliver()
    anna.postman.letters.clear()
    opened = anna.count(sessions)
    take = partial(victims.take, anna, verb.service, verb.name, *arguments)
    assert take(crash_at=verb.crash_at) == "killed"
    account = next(iter(anna.accounts()), None)
    if verb.name == "sign_in":
        assert anna.count(sessions) == opened + 1
        assert anna.told("new_device", ANNA.email) == 1
    elif verb.name in ("change", "reset"):
        assert (anna.comes_in(ANNA, PASSWORD), anna.comes_in(ANNA, OTHER_PASSWORD)) == ("login.failed", "ok")
        assert anna.told("password_changed", ANNA.email) == 1
        # The same change sent again by the session that made it is done already; a link has been used up.
        assert (take() == "ok") is (verb.name == "change")
        assert anna.told("password_changed", ANNA.email) == 1
    elif verb.name == "confirm_email":
        assert account is not None
        assert (account.email, account.email_key) == (ESZTER.email, ESZTER.address.key)
        assert take() == "dead_link"
    else:
        assert account is None
        assert anna.count(sessions) == anna.count(registrations) == 0
        assert anna.told("account_closed", ANNA.email) == 1


def test_killed_after_every_try_the_tries_of_guessers_are_kept(victims: Victims, anna: House) -> None:
    tries = anna.profile.sign_in.tries
    take = partial(victims.take, anna, "sign_ins", "sign_in", ANNA.address.key, "not the password", LAPTOP)
    for _ in range(tries):
        assert take(crash_at="accounts.tried") == "killed"
    assert take() == "login.wait"
    assert anna.comes_in(ANNA, PASSWORD, LAPTOP) == "login.wait"
    assert said(anna.sign_ins.sign_in, ANNA.address.key, PASSWORD, PHONE) == "ok", "a known browser is not touched"


def _forgive(house: House) -> None:
    with house.store.write() as connection:
        connection.execute(sign_in_tries.delete())
