"""How many letters reached their customers in time (P20)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import case, func, or_, select

from services.base import Base
from services.letters import rows
from services.store.tables.letters import letters

LOOKED_BACK = timedelta(days=30)
"""The time that `/metrics` tells of."""
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class InTime:
    """Of the letters whose latest day was in a period: how many there were, and how many were provided in time."""

    due: int
    provided: int

    @property
    def percent(self) -> int | None:
        """Their share, rounded down; None where no day has passed."""
        return 100 * self.provided // self.due if self.due else None


class LetterFigures:
    """Counts; letters that were withdrawn or replaced do not count."""

    def __init__(self, base: Base) -> None:
        self._store = base.store
        self._clock = base.clock
        self._zone = base.profile.zone

    def lately(self) -> InTime:
        """Return the figures of the last thirty days."""
        today = self._clock.now().astimezone(self._zone).date()
        return self.in_time(today - LOOKED_BACK, today)

    def in_time(self, first: date, last: date) -> InTime:
        """Return the figures of the latest days from `first` to `last`, as far as they have passed.

        A letter is provided in time that was opened, or handed over to the post, until its latest day.
        """
        today = self._clock.now().astimezone(self._zone).date()
        with self._store.read() as connection:
            passed = letters.c.latest_on.between(first, min(last, today - _DAY))
            known = connection.execute(select(letters.c.latest_on).where(passed, rows.IS_CURRENT).distinct())
            days: Sequence[date] = [day for day in known.scalars() if day is not None]
            if not days:
                return InTime(0, 0)
            ends = {day: datetime.combine(day + _DAY, time(), self._zone) for day in days}
            provided = or_(*[
                (letters.c.latest_on == day) & or_(letters.c.opened_at < end, letters.c.printed_at < end)
                for day, end in ends.items()
            ])  # fmt: skip
            counted = select(func.count(), func.coalesce(func.sum(case((provided, 1), else_=0)), 0))
            due, in_time = connection.execute(counted.where(passed, rows.IS_CURRENT)).one()
        return InTime(due, in_time)
