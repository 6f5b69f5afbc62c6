"""Requests in figures: how many came in, how soon they were answered and closed, how many are late (P42)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from statistics import median

from sqlalchemy import func, select

from services.base import Base
from services.store.tables.requests import request_events, requests

_LATELY = timedelta(days=30)
_OPEN = ("sent", "taken", "question")
_THE_INSURERS_TURN = ("sent", "taken")


@dataclass(frozen=True)
class OfKind:
    """What became of the requests of one kind that came in within a period."""

    received: int
    answered: int
    hours_to_answer: float | None
    """From sending to the first answer, the median of those that were answered; None without any."""
    closed: int
    hours_to_close: float | None
    """From sending to closing or withdrawing, likewise."""


@dataclass(frozen=True)
class Standing:
    """How requests stand at this moment."""

    open: int
    """Those that are neither answered nor over."""
    late: int
    """Those that wait for the insurer and were promised an answer before today."""


class RequestFigures:
    """Counts requests; each public method is one transaction."""

    def __init__(self, base: Base) -> None:
        self._store = base.store
        self._clock = base.clock
        self._zone = base.profile.zone

    def of_days(self, first: date, last: date) -> Mapping[str, OfKind]:
        """Return the figures of each kind whose requests came in on these days, the first and the last included."""
        begin, end = (datetime.combine(day, time(), self._zone) for day in (first, last + timedelta(days=1)))
        is_within = requests.c.sent_at >= begin, requests.c.sent_at < end
        # An answer that is corrected is answered twice: the customer has had the first one.
        answered = (
            select(func.min(request_events.c.at))
            .where(request_events.c.request_id == requests.c.id, request_events.c.type == "answered")
            .scalar_subquery()
        )
        query = select(requests.c.kind, requests.c.sent_at, requests.c.ended_at, answered).where(*is_within)
        found: dict[str, list[tuple[datetime, datetime | None, datetime | None]]] = {}
        with self._store.read() as connection:
            for kind, sent_at, ended_at, answered_at in connection.execute(query):
                found.setdefault(kind, []).append((sent_at, answered_at, ended_at))
        return {kind: _of_kind(found[kind]) for kind in sorted(found)}

    def received_lately(self) -> Mapping[str, int]:
        """Return how many requests of each kind came in within the last 30 days."""
        query = select(requests.c.kind, func.count()).where(requests.c.sent_at >= self._clock.now() - _LATELY)
        with self._store.read() as connection:
            return {kind: count for kind, count in connection.execute(query.group_by(requests.c.kind))}  # noqa: C416 (typed)

    def standing(self) -> Standing:
        """Return how many requests are open and late."""
        today = self._clock.now().astimezone(self._zone).date()
        still_open = select(func.count()).where(requests.c.state.in_(_OPEN))
        late = select(func.count()).where(requests.c.state.in_(_THE_INSURERS_TURN), requests.c.promised_on < today)
        with self._store.read() as connection:
            return Standing(connection.execute(still_open).scalar_one(), connection.execute(late).scalar_one())


def _of_kind(moments: list[tuple[datetime, datetime | None, datetime | None]]) -> OfKind:
    to_answer = [_hours(answered - sent) for sent, answered, _ in moments if answered is not None]
    to_close = [_hours(ended - sent) for sent, _, ended in moments if ended is not None]
    return OfKind(
        received=len(moments),
        answered=len(to_answer),
        hours_to_answer=median(to_answer) if to_answer else None,
        closed=len(to_close),
        hours_to_close=median(to_close) if to_close else None,
    )


def _hours(span: timedelta) -> float:
    return span / timedelta(hours=1)
