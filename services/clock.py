"""The only place that reads the time."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the services ask for the time."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC; it never runs backwards in one process."""
        ...


class SystemClock:
    """The machine's clock, which never runs backwards here: stepped back, it revives no link, code or session.

    Time goes on then from the highest reading, second by second, until the machine's clock has caught up: what lives
    still ends, and waits are over when they were said to be (security.md, Faults).
    """

    def __init__(self) -> None:
        self._highest = 0.0
        self._beat = time.monotonic()
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """Return the present moment."""
        with self._lock:
            # The reading comes first: a demonstration's clock that was set back to real time lowers the highest one.
            reading, beat = self._read(), time.monotonic()
            # A fake of the machine's clock may fake the monotonic one too.
            self._highest = max(self._highest + max(0.0, beat - self._beat), reading)
            self._beat = beat
            return datetime.fromtimestamp(self._highest, UTC)

    def not_before(self, moment: datetime | None) -> None:
        """Take `moment`, the newest one on record, as a floor, so that a restart forgets nothing.

        However far it lies ahead: whether the machine's clock is wrong now or was wrong then, no program can tell, and
        going back would revive everything that has ended since. The operator can allow it: see BELEPO_TRUST_CLOCK.
        """
        if moment is not None:
            self._highest = max(self._highest, moment.timestamp())

    @property
    def lead(self) -> timedelta:
        """How far this clock is ahead of the machine's."""
        return timedelta(seconds=max(0.0, self.now().timestamp() - self._read()))

    def _read(self) -> float:
        return time.time()
