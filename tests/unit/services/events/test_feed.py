"""The feed on both databases: in order, each event once, whatever commits when (P42)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection

from services import events
from services.events.feed import Feed
from services.retention import Tidying
from services.store.engine import Store
from tests.world.clock import HandClock
from tests.world.outcomes import at_once, only_answers
from tests.world.world import World, base_of

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)


@pytest.fixture
def world(store: Store) -> World:
    return World(store)


def let_a_year_pass(world: World) -> None:
    assert isinstance(world.clock, HandClock)
    world.clock.advance(days=400)


def note(store: Store, number: int) -> None:
    with store.write() as connection:
        write(connection, number)


def note_and_fail(store: Store) -> None:
    with store.write() as connection:
        write(connection, 1)
        raise RuntimeError


def write(connection: Connection, number: int) -> None:
    events.note(connection, "document.opened", NOW, kutid=None, document=number)


def feed_of(world: World) -> Feed:
    return Feed(world.base)


def documents(feed: Feed, after: int = 0, limit: int = 1000) -> tuple[list[Any], int]:
    page = feed.read(after, limit)
    return [one.data["document"] for one in page.events], page.next


def test_events_come_in_order_page_by_page_and_again(world: World) -> None:
    feed = feed_of(world)
    assert documents(feed) == ([], 0)
    for number in range(5):
        note(world.store, number)
    assert documents(feed, limit=3) == ([0, 1, 2], 3)
    assert documents(feed, after=3, limit=3) == ([3, 4], 5)
    assert documents(feed, after=5) == ([], 5)
    assert documents(feed)[0] == [0, 1, 2, 3, 4]


def test_an_event_is_there_only_if_its_cause_is(world: World) -> None:
    with pytest.raises(RuntimeError):
        note_and_fail(world.store)
    assert documents(feed_of(world)) == ([], 0)


def test_an_unknown_kind_is_refused(world: World) -> None:
    with world.store.write() as connection, pytest.raises(ValueError, match="letter"):
        events.note(connection, "letter.eaten", NOW)


@contextmanager
def open_transaction(store: Store, number: int) -> Iterator[None]:
    """Hold a transaction that has written an event, and commit it at the end."""
    written, commits = threading.Event(), threading.Event()

    def hold() -> None:
        with store.write() as connection:
            write(connection, number)
            written.set()
            assert commits.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    assert written.wait(20)
    yield
    commits.set()
    thread.join()


def test_an_event_that_commits_late_is_not_passed_over(postgresql_store: Store) -> None:
    """On PostgreSQL the first to write may be the last to commit: a reader who has seen a later event gets it still."""
    feed = Feed(base_of(postgresql_store, World(postgresql_store).clock))
    with open_transaction(postgresql_store, 1):
        note(postgresql_store, 2)
        assert documents(feed) == ([2], 1)
    assert documents(feed, after=1) == ([1], 2)


def test_readers_at_once_agree(world: World) -> None:
    for number in range(50):
        note(world.store, number)
    read = partial(documents, feed_of(world))
    assert {tuple(found) for found, _ in only_answers(at_once([read] * 8))} == {tuple(range(50))}


def test_writers_and_readers_at_once_lose_nothing(world: World) -> None:
    """Each reader gets every event once, and all of them in the same order."""
    feed, count = feed_of(world), 60

    def follow() -> list[Any]:
        seen, after = list[Any](), 0
        while len(seen) < count:
            found, after = documents(feed, after, limit=7)
            seen += found
        return seen

    writers = [partial(note, world.store, number) for number in range(count)]
    answers = only_answers(at_once([*[follow] * 6, *writers]))[:6]
    assert sorted(answers[0]) == list(range(count))
    assert all(seen == answers[0] for seen in answers)


def test_numbers_go_on_after_old_events_were_erased(world: World) -> None:
    feed = feed_of(world)
    for number in range(3):
        note(world.store, number)
    assert documents(feed)[1] == 3
    let_a_year_pass(world)
    tidied = {one.kind: one.count for one in Tidying(world.base, world.limits.allowances).tidy()}
    assert tidied["events"] == 2
    note(world.store, 3)
    assert documents(feed, after=3) == ([3], 4)


def test_an_old_event_is_erased_though_nobody_has_read_it(world: World) -> None:
    note(world.store, 1)
    let_a_year_pass(world)
    Tidying(world.base, world.limits.allowances).tidy()
    assert documents(feed_of(world)) == ([], 0)
