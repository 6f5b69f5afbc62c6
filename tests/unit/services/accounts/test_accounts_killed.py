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
from tests.world.outcomes import outcome_of
from tests.world.victims import Victims
from tests.world.world import World, move_in

NEW_MOBILE = "+36209998877"
TRIES = (sign_in_tries, allowances)
"""Counts of tries are committed before anything else: they may be ahead of the rest."""


@dataclass(frozen=True)
class Verb:
    """A verb of an account and what it is given, made for a world in which Anna has an account for a day."""

    service: str
    name: str
    arguments: Callable[[World], tuple[Any, ...]]
    crash_at: str = ""


def _to_change_email(world: World) -> tuple[str]:
    world.email_changes.ask_for_email(world.signed_in(ANNA), PASSWORD, ESZTER.address)
    return (world.mailed_id("email", ESZTER.email),)


def _to_change_mobile(world: World) -> tuple[Any, str]:
    session = world.signed_in(ANNA)
    world.mobile_changes.ask_for_mobile(session, PASSWORD, NEW_MOBILE)
    return session, world.code_sent(NEW_MOBILE)


VERBS = (
    Verb("sign_ins", "sign_in", lambda world: (ANNA.address.key, PASSWORD, LAPTOP), "accounts.signed_in"),
    Verb("devices", "end_others", lambda world: (world.signed_in(ANNA),)),
    Verb(
        "password_changes",
        "change",
        lambda world: (world.signed_in(ANNA), PASSWORD, OTHER_PASSWORD),
        "accounts.password_changed",
    ),
    Verb("password_changes", "ask_for_reset", lambda world: (ANNA.address, "hu")),
    Verb(
        "password_changes", "reset", lambda world: (world.reset_link(ANNA), OTHER_PASSWORD), "accounts.password_reset"
    ),
    Verb("email_changes", "ask_for_email", lambda world: (world.signed_in(ANNA), PASSWORD, ESZTER.address)),
    Verb("email_changes", "confirm_email", _to_change_email, "accounts.email_changed"),
    Verb("mobile_changes", "ask_for_mobile", lambda world: (world.signed_in(ANNA), PASSWORD, NEW_MOBILE)),
    Verb("mobile_changes", "confirm_mobile", _to_change_mobile),
    Verb("account_details", "close", lambda world: (world.signed_in(ANNA), PASSWORD), "accounts.closed"),
)


@pytest.fixture
def anna(world: World) -> World:
    """A world in which Anna has had an account for a day, and is signed in somewhere."""
    return _with_account(world)


@pytest.fixture
def anna_on_sqlite(sqlite_store: Store) -> World:
    """The same on SQLite alone: that a transaction is whole or absent there is seen hundreds of times."""
    move_in(sqlite_store)
    return _with_account(World(sqlite_store))


def _with_account(world: World) -> World:
    world.registered(ANNA)
    world.clock.advance(days=1)
    world.signed_in(ANNA, PHONE)
    return world


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_killed_between_any_two_statements_nothing_has_happened_and_it_can_be_done(
    victims: Victims, anna_on_sqlite: World, verb: Verb
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
def test_killed_before_the_answer_all_of_it_has_happened(victims: Victims, anna: World, verb: Verb) -> None:
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


def test_killed_after_every_try_the_tries_of_guessers_are_kept(victims: Victims, anna: World) -> None:
    tries = anna.profile.sign_in.tries
    take = partial(victims.take, anna, "sign_ins", "sign_in", ANNA.address.key, "not the password", LAPTOP)
    for _ in range(tries):
        assert take(crash_at="accounts.tried") == "killed"
    assert take() == "login.wait"
    assert anna.comes_in(ANNA, PASSWORD, LAPTOP) == "login.wait"
    assert outcome_of(anna.sign_ins.sign_in, ANNA.address.key, PASSWORD, PHONE) == "ok", (
        "a known browser is not touched"
    )


def _forgive(world: World) -> None:
    with world.store.write() as connection:
        connection.execute(sign_in_tries.delete())
