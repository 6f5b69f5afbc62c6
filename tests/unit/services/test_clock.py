"""The clock: never backwards in a process, and in a demonstration one for all processes."""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.clock import SystemClock
from services.limits.noted_time import note_time
from services.references import References
from services.store.engine import Store
from services.store.version import last_written
from tests.world.cast import ANNA
from tests.world.clock import HandClock
from tests.world.outcomes import outcome_of
from tests.world.world import World, base_of, move_in
from webapp.demo.clock import DemoClock

HOUR = timedelta(hours=1)


class MachineClock:
    """What the machine says, moved by hand."""

    def __init__(self) -> None:
        self.seconds = datetime(2026, 11, 20, 9, 2, tzinfo=UTC).timestamp()
        self.ticks = 1000.0

    def time(self) -> float:
        return self.seconds

    def monotonic(self) -> float:
        return self.ticks

    def step(self, by: timedelta) -> None:
        """Set it, without time passing."""
        self.seconds += by.total_seconds()

    def wait(self, span: timedelta) -> None:
        """Let time pass."""
        self.step(span)
        self.ticks += span.total_seconds()


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> MachineClock:
    stepped = MachineClock()
    monkeypatch.setattr(time, "time", stepped.time)
    monkeypatch.setattr(time, "monotonic", stepped.monotonic)
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


def test_after_a_step_back_time_goes_on_until_the_machine_has_caught_up(machine: MachineClock) -> None:
    clock = SystemClock()
    before = clock.now()
    machine.step(-HOUR)
    for minutes in (1, 2, 59, 60, 61):
        machine.wait(before + timedelta(minutes=minutes) - clock.now())
        assert clock.now() == before + timedelta(minutes=minutes)
        assert clock.lead == HOUR
    machine.step(HOUR / 2)
    assert clock.lead == HOUR / 2
    machine.step(HOUR)
    assert (clock.now(), clock.lead) == (before + timedelta(minutes=91), timedelta())
    machine.wait(-HOUR)  # as where both clocks of the machine are faked
    assert clock.now() == before + timedelta(minutes=91)


def test_a_moment_on_record_is_a_floor(machine: MachineClock) -> None:
    clock = SystemClock()
    clock.not_before(None)
    for ahead in (HOUR, timedelta(days=400)):
        newest = clock.now() + ahead
        clock.not_before(newest)
        assert clock.now() == newest
        clock.not_before(newest - HOUR)
        assert clock.now() == newest
        machine.wait(HOUR)
        assert clock.now() == newest + HOUR


def test_what_has_ended_stays_so_when_the_clock_is_set_back_and_the_server_started_again(
    machine: MachineClock, store: Store
) -> None:
    move_in(store)
    world = World(store, SystemClock())
    access = world.sent_code(ANNA)
    code = world.code_sent(ANNA.mobile)
    machine.wait(8 * HOUR)
    assert outcome_of(world.registrations.mobiles.confirm_mobile, access, code) == "link_expired"
    note_time(store, world.clock.now())
    machine.step(-10 * HOUR)
    clock = SystemClock()
    clock.not_before(last_written(store))
    restarted = World(store, clock)
    assert outcome_of(restarted.registrations.mobiles.confirm_mobile, access, code) == "link_expired"
    restarted.mailed(ANNA)
    fresh = restarted.access_by_mail(ANNA.email)
    machine.wait(2 * HOUR)
    assert outcome_of(restarted.registrations.mobiles.choose_mobile, fresh, ANNA.mobile) == "link_expired", (
        "what is new ends in time"
    )


def test_the_newest_moment_is_found_wherever_it_stands(store: Store) -> None:
    assert last_written(store) is None
    move_in(store)
    world = World(store)
    clock = world.clock
    assert isinstance(clock, HandClock)
    session = world.member()

    def notes_it(deed: Callable[[], object]) -> bool:
        clock.advance(minutes=3)
        deed()
        return last_written(store) == clock.now()

    assert notes_it(lambda: world.identified(ANNA))
    assert notes_it(lambda: world.registrations.emails.choose_email(world.identified(ANNA), ANNA.address))
    assert notes_it(lambda: References(base_of(store, clock)).issue("link_expired"))
    assert notes_it(lambda: world.registered(ANNA))
    assert notes_it(lambda: world.signed_in(ANNA))
    assert notes_it(world.member)
    assert notes_it(lambda: world.search.search(session, ANNA.policy_number))
    assert notes_it(lambda: note_time(store, clock.now()))
    assert not notes_it(lambda: note_time(store, clock.now() - HOUR))


def test_the_machines_clock_stepping_back_revives_no_link_and_no_code(machine: MachineClock, store: Store) -> None:
    move_in(store)
    world = World(store, SystemClock())
    access = world.sent_code(ANNA)
    code = world.code_sent(ANNA.mobile)
    machine.step(HOUR)
    assert outcome_of(world.registrations.mobiles.confirm_mobile, access, code) == "link_expired"
    machine.step(-HOUR)
    assert outcome_of(world.registrations.mobiles.confirm_mobile, access, code) == "link_expired"
    assert outcome_of(world.registrations.mobiles.choose_mobile, access, ANNA.mobile) == "link_expired"


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
