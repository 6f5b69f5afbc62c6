"""The feed of events: numbered after their commit, and read in order from any number (P42)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, func, select, update

from services.base import Base
from services.store.engine import Store
from services.store.statements import queue_for
from services.store.tables.events import events
from services.store.tables.register import advisers

MOST = 1000
"""The most events in one answer."""
_AT_ONCE = 5000
"""The most events that one transaction numbers."""


@dataclass(frozen=True)
class Event:
    """Something that happened. `number` is its place in the feed, `data` the ids of what it is about."""

    number: int
    type: str
    at: datetime
    data: Mapping[str, Any]


@dataclass(frozen=True)
class FeedPage:
    """Some events in order, and the number to go on from."""

    events: tuple[Event, ...]
    next: int


class Feed:
    """Reads events in the order of their numbers."""

    def __init__(self, base: Base) -> None:
        self._store = base.store

    def read(self, after: int, limit: int, *, adviser: str | None = None) -> FeedPage:
        """Return at most `limit` events whose number is greater than `after`, in order.

        Reading on from `next` yields every event once. With `adviser`, an adviser's code, these are the events of that
        adviser's customers alone.
        """
        number_all(self._store)
        query = select(events.c.number, events.c.type, events.c.at, events.c.data).order_by(events.c.number)
        if adviser is not None:
            query = query.where(exists().where(advisers.c.kutid == events.c.kutid, advisers.c.adviser == adviser))
        with self._store.read() as connection:
            # Read first: events that are numbered meanwhile belong to the next page.
            last = last_number(connection)
            rows = connection.execute(query.where(events.c.number > after, events.c.number <= last).limit(limit))
            found = tuple(Event(**row._mapping) for row in rows)
        return FeedPage(found, found[-1].number if len(found) == limit else max(after, last))


def number_all(store: Store) -> None:
    """Give every committed event its number.

    Transactions commit in another order than they write. A number that is given after the commit is always greater than
    the numbers that a reader has seen. One transaction at a time gives numbers (decision 96).
    """
    unnumbered = select(events.c.id).where(events.c.number.is_(None))
    while True:
        with store.read() as connection:
            if connection.execute(unnumbered.limit(1)).first() is None:
                return
        with store.write() as connection:
            queue_for(connection, "events")
            some = unnumbered.order_by(events.c.id).limit(_AT_ONCE).subquery()
            fresh = select(some.c.id, func.row_number().over(order_by=some.c.id).label("place")).subquery()
            number = last_number(connection) + fresh.c.place
            connection.execute(update(events).where(events.c.id == fresh.c.id).values(number=number))


def last_number(connection: Connection) -> int:
    """Return the number of the newest event that has one, 0 when there is none."""
    last: int = connection.execute(select(func.coalesce(func.max(events.c.number), 0))).scalar_one()
    return last
