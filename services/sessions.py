"""What the sessions of customers and of staff have in common: a row each, known by the hash of its token.

A session ends by itself when nothing happens for a while, and at a fixed moment however busy it is (ASVS 7.3).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, RowMapping, Select, Table, bindparam, insert, literal, select, update

from services import randomness
from services.base import Base
from services.values.fingerprints import fingerprint

_PROLONGED_AFTER = timedelta(minutes=1)
"""Being active is written down once a minute at most: a page that is read costs no write."""

S = TypeVar("S", bound="AnySession")


@dataclass(frozen=True)
class Device:
    """A browser that signs in: the lasting mark by which it is known again, and what it calls itself."""

    mark: str
    name: str
    source: str
    """The network address that it comes from; counted, never kept."""

    @property
    def hash(self) -> str:
        """What is kept of the mark."""
        return fingerprint(self.mark)


@dataclass(frozen=True, kw_only=True)
class AnySession:
    """What every session has."""

    id: str
    idle_at: datetime
    """When it ends if nothing happens."""
    ends_at: datetime
    """When it ends however busy it is."""
    is_over: bool

    @property
    def over_at(self) -> datetime:
        """When it ends if nothing happens, at the latest."""
        return min(self.idle_at, self.ends_at)


class SessionRows(ABC, Generic[S]):
    """The rows of one table of sessions: how one is opened, seen, prolonged and ended.

    All but `resume` happens in a caller's transaction.
    """

    def __init__(self, base: Base, table: Table, seen: Select[Any]) -> None:
        """The one foreign key of `table` says whose a session is; `seen` selects sessions together with that row."""
        self._store = base.store
        self._clock = base.clock
        self._rules = base.profile.sign_in
        self._table = table
        (self._whose,) = table.foreign_keys
        # Built once: it is asked for with every page of who is signed in.
        self._seen = seen.where(table.c.token_hash == bindparam("token_hash"))

    @abstractmethod
    def _from_row(self, row: RowMapping, shared: AnySession) -> S:
        """Return the session of a row, of which `shared` is what every session has."""

    def open(
        self,
        connection: Connection,
        holder_id: str,
        browser: Device,
        now: datetime,
        *conditions: ColumnElement[bool],
        **own: Any,
    ) -> str | None:
        """Open a session and return what its browser is to hold; None when the conditions on the holder fail.

        `own` are the values of the columns that this table alone has.
        """
        token = randomness.secret()
        row = {self._whose.parent.name: holder_id, **self._new(token, now), "device_hash": browser.hash, **own}
        values = [literal(value, self._table.c[name].type) for name, value in row.items()]
        # Locked, so that a new password that is being written at this moment is waited for and fails the conditions.
        found = select(*values).where(self._whose.column == holder_id, *conditions).with_for_update(read=True)
        opened = insert(self._table).from_select(list(row), found).returning(self._table.c.id)
        return token if connection.execute(opened).first() else None

    def _new(self, token: str, now: datetime) -> dict[str, Any]:
        return {
            "id": randomness.opaque_id(),
            "token_hash": fingerprint(token),
            "created_at": now,
            "seen_at": now,
            "ends_at": now + self._rules.longest,
        }

    def resume(self, token: str, *, is_activity: bool) -> S | None:
        """Return the session of a browser, over or not; `is_activity` prolongs one that lasts."""
        now = self._clock.now()
        with self._store.read() as connection:
            session = self._see(connection, token, now)
        if session is None or session.is_over or not is_activity or not self._is_stale(session, now):
            return session
        with self._store.write() as connection:
            connection.execute(update(self._table).where(self.is_live(session, now)).values(seen_at=now))
            return self._see(connection, token, now)

    def is_live(self, session: AnySession, now: datetime) -> ColumnElement[bool]:
        """Return the condition that the row of the session is there and has not ended."""
        return (self._table.c.id == session.id) & self.lasts(now)

    def lasts(self, now: datetime) -> ColumnElement[bool]:
        """Return the condition that a session has not ended."""
        columns = self._table.c
        return columns.ended_at.is_(None) & (columns.ends_at > now) & (columns.seen_at > now - self._rules.idle)

    def end_held(self, connection: Connection, token: str, now: datetime, **why: str) -> str | None:
        """End the session of a browser; return whose it was, or None when there was none to end."""
        return self._end(connection, now, self._table.c.token_hash == fingerprint(token), **why)

    def _end(self, connection: Connection, now: datetime, *which: ColumnElement[bool], **why: str) -> str | None:
        """End sessions; return whose one of them was, or None when there was none to end."""
        ended = update(self._table).where(*which, self._table.c.ended_at.is_(None)).values(ended_at=now, **why)
        whose: str | None = connection.execute(ended.returning(self._whose.parent)).scalar()
        return whose

    def _see(self, connection: Connection, token: str, now: datetime) -> S | None:
        row = connection.execute(self._seen, {"token_hash": fingerprint(token)}).mappings().first()
        if row is None:
            return None
        columns = self._table.c
        idle_at, ends_at = row[columns.seen_at] + self._rules.idle, row[columns.ends_at]
        is_over = row[columns.ended_at] is not None or min(idle_at, ends_at) <= now
        return self._from_row(row, AnySession(id=row[columns.id], idle_at=idle_at, ends_at=ends_at, is_over=is_over))

    def _is_stale(self, session: AnySession, now: datetime) -> bool:
        return now - (session.idle_at - self._rules.idle) >= _PROLONGED_AFTER
