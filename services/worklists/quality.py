"""Data to be put right: each case a customer and one thing about them, until somebody closes it with a note."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select, update

from services import audit
from services.accounts.conditions import is_registered
from services.base import Base
from services.refusal import OutOfTurn
from services.register.conditions import has_learnt, is_advised_by
from services.staff import Hit, StaffSession
from services.staff.reasons import refuse_reason
from services.staff.search import CustomerSearch
from services.store.tables.staff import staff
from services.store.tables.worklists import OF_TRIES as KINDS_OF_TRIES
from services.store.tables.worklists import quality_cases
from services.worklists.selection_tokens import SelectionTokens

LANDLINE, NO_PHONE, TAX_CUT, SHARED_PHONE = "landline", "no_phone", "tax_cut", "shared_phone"
FAILED, OLD_ACCOUNT = OF_TRIES = KINDS_OF_TRIES
"""Found by what customers have tried; the others by what the register holds."""
KINDS = (FAILED, OLD_ACCOUNT, LANDLINE, NO_PHONE, TAX_CUT, SHARED_PHONE)
PAGE = 25


@dataclass(frozen=True)
class QualityLine:
    """A case of the list. An open one may have been closed before, with a note."""

    id: str
    kind: str
    mark: str
    hit: Hit
    found_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    note: str | None


@dataclass(frozen=True)
class QualityPage:
    """A page of the list; `more` is the mark of what comes after it."""

    lines: list[QualityLine]
    more: str | None


class QualityCases:
    """The verbs of the cases; each public method is one transaction."""

    def __init__(self, base: Base, *, search: CustomerSearch, marks: SelectionTokens) -> None:
        self._store = base.store
        self._clock = base.clock
        self._search = search
        self._marks = marks

    def page(
        self,
        session: StaffSession,
        kind: str = "",
        place: str = "",
        *,
        adviser: str | None = None,
        closed: bool = False,
    ) -> QualityPage:
        """Return a page of the cases of a kind, or of all, the newest first; the closed ones with `closed`."""
        adviser = (session.member.adviser or "") if session.member.is_adviser else adviser
        query = self._after(session, _listed(kind, adviser, closed=closed), place, closed=closed)
        now = self._clock.now()
        with self._store.read() as connection:
            rows = connection.execute(query).all()
        with self._store.write() as connection:
            facts = {"what": kind or "quality", "found": str(min(len(rows), PAGE))}
            audit.record(connection, "listed", kutid=None, at=now, actor=session.member.id, **facts)
        lines = self._lines(session, rows[:PAGE])
        return QualityPage(lines, self._mark_of(session, rows[PAGE - 1], closed=closed) if len(rows) > PAGE else None)

    def _mark_of(self, session: StaffSession, row: Any, *, closed: bool) -> str:
        at = row.closed_at if closed else row.found_at
        return self._marks.seal_place(session, f"quality {closed}", row.id, at)

    def close(self, session: StaffSession, case_id: str, note: str) -> bool:
        """Close a case with a note; tell whether it was open: of two who close it at once, the first has done so.

        Raises Refusal ``note.…``, or OutOfTurn when the case is not the member's.
        """
        refuse_reason(note, "note")
        now = self._clock.now()
        own = is_advised_by(quality_cases.c.kutid, session.member.adviser)
        is_theirs: list[ColumnElement[bool]] = [own] if session.member.is_adviser else []
        may_close = quality_cases.c.id == case_id, session.lasts(now), *is_theirs
        with self._store.write() as connection:
            closed = connection.execute(
                update(quality_cases)
                .where(*may_close, quality_cases.c.closed_at.is_(None))
                .values(closed_at=now, closed_by=session.member.id, note=note)
                .returning(quality_cases.c.kutid, quality_cases.c.kind)
            ).first()
            if closed is not None:
                actor = session.member.id
                audit.record(connection, "case_closed", kutid=closed.kutid, at=now, actor=actor, what=closed.kind)
            elif connection.execute(select(quality_cases.c.id).where(*may_close)).first() is None:
                raise OutOfTurn
        return closed is not None

    def _lines(self, session: StaffSession, rows: Sequence[Any]) -> list[QualityLine]:
        hits = {hit.kutid: hit for hit in self._search.hits(session, [row.kutid for row in rows])}
        return [
            QualityLine(
                row.id, row.kind, self._marks.seal(session, "customer", row.kutid), hits[row.kutid],
                row.found_at, row.closed_at, row.name, row.note,
            )
            for row in rows
            if row.kutid in hits
        ]  # fmt: skip

    def _after(self, session: StaffSession, query: Select[Any], place: str, *, closed: bool) -> Select[Any]:
        moment = quality_cases.c.closed_at if closed else quality_cases.c.found_at
        found = self._marks.read_place(session, f"quality {closed}", place)
        if found is None:
            return query
        case_id, at = found
        return query.where(moment <= at, or_(moment < at, and_(moment == at, quality_cases.c.id < case_id)))


def _is_due() -> ColumnElement[bool]:
    """Return the condition that an open case still is one, whatever has happened since it was found.

    Who has registered needs no help with it; and a mobile that staff recorded counts at once.
    """
    has_account = is_registered(quality_cases.c.kutid)
    has_mobile = has_learnt(quality_cases.c.kutid, "mobile")
    is_moot = or_(
        and_(quality_cases.c.kind.in_((LANDLINE, NO_PHONE)), or_(has_account, has_mobile)),
        and_(quality_cases.c.kind.in_(OF_TRIES), has_account),
    )
    return ~is_moot


def _listed(kind: str, adviser: str | None, *, closed: bool) -> Select[Any]:
    """Return the query of a page of `QualityCases.page`, the newest first."""
    moment = quality_cases.c.closed_at if closed else quality_cases.c.found_at
    is_shown = moment.is_not(None) if closed else and_(quality_cases.c.closed_at.is_(None), _is_due())
    query: Select[Any] = (
        select(*quality_cases.c, staff.c.name)
        .select_from(quality_cases.outerjoin(staff, staff.c.id == quality_cases.c.closed_by))
        .where(is_shown)
        .order_by(moment.desc(), quality_cases.c.id.desc())
        .limit(PAGE + 1)
    )
    if kind in KINDS:
        query = query.where(quality_cases.c.kind == kind)
    if adviser is not None:
        query = query.where(is_advised_by(quality_cases.c.kutid, adviser))
    return query
