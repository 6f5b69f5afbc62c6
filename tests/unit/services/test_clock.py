"""The clock: never backwards in a process, and in a demonstration one for all processes."""

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from house import ANNA, House, move_in, said

from services.clock import DemoClock, SystemClock
from services.store.engine import Store

HOUR = timedelta(hours=1)


class MachineClock:
    """What the machine says, moved by hand."""

    def __init__(self) -> None:
        self.seconds = datetime(2026, 11, 20, 9, 2, tzinfo=UTC).timestamp()

    def time(self) -> float:
        return self.seconds

    def step(self, by: timedelta) -> None:
        self.seconds += by.total_seconds()


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> MachineClock:
    stepped = MachineClock()
    monkeypatch.setattr(time, "time", stepped.time)
    return stepped


def test_time_is_aware_and_in_utc(machine: MachineClock) -> None:
    assert SystemClock().now() == datetime(2026, 11, 20, 9, 2, tzinfo=UTC)


def test_a_step_back_is_not_seen(machine: MachineClock) -> None:
    clock = SystemClock()
    before = clock.now()
    machine.step(-HOUR)
    assert clock.now() == before
    machine.step(HOUR + timedelta(seconds=1))
    assert clock.now() == before + timedelta(seconds=1)


def test_a_moment_on_record_is_a_floor(machine: MachineClock) -> None:
    clock = SystemClock()
    clock.not_before(None)
    newest = clock.now() + HOUR
    clock.not_before(newest)
    assert clock.now() == newest
    clock.not_before(newest - HOUR)
    assert clock.now() == newest


def test_the_machines_clock_stepping_back_revives_no_link_and_no_code(machine: MachineClock, store: Store) -> None:
    move_in(store)
    house = House(store, SystemClock())
    visit = house.sent_code(ANNA)
    code = house.code_sent(ANNA.mobile)
    machine.step(HOUR)
    assert said(house.registrations.confirm_mobile, visit, code) == "link_expired"
    machine.step(-HOUR)
    assert said(house.registrations.confirm_mobile, visit, code) == "link_expired"
    assert said(house.registrations.choose_mobile, visit, ANNA.mobile) == "link_expired"


def test_a_demo_clock_is_one_for_all_processes(machine: MachineClock, tmp_path: Path) -> None:
    mine, others = DemoClock(tmp_path / "new" / "clock.json"), DemoClock(tmp_path / "new" / "clock.json")
    start = others.now()
    mine.advance(HOUR)
    mine.advance(HOUR)
    assert mine.now() == others.now() == start + 2 * HOUR
    assert mine.offset == others.offset == 2 * HOUR
    restarted = DemoClock(tmp_path / "new" / "clock.json")
    assert restarted.now() == start + 2 * HOUR


def test_a_demo_clock_goes_back_to_real_time_everywhere(machine: MachineClock, tmp_path: Path) -> None:
    mine, others = DemoClock(tmp_path / "clock.json"), DemoClock(tmp_path / "clock.json")
    start = mine.now()
    mine.advance(HOUR)
    assert mine.now() == others.now() == start + HOUR
    mine.reset()
    assert mine.now() == others.now() == start


def test_a_demo_clock_holds_against_a_step_back_of_the_machine(machine: MachineClock, tmp_path: Path) -> None:
    clock = DemoClock(tmp_path / "clock.json")
    clock.advance(HOUR)
    before = clock.now()
    machine.step(-HOUR)
    assert clock.now() == before


def test_threads_never_see_time_run_back(tmp_path: Path) -> None:
    clock = DemoClock(tmp_path / "clock.json")
    faults: list[tuple[datetime, datetime]] = []
    gate = threading.Barrier(8)

    def look() -> None:
        gate.wait(30)
        last = clock.now()
        for _ in range(2000):
            now = clock.now()
            if now < last:
                faults.append((last, now))
            last = now

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(20):
        clock.advance(timedelta(seconds=1))
    for thread in threads:
        thread.join()
    assert faults == []
