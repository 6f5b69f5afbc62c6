"""Who has not registered yet, per adviser: page by page, however many there are (B2)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from services import audit
from services.base import Base
from services.messages.conditions import states_of
from services.refusal import OutOfTurn
from services.register.conditions import has_address
from services.staff import Hit, StaffSession
from services.staff.search import CustomerSearch
from services.store.tables.register import advisers as advisers_table
from services.store.tables.register import customers
from services.store.tables.staff import staff
from services.store.tables.worklists import invitations
from services.worklists.lists import BY_DEADLINE, ListPosition, View, after, people, reached
from services.worklists.selection_tokens import SelectionTokens

PAGE = 50
MOST_COUNTED = 1000
_MOST_ADVISERS = 500


_FACTS = select(
    customers.c.kutid,
    func.coalesce(staff.c.name, advisers_table.c.adviser).label("adviser"),
    has_address().label("has_address"),
    invitations.c.invited_at,
    invitations.c.deadline_at,
    invitations.c.reminded_at,
    invitations.c.declined_at,
    invitations.c.link_id,
).select_from(
    customers.outerjoin(invitations)
    .outerjoin(advisers_table, advisers_table.c.kutid == customers.c.kutid)
    .outerjoin(staff, staff.c.adviser == advisers_table.c.adviser)
)


@dataclass(frozen=True)
class Line:
    """A customer of the list; masked until identified."""

    mark: str
    hit: Hit
    adviser: str | None
    has_address: bool
    invited_at: datetime | None
    deadline_at: datetime | None
    reminded_at: datetime | None
    declined_at: datetime | None
    """When the customer declined further mails."""
    is_open: bool
    """Whether they were invited and have time left."""
    is_undelivered: bool
    """Whether the last mail to them could not be delivered."""


@dataclass(frozen=True)
class Page:
    """A page of the list; `more` is the mark of what comes after it; the first page has the `count` of all."""

    lines: list[Line]
    more: str | None
    count: int | None


class Unregistered:
    """Reads the lists of customers who have not registered; every page that was shown stands in the audit trail."""

    def __init__(self, base: Base, *, search: CustomerSearch, marks: SelectionTokens) -> None:
        self._store = base.store
        self._clock = base.clock
        self._search = search
        self._marks = marks

    def page(self, session: StaffSession, view: View, place: str = "") -> Page:
        """Return the page after the mark `place`, or the first one."""
        view, now = view.seen_by(session), self._clock.now()
        start = self._place(session, view, place)
        with self._store.read() as connection:
            query = after(people(view, now), view, start).limit(PAGE + 1)
            kutids = list(connection.execute(query).scalars())
            count = self._count(connection, view, now, kutids[0]) if kutids and start is None else len(kutids)
            facts = self._facts(connection, kutids[:PAGE], now)
        with self._store.write() as connection:
            noted = {"what": view.listed, "found": str(min(len(kutids), PAGE))}
            audit.record(connection, "listed", kutid=None, at=now, actor=session.member.id, **noted)
        lines = [
            Line(mark=self._marks.seal(session, "customer", hit.kutid), hit=hit, **facts[hit.kutid])
            for hit in self._search.hits(session, kutids[:PAGE])
        ]
        more = kutids[PAGE - 1] if len(kutids) > PAGE else None
        mark = self._mark_of(session, view, more, facts) if more else None
        return Page(lines, mark, count if start is None else None)

    def count(self, session: StaffSession, view: View) -> int:
        """Return how many there are, counted to `MOST_COUNTED` and one more."""
        with self._store.read() as connection:
            return self._count(connection, view.seen_by(session), self._clock.now())

    def count_reached(self, session: StaffSession, view: View, kind: str) -> int:
        """Return how many of them a mail of this kind would reach, counted to `MOST_COUNTED` and one more."""
        few = reached(view.seen_by(session), kind, self._clock.now()).limit(MOST_COUNTED + 1).subquery()
        with self._store.read() as connection:
            return int(connection.execute(select(func.count()).select_from(few)).scalar_one())

    def open(self, session: StaffSession, mark: str) -> str:
        """Look at a customer of a list, and return the case. Raises OutOfTurn."""
        kutid = self._marks.read(session, "customer", mark)
        if kutid is None:
            raise OutOfTurn
        return self._search.look(session, kutid)

    # --- Advisers ----------------------------------------------------------------------------------------------

    def advisers(self, session: StaffSession) -> list[tuple[str, str]]:
        """Return token and name of every adviser in the register. An adviser gets none.

        The name is that of their staff account, or else the register's code.
        """
        if session.member.is_adviser:
            return []
        # From one to the next by the index, instead of looking at a million customers for a few hundred advisers.
        step = select(func.min(advisers_table.c.adviser).label("code")).cte("step", recursive=True)
        following = (
            select(func.min(advisers_table.c.adviser)).where(advisers_table.c.adviser > step.c.code).scalar_subquery()
        )
        step = step.union_all(select(following).where(step.c.code.is_not(None)))
        known = select(step.c.code).where(step.c.code.is_not(None)).limit(_MOST_ADVISERS)
        with self._store.read() as connection:
            codes = list(connection.execute(known).scalars())
            named = select(staff.c.adviser, staff.c.name).where(
                staff.c.adviser.is_not(None), staff.c.disabled_at.is_(None)
            )
            names = {row.adviser: row.name for row in connection.execute(named)}
        found = [(self._marks.seal(session, "adviser", code), names.get(code, code)) for code in codes]
        return sorted(found, key=lambda one: one[1].casefold())

    def adviser(self, session: StaffSession, mark: str) -> str | None:
        """Return the code behind an adviser's mark."""
        return self._marks.read(session, "adviser", mark)

    # --- Inside ------------------------------------------------------------------------------------------------

    @staticmethod
    def _count(connection: Connection, view: View, now: datetime, first: str = "") -> int:
        query = people(view, now)
        if view.listed not in BY_DEADLINE:
            # Earlier rows were scanned before, and there may be hundreds of thousands.
            query = query.where(query.selected_columns[0] >= first)
        few = query.limit(MOST_COUNTED + 1).subquery()
        return int(connection.execute(select(func.count()).select_from(few)).scalar_one())

    def _facts(self, connection: Connection, kutids: list[str], now: datetime) -> dict[str, dict[str, Any]]:
        rows = connection.execute(_FACTS.where(customers.c.kutid.in_(kutids))).all()
        topics = [f"invitation:{row.link_id}" for row in rows if row.link_id]
        lost = {row.topic: row.state in ("given_up", "expired") for row in connection.execute(states_of(topics))}
        return {
            row.kutid: {
                "adviser": row.adviser,
                "has_address": bool(row.has_address),
                "invited_at": row.invited_at,
                "deadline_at": row.deadline_at,
                "reminded_at": row.reminded_at,
                "declined_at": row.declined_at,
                "is_open": row.deadline_at is not None and row.deadline_at > now,
                "is_undelivered": lost.get(f"invitation:{row.link_id}", False),
            }
            for row in rows
        }

    def _mark_of(self, session: StaffSession, view: View, kutid: str, facts: dict[str, dict[str, Any]]) -> str:
        moment = facts[kutid]["deadline_at"] if view.listed in BY_DEADLINE else None
        return self._marks.seal_place(session, f"place {view.listed}", kutid, moment)

    def _place(self, session: StaffSession, view: View, mark: str) -> ListPosition | None:
        place = self._marks.read_place(session, f"place {view.listed}", mark)
        return ListPosition(*place) if place else None
