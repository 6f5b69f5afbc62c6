"""A contract, and what follows from its dates."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

DateKind = Literal["cancel", "anniversary", "premium", "end"]
"""The last day to cancel, the anniversary, the day a premium is due, the end."""
State = Literal["live", "future", "ended"]
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class KeyDate:
    """A day that matters to the customer."""

    kind: DateKind
    on: date


@dataclass(frozen=True)
class CustomerAccount:
    """The customer account to which contracts belong (P7)."""

    number: str
    manager: str
    """`customer` or `intermediary`."""
    intermediary: str | None

    @property
    def is_own(self) -> bool:
        """Whether the customer manages it; who does not may look at its contracts, and not act."""
        return self.manager != "intermediary"


@dataclass(frozen=True)
class Contract:
    """One contract, as lists and pages show it."""

    id: str
    number: str
    is_cancelled: bool
    product: str | None
    title: str | None
    insured: str | None
    account: CustomerAccount | None
    adviser: str | None
    """The name of who advises the customer."""
    starts_on: date | None
    anniversary: str | None
    """Month and day, as 03-14."""
    premium: int | None
    """Of one payment, in the currency's smallest unit."""
    currency: str
    frequency: str | None
    paid_until: date | None
    cover_until: date | None
    ended_on: date | None
    end_reason: str | None
    kept_until: date | None
    """The day until which it is shown after its end (P9)."""

    @property
    def intermediary(self) -> str | None:
        """Who manages the customer account in the customer's place, or else advises the customer."""
        managed_by = self.account.intermediary if self.account else None
        return managed_by or self.adviser

    def state(self, today: date) -> State:
        """Return whether it is in force."""
        if self.is_cancelled:
            return "ended"
        return "future" if self.starts_on is not None and self.starts_on > today else "live"

    @property
    def due_on(self) -> date | None:
        """The day after the one until which the premium is paid; None where no premium will be due."""
        is_paid_for_good = self.is_cancelled or self.premium is None or self.frequency == "single"
        return None if is_paid_for_good or self.paid_until is None else self.paid_until + _DAY

    def is_overdue(self, today: date) -> bool:
        """Tell whether a premium was due before today."""
        return self.due_on is not None and self.due_on < today

    def dates(self, today: date, notice: timedelta) -> tuple[KeyDate, ...]:
        """Return the days to come, the next first; `notice` is how long before the anniversary it can be cancelled."""
        found = () if self.is_cancelled else self._dates(today, notice)
        return tuple(sorted(found, key=lambda one: one.on))

    def _dates(self, today: date, notice: timedelta) -> Iterator[KeyDate]:
        if self.due_on is not None and self.due_on >= today:
            yield KeyDate("premium", self.due_on)
        if self.ended_on is not None and self.ended_on >= today:
            yield KeyDate("end", self.ended_on)
        elif self.anniversary is not None:
            first = max(today, self.starts_on + _DAY) if self.starts_on else today
            yield KeyDate("anniversary", next_anniversary(self.anniversary, first))
            yield KeyDate("cancel", next_anniversary(self.anniversary, first + notice) - notice)


@dataclass(frozen=True)
class Line:
    """One line of what a contract says."""

    label: str
    value: str


@dataclass(frozen=True)
class Section:
    """Lines that belong together; the heading may be empty."""

    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class ContractDetails:
    """A contract with what it covers."""

    contract: Contract
    sections: tuple[Section, ...]
    language: str
    """Of the sections; empty where they are for every language."""


def next_anniversary(anniversary: str, first: date) -> date:
    """Return the first anniversary that is not before `first`; of 29 February, the month's last day."""
    this_year = _in_year(anniversary, first.year)
    return this_year if this_year >= first else _in_year(anniversary, first.year + 1)


def _in_year(anniversary: str, year: int) -> date:
    month, day = int(anniversary[:2]), int(anniversary[3:])
    try:
        return date(year, month, day)
    except ValueError:
        return date(year, month, day - 1)
