"""Figures: counted in memory, added up from several processes, erased in time, and without anything about a person."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from services.figures import ENTERED, FINISHED, REFUSED, STOPPED, Chosen, Observations, Passage
from services.figures import observations as module
from services.retention import Tidying
from services.store.engine import Store
from services.store.tables.figures import figures
from services.store.tables.messages import message_figures, sms_months
from tests.world.cast import ANNA
from tests.world.world import PROFILE, World

TODAY = date(2026, 11, 20)
WEEK = Chosen(TODAY - timedelta(days=6), TODAY)


def counted(store: Store) -> dict[tuple[Any, ...], int]:
    with store.read() as connection:
        return {tuple(row[:-1]): row.count for row in connection.execute(select(figures))}


def walk(world: World, steps: int, **how: Any) -> None:
    """Count somebody who came so far."""
    for place, step in enumerate(PROFILE.journey[:steps]):
        world.observations.count(step, ENTERED, **how)
        if place < steps - 1:
            world.observations.count(step, FINISHED, **how)


def test_nothing_is_written_before_it_is_flushed_and_all_of_it_then(world: World) -> None:
    world.observations.count("email", ENTERED, browser="Firefox")
    world.observations.count("email", ENTERED, browser="Firefox")
    world.observations.count("email", REFUSED, browser="Firefox", error="email.malformed")
    assert counted(world.store) == {}
    world.observations.flush()
    world.observations.flush()
    assert counted(world.store) == {
        (TODAY, "web", "Firefox", "email", "entered", ""): 2,
        (TODAY, "web", "Firefox", "email", "refused", "email.malformed"): 1,
    }


def test_a_day_is_the_insurers(world: World) -> None:
    world.clock.moment = world.clock.moment.replace(hour=23, minute=30)  # in Budapest it is past midnight
    world.observations.count("email", ENTERED)
    world.observations.flush()
    assert [key[0] for key in counted(world.store)] == [TODAY + timedelta(days=1)]


def test_processes_that_write_at_once_lose_nothing(store: Store) -> None:
    world = World(store)
    each, errors = 40, ["a.b", "c.d", "e.f"]
    processes = [Observations(world.base) for _ in range(6)]
    start = threading.Barrier(len(processes))

    def work(observations: Observations) -> None:
        start.wait()
        for number in range(each):
            for error in errors if number % 2 else reversed(errors):
                observations.count("email", REFUSED, error=error)
            if number % 8 == 0:
                observations.flush()
        observations.flush()

    with ThreadPoolExecutor(len(processes)) as pool:
        list(pool.map(work, processes))
    assert {key[-1]: count for key, count in counted(store).items()} == dict.fromkeys(errors, each * len(processes))


def test_threads_that_count_while_another_writes_lose_nothing(world: World) -> None:
    def work(_number: int) -> None:
        for _ in range(50):
            world.observations.count("email", ENTERED)
            world.observations.flush()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert list(counted(world.store).values()) == [200]


def test_what_cannot_be_written_is_written_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.observations.count("email", ENTERED)
    with monkeypatch.context() as broken:
        broken.setattr(world.observations, "_add", _fail)
        with pytest.raises(OperationalError):
            world.observations.flush()
    world.observations.count("email", ENTERED)
    world.observations.flush()
    assert list(counted(world.store).values()) == [2]


def _fail(*_: Any) -> None:
    raise OperationalError("", {}, Exception())


def test_memory_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    for number in range(10):
        world.observations.count(f"step{number}", ENTERED)
    world.observations.count("step0", ENTERED)
    world.observations.flush()
    assert {key[3]: count for key, count in counted(world.store).items()} == {"step0": 2, "step1": 1, "step2": 1}


def test_a_thread_writes_by_itself_and_once_more_at_the_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY_SECONDS", 3600)
    stop = threading.Event()
    thread = threading.Thread(target=world.observations.run, args=(stop,))
    thread.start()
    world.observations.count("email", ENTERED)
    stop.set()
    thread.join(10)
    assert list(counted(world.store).values()) == [1]


def test_the_channel_is_who_began_it(world: World) -> None:
    clerk, adviser = world.member(), world.member("adviser", adviser="UK-1")
    for begun_by in ("customer", clerk.member.id, adviser.member.id, "a client of the API"):
        world.observations.count_assisted(begun_by)
    world.observations.flush()
    report = world.figures.report(WEEK)
    assert {name: passage.entered for name, passage in report.channels.items()} == {
        "web": 1, "service": 1, "adviser": 1, "api": 1,
    }  # fmt: skip
    assert report.steps["email"] == Passage(4, 4)
    assert report.steps["email-sent"] == Passage(4, 0)


def test_a_report_tells_who_came_how_far(world: World) -> None:
    walk(world, 7, browser="Firefox")
    world.observations.count("password", FINISHED, browser="Firefox")
    walk(world, 4, browser="Chrome")
    world.clock.advance(days=1)
    walk(world, 1, browser="Chrome")
    world.observations.count("identify", REFUSED, browser="Chrome", error="identify.mismatch")
    world.observations.count("identify", REFUSED, browser="Chrome", error="identify.mismatch")
    world.observations.count("email-sent", STOPPED, browser="Chrome", error="link_expired")
    world.observations.flush()
    report = world.figures.report(Chosen(TODAY, TODAY + timedelta(days=1)))
    assert list(report.steps) == list(PROFILE.journey)
    assert report.steps["identify"] == Passage(3, 2)
    assert report.steps["mobile"].left == 1
    assert report.steps["password"].percent == 100
    assert report.days == {TODAY: Passage(2, 1), TODAY + timedelta(days=1): Passage(1, 0)}
    assert report.browsers == {"Chrome": Passage(2, 0), "Firefox": Passage(1, 1)}
    assert [(one.error, one.count) for one in report.mistakes] == [("identify.mismatch", 2), ("link_expired", 1)]
    firefox = world.figures.report(Chosen(TODAY, TODAY + timedelta(days=1), browser="Firefox"))
    assert firefox.steps["identify"] == Passage(1, 1)
    assert firefox.mistakes == []
    assert world.figures.report(Chosen(TODAY - timedelta(days=9), TODAY - timedelta(days=1))).is_empty


def test_a_registration_is_seen_at_each_place_once(world: World) -> None:
    seen = world.observations
    assert [seen.is_further("one", place) for place in (1, 2, 2, 1, 4, 3)] == [True, True, False, False, True, False]
    assert seen.is_further("another", 1)


def test_counts_are_erased_after_their_time(world: World) -> None:
    world.observations.count("email", ENTERED)
    world.observations.flush()
    world.sent_code(ANNA)
    world.deliver()
    tidying = Tidying(world.base, world.allowances)
    counts = (figures, message_figures, sms_months)
    world.clock.advance(days=PROFILE.retention.figures_days - 30)
    tidying.tidy()
    assert [world.count(table) > 0 for table in counts] == [True, True, True]
    world.clock.advance(days=31)
    tidying.tidy()
    assert [world.count(table) for table in counts] == [0, 0, 0]
