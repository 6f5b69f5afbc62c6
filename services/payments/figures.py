"""What payments tell of a period: by which way, how long they took, where they were given up (P47)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import func, select

from services.base import Base
from services.store.tables.payments import bank_entries, payments

_MOST_TIMED = 10_000


@dataclass(frozen=True)
class PaidBy:
    """What came in by one way, in one currency."""

    way: str
    currency: str
    count: int
    amount: int


@dataclass(frozen=True)
class PaymentReport:
    """The payments that began within a period."""

    paid: tuple[PaidBy, ...]
    usual_time: timedelta | None
    """From the beginning of a card payment to its success: half took no longer. None where there was none."""
    given_up: dict[str, int]
    """How many card payments ended without money, by their state."""


@dataclass(frozen=True)
class PaymentQueue:
    """What waits now: for the provider, for the insurer, for staff."""

    pending: int
    """Card payments whose end is not known."""
    since: datetime | None
    """When the oldest of them began."""
    to_refund: int
    unmatched: int
    """Transfers that belong to no invoice as far as their reference says."""


class PaymentFigures:
    """Counts payments; nothing in it is about a person."""

    def __init__(self, base: Base) -> None:
        self._store = base.store

    def queue(self) -> PaymentQueue:
        """Return what waits now."""
        pending = select(func.count(), func.min(payments.c.begun_at)).where(payments.c.live_for.is_not(None))
        to_refund = select(func.count()).where(payments.c.doubled_at.is_not(None), payments.c.refunded_at.is_(None))
        open_ones = bank_entries.c.payment_id.is_(None), bank_entries.c.sent_back_at.is_(None)
        with self._store.read() as connection:
            count, since = connection.execute(pending).one()
            return PaymentQueue(
                pending=count,
                since=since,
                to_refund=connection.execute(to_refund).scalar_one(),
                unmatched=connection.execute(select(func.count()).where(*open_ones)).scalar_one(),
            )

    def report(self, since: datetime) -> PaymentReport:
        """Return the figures of what began since then."""
        begun = payments.c.begun_at >= since
        counted = select(
            payments.c.way, payments.c.currency, payments.c.state, func.count().label("number"),
            func.sum(payments.c.amount).label("amount"),
        )  # fmt: skip
        groups = counted.where(begun).group_by(payments.c.way, payments.c.currency, payments.c.state)
        times = (
            select(payments.c.begun_at, payments.c.ended_at)
            .where(begun, payments.c.way == "card", payments.c.state == "succeeded")
            .order_by(payments.c.begun_at.desc())
            .limit(_MOST_TIMED)
        )
        with self._store.read() as connection:
            found = connection.execute(groups).all()
            timed = [row.ended_at - row.begun_at for row in connection.execute(times)]
        paid = [PaidBy(row.way, row.currency, row.number, int(row.amount)) for row in found if row.state == "succeeded"]
        given_up: dict[str, int] = {}
        for row in found:
            if row.state not in ("succeeded", "pending"):
                given_up[row.state] = given_up.get(row.state, 0) + row.number
        return PaymentReport(tuple(sorted(paid, key=lambda one: (one.way, one.currency))), _middle(timed), given_up)


def _middle(times: Sequence[timedelta]) -> timedelta | None:
    return timedelta(seconds=median(one.total_seconds() for one in times)) if times else None
