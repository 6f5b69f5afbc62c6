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
from tests.world.world import PROFILE, House

TODAY = date(2026, 11, 20)
WEEK = Chosen(TODAY - timedelta(days=6), TODAY)


def counted(store: Store) -> dict[tuple[Any, ...], int]:
    with store.read() as connection:
        return {tuple(row[:-1]): row.count for row in connection.execute(select(figures))}


def walk(house: House, steps: int, **how: Any) -> None:
    """Count somebody who came so far."""
    for place, step in enumerate(PROFILE.journey[:steps]):
        house.observations.count(step, ENTERED, **how)
        if place < steps - 1:
            house.observations.count(step, FINISHED, **how)


def test_nothing_is_written_before_it_is_flushed_and_all_of_it_then(house: House) -> None:
    house.observations.count("email", ENTERED, browser="Firefox")
    house.observations.count("email", ENTERED, browser="Firefox")
    house.observations.count("email", REFUSED, browser="Firefox", error="email.malformed")
    assert counted(house.store) == {}
    house.observations.flush()
    house.observations.flush()
    assert counted(house.store) == {
        (TODAY, "web", "Firefox", "email", "entered", ""): 2,
        (TODAY, "web", "Firefox", "email", "refused", "email.malformed"): 1,
    }


def test_a_day_is_the_insurers(house: House) -> None:
    house.clock.moment = house.clock.moment.replace(hour=23, minute=30)  # in Budapest it is past midnight
    house.observations.count("email", ENTERED)
    house.observations.flush()
    assert [key[0] for key in counted(house.store)] == [TODAY + timedelta(days=1)]


def test_processes_that_write_at_once_lose_nothing(store: Store) -> None:
    house = House(store)
    each, errors = 40, ["a.b", "c.d", "e.f"]
    processes = [Observations(house.base) for _ in range(6)]
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


def test_threads_that_count_while_another_writes_lose_nothing(house: House) -> None:
    def work(_number: int) -> None:
        for _ in range(50):
            house.observations.count("email", ENTERED)
            house.observations.flush()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    assert list(counted(house.store).values()) == [200]


def test_what_cannot_be_written_is_written_later(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.observations.count("email", ENTERED)
    with monkeypatch.context() as broken:
        broken.setattr(house.observations, "_add", _fail)
        with pytest.raises(OperationalError):
            house.observations.flush()
    house.observations.count("email", ENTERED)
    house.observations.flush()
    assert list(counted(house.store).values()) == [2]


def _fail(*_: Any) -> None:
    raise OperationalError("", {}, Exception())


def test_memory_is_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    for number in range(10):
        house.observations.count(f"step{number}", ENTERED)
    house.observations.count("step0", ENTERED)
    house.observations.flush()
    assert {key[3]: count for key, count in counted(house.store).items()} == {"step0": 2, "step1": 1, "step2": 1}


def test_a_thread_writes_by_itself_and_once_more_at_the_end(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EVERY_SECONDS", 3600)
    stop = threading.Event()
    thread = threading.Thread(target=house.observations.run, args=(stop,))
    thread.start()
    house.observations.count("email", ENTERED)
    stop.set()
    thread.join(10)
    assert list(counted(house.store).values()) == [1]


def test_the_channel_is_who_began_it(house: House) -> None:
    clerk, adviser = house.member(), house.member("adviser", adviser="UK-1")
    for begun_by in ("customer", clerk.member.id, adviser.member.id, "a client of the API"):
        house.observations.count_assisted(begun_by)
    house.observations.flush()
    report = house.figures.report(WEEK)
    assert {name: passage.entered for name, passage in report.channels.items()} == {
        "web": 1, "service": 1, "adviser": 1, "api": 1,
    }  # fmt: skip
    assert report.steps["email"] == Passage(4, 4)
    assert report.steps["email-sent"] == Passage(4, 0)


def test_a_report_tells_who_came_how_far(house: House) -> None:
    walk(house, 7, browser="Firefox")
    house.observations.count("password", FINISHED, browser="Firefox")
    walk(house, 4, browser="Chrome")
    house.clock.advance(days=1)
    walk(house, 1, browser="Chrome")
    house.observations.count("identify", REFUSED, browser="Chrome", error="identify.mismatch")
    house.observations.count("identify", REFUSED, browser="Chrome", error="identify.mismatch")
    house.observations.count("email-sent", STOPPED, browser="Chrome", error="link_expired")
    house.observations.flush()
    report = house.figures.report(Chosen(TODAY, TODAY + timedelta(days=1)))
    assert list(report.steps) == list(PROFILE.journey)
    assert report.steps["identify"] == Passage(3, 2)
    assert report.steps["mobile"].left == 1
    assert report.steps["password"].percent == 100
    assert report.days == {TODAY: Passage(2, 1), TODAY + timedelta(days=1): Passage(1, 0)}
    assert report.browsers == {"Chrome": Passage(2, 0), "Firefox": Passage(1, 1)}
    assert [(one.error, one.count) for one in report.mistakes] == [("identify.mismatch", 2), ("link_expired", 1)]
    firefox = house.figures.report(Chosen(TODAY, TODAY + timedelta(days=1), browser="Firefox"))
    assert firefox.steps["identify"] == Passage(1, 1)
    assert firefox.mistakes == []
    assert house.figures.report(Chosen(TODAY - timedelta(days=9), TODAY - timedelta(days=1))).is_empty


def test_a_registration_is_seen_at_each_place_once(house: House) -> None:
    seen = house.observations
    assert [seen.is_further("one", place) for place in (1, 2, 2, 1, 4, 3)] == [True, True, False, False, True, False]
    assert seen.is_further("another", 1)


def test_counts_are_erased_after_their_time(house: House) -> None:
    house.observations.count("email", ENTERED)
    house.observations.flush()
    house.sent_code(ANNA)
    house.deliver()
    tidying = Tidying(house.base, house.allowances)
    counts = (figures, message_figures, sms_months)
    house.clock.advance(days=PROFILE.retention.figures_days - 30)
    tidying.tidy()
    assert [house.count(table) > 0 for table in counts] == [True, True, True]
    house.clock.advance(days=31)
    tidying.tidy()
    assert [house.count(table) for table in counts] == [0, 0, 0]
