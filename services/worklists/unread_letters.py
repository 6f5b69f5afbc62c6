"""Letters that nobody opened, by the day until which they are to be read (P20, P23)."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from sqlalchemy import ColumnElement, and_, exists, or_, select

from services import audit
from services.base import Base
from services.letters import rows
from services.register.conditions import is_advised_by
from services.staff import Hit, StaffSession
from services.staff.search import CustomerSearch
from services.store.tables.letters import letter_events, letters
from services.worklists.selection_tokens import SelectionTokens

PAGE = 25
_PLACE = "unread letters"


@dataclass(frozen=True)
class UnreadLine:
    """A letter of the list, and its customer, masked until identified."""

    mark: str
    hit: Hit
    type: str
    latest_on: date
    is_bounced: bool
    """Whether no mail about it has arrived."""


@dataclass(frozen=True)
class UnreadPage:
    """A page of the list; `more` is the mark of what comes after it."""

    lines: list[UnreadLine]
    more: str | None


class UnreadLetters:
    """Reads the list; every page that was shown stands in the audit trail."""

    def __init__(self, base: Base, *, search: CustomerSearch, marks: SelectionTokens) -> None:
        self._store = base.store
        self._clock = base.clock
        self._zone = base.profile.zone
        self._search = search
        self._marks = marks

    def page(
        self, session: StaffSession, place: str = "", *, adviser: str | None = None, is_bounced: bool = False
    ) -> UnreadPage:
        """Return a page, the most urgent letter first; with `is_bounced` those alone of which no mail has arrived."""
        adviser = (session.member.adviser or "") if session.member.is_adviser else adviser
        now = self._clock.now()
        conditions = [_is_waiting(now.astimezone(self._zone).date())]
        if adviser is not None:
            conditions.append(is_advised_by(letters.c.kutid, adviser))
        if is_bounced:
            conditions.append(_IS_BOUNCED)
        if found := self._marks.read_place(session, f"{_PLACE} {is_bounced}", place):
            conditions.append(_is_after(*found))
        columns = letters.c.id, letters.c.kutid, letters.c.type, letters.c.latest_on, _IS_BOUNCED.label("is_bounced")
        query = select(*columns).where(*conditions).order_by(letters.c.latest_on, letters.c.id).limit(PAGE + 1)
        with self._store.write() as connection:
            listed = connection.execute(query).all()
            facts = {"what": "letters", "found": str(min(len(listed), PAGE))}
            audit.record(connection, "listed", kutid=None, at=now, actor=session.member.id, **facts)
        shown = listed[:PAGE]
        hits = {hit.kutid: hit for hit in self._search.hits(session, list({row.kutid for row in shown}))}
        lines = [
            UnreadLine(
                self._marks.seal(session, "customer", row.kutid), hits[row.kutid], row.type, row.latest_on,
                bool(row.is_bounced),
            )
            for row in shown
            if row.kutid in hits
        ]  # fmt: skip
        if len(listed) <= PAGE:
            return UnreadPage(lines, None)
        last = shown[-1]
        midnight = datetime.combine(last.latest_on, time(), UTC)
        return UnreadPage(lines, self._marks.seal_place(session, f"{_PLACE} {is_bounced}", last.id, midnight))


_IS_BOUNCED = and_(
    exists().where(letter_events.c.letter_id == letters.c.id, letter_events.c.type == "bounced"),
    ~exists().where(letter_events.c.letter_id == letters.c.id, letter_events.c.type == "notified"),
)


def _is_waiting(today: date) -> ColumnElement[bool]:
    return and_(
        letters.c.latest_on >= today, letters.c.opened_at.is_(None), letters.c.printed_at.is_(None), rows.IS_CURRENT
    )


def _is_after(letter_id: str, midnight: datetime | None) -> ColumnElement[bool]:
    day = midnight.date() if midnight else date.min
    return or_(letters.c.latest_on > day, and_(letters.c.latest_on == day, letters.c.id > letter_id))
