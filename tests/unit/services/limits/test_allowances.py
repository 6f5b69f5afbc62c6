"""Allowances: counted in the database, one statement a use, and at rest for a while when used up."""

from datetime import UTC, datetime, timedelta
from functools import partial

from services.limits.allowances import Allowances
from services.store.engine import Store
from services.store.tables.limits import allowances as table
from tests.world.outcomes import at_once

NOW = datetime(2026, 11, 20, 9, 2, tzinfo=UTC)
QUIET = timedelta(minutes=30)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
ALLOWANCES = Allowances("a secret of the tests")
KEY = ALLOWANCES.key("identify", "940000001")


def take(store: Store, now: datetime = NOW, key: str = KEY) -> datetime | None:
    with store.write() as connection:
        return ALLOWANCES.take(connection, key, limit=3, quiet=QUIET, now=now)


def take_within(store: Store, now: datetime = NOW, subject: str = "anna@example.hu") -> datetime | None:
    with store.write() as connection:
        return ALLOWANCES.take_within(connection, "mail", subject, limit=3, window=HOUR, now=now)


def test_the_first_places_are_left_to_other_uses(store: Store) -> None:
    def take_some(spare: int, limit: int) -> bool:
        with store.write() as connection:
            return ALLOWANCES.take_within(
                connection, "mail", "anna@example.hu", limit=limit, spare=spare, window=HOUR, now=NOW
            ) is None  # fmt: skip

    assert [take_some(1, 3) for _ in range(3)] == [True, True, False]
    assert [take_some(0, 2) for _ in range(2)] == [True, False]
    assert not take_some(0, 3)


def blocked_until(store: Store, now: datetime = NOW) -> datetime | None:
    with store.read() as connection:
        return ALLOWANCES.blocked_until(connection, KEY, limit=3, now=now)


def test_after_the_last_use_the_key_rests_for_the_quiet_time(store: Store) -> None:
    assert [take(store) for _ in range(5)] == [None] * 3 + [NOW + QUIET] * 2
    assert take(store, NOW + QUIET - MINUTE) == NOW + QUIET  # asking does not make the rest longer
    assert take(store, NOW + QUIET) is None


def test_each_use_begins_the_quiet_time_anew(store: Store) -> None:
    for minutes in (0, 20, 40):
        assert take(store, NOW + minutes * MINUTE) is None
    assert take(store, NOW + 60 * MINUTE) == NOW + 70 * MINUTE


def test_keys_are_counted_apart_and_tell_nothing(store: Store) -> None:
    for _ in range(4):
        take(store)
    assert take(store, key=ALLOWANCES.key("identify", "940000002")) is None
    assert take(store, key=ALLOWANCES.key("mail", "940000001")) is None
    assert Allowances("another secret").key("identify", "940000001") != KEY
    assert "940000001" not in KEY


def test_what_is_given_back_was_never_used(store: Store) -> None:
    for _ in range(4):
        take(store)
    with store.write() as connection:
        ALLOWANCES.give_back(connection, KEY)
    assert take(store) is None


def test_looking_whether_a_key_rests_uses_nothing(store: Store) -> None:
    for _ in range(3):
        assert blocked_until(store) is None
        assert take(store) is None
    assert blocked_until(store) == NOW + QUIET
    assert blocked_until(store, NOW + QUIET) is None


def test_of_uses_at_once_no_more_than_allowed_succeed(store: Store) -> None:
    found = at_once([partial(take, store)] * 20)
    assert sorted(found, key=str) == [NOW + QUIET] * 17 + [None] * 3


def test_a_refused_use_in_a_transaction_that_fails_leaves_no_trace(store: Store) -> None:
    try:
        with store.write() as connection:
            ALLOWANCES.take(connection, KEY, limit=3, quiet=QUIET, now=NOW)
            raise LookupError
    except LookupError:
        pass
    with store.read() as connection:
        assert connection.execute(table.select()).all() == []


def test_within_any_window_there_are_so_many_uses_and_no_more(store: Store) -> None:
    for minutes in (0, 10, 50):
        assert take_within(store, NOW + minutes * MINUTE) is None
    assert take_within(store, NOW + 59 * MINUTE) == NOW + HOUR
    assert take_within(store, NOW + 60 * MINUTE) is None
    assert take_within(store, NOW + 60 * MINUTE) == NOW + 70 * MINUTE
    assert take_within(store, NOW + 60 * MINUTE, "eszter@example.hu") is None


def test_who_keeps_below_the_limit_is_never_refused(store: Store) -> None:
    assert {take_within(store, NOW + number * 25 * MINUTE) for number in range(60)} == {None}


def test_of_uses_of_a_window_at_once_no_more_than_allowed_succeed(store: Store) -> None:
    found = at_once([partial(take_within, store)] * 20)
    assert sorted(found, key=str) == [NOW + HOUR] * 17 + [None] * 3
