"""The requests of customers as staff work on them: the queue, one request, and passing one on (P43)."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, select

from services import audit
from services.base import Base
from services.letters.desk import LetterDesk
from services.letters.letter import Letter
from services.refusal import OutOfTurn, Refusal
from services.requests.handling import Handling
from services.requests.request import Event, Request
from services.staff.member import ADVISER, StaffSession
from services.store.tables.register import customers, policies
from services.store.tables.requests import request_events, requests
from services.store.tables.staff import staff

NEW, MINE, OPEN, WAITING, LATE = "new", "mine", "open", "waiting", "late"
LISTS = (NEW, MINE, OPEN, WAITING, LATE)
PAGE = 50
"""Requests on one page of a list."""
_OPEN = ("sent", "taken", "question")
_HELD = ("taken", "question", "answered")


@dataclass(frozen=True)
class QueueLine:
    """A request in a list."""

    request: Request
    customer: str | None
    """The name; None where the sender is not identified (P45)."""
    holder: str | None
    """The name of the member who works on it; None where nobody does, or the insurer's system."""
    has_replied: bool
    """Whether the customer has answered the question, and nothing happened since."""


@dataclass(frozen=True)
class Queue:
    """A page of a list, and how many requests each list holds."""

    lines: tuple[QueueLine, ...]
    more: str | None
    """The id after which the next page begins."""
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Opened:
    """A request as staff see it."""

    request: Request
    events: tuple[Event, ...]
    customer: str | None
    """The name; None where the sender is not identified (P45)."""
    policy_holder: str | None
    """Where the sender is not identified: the name that the register has for the policy number."""
    holder: str | None
    letters: tuple[Letter, ...]
    """The customer's newest letters, which an answer may name."""
    names: Mapping[str, str]
    """The names of the members of staff who did something with it, by their ids."""


class RequestDesk:
    """Shows requests to customer service. Advisers get OutOfTurn: it is not theirs (P43)."""

    def __init__(self, base: Base, *, handling: Handling, letters: LetterDesk) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._handling = handling
        self._letters = letters

    @property
    def today(self) -> date:
        """The day that it is at the insurer's."""
        return self._clock.now().astimezone(self._profile.zone).date()

    def queue(
        self, by: StaffSession, listed: str, *, kind: str | None = None, by_age: bool = False, after: str | None = None
    ) -> Queue:
        """Return a page of one of `LISTS`: what is due first, or with `by_age` what was sent first.

        `kind` leaves one kind of request alone. `after` is the last id of the page before.
        """
        _check(by)
        order = requests.c.sent_at if by_age else requests.c.promised_on
        query = _LINE.where(self._is_in(by, listed)).order_by(order, requests.c.id).limit(PAGE + 1)
        if kind:
            query = query.where(requests.c.kind == kind)
        if after is not None:
            last = select(order).where(requests.c.id == after).scalar_subquery()
            query = query.where((order > last) | ((order == last) & (requests.c.id > after)))
        counts = select(*[func.sum(case((self._is_in(by, one), 1), else_=0)).label(one) for one in LISTS])
        of_open = counts.where(requests.c.state.in_((*_OPEN, "answered")))
        with self._store.read() as connection:
            found = [_line(row) for row in connection.execute(query)]
            numbers = connection.execute(of_open).one()._mapping
        more = found[PAGE - 1].request.id if len(found) > PAGE else None
        return Queue(tuple(found[:PAGE]), more, {one: int(numbers[one] or 0) for one in LISTS})

    def open(self, by: StaffSession, request_id: str) -> Opened:
        """Return a request, and note in the audit trail who has looked. Raises OutOfTurn where there is none."""
        _check(by)
        found, events = self._handling.find(request_id)
        with self._store.write() as connection:
            name = connection.execute(select(customers.c.name).where(customers.c.kutid == found.kutid)).scalar()
            holder = connection.execute(_HOLDER.where(policies.c.policy_number == found.policy_number)).scalar()
            actors = {one.actor for one in events} | {found.holder}
            named = select(staff.c.id, staff.c.name).where(staff.c.id.in_([one for one in actors if one]))
            names = {row.id: row.name for row in connection.execute(named)}
            page = self._letters.page(connection, found.kutid or "")
            audit.record(
                connection, "request_seen", kutid=found.kutid, at=self._clock.now(), actor=by.actor, request=request_id
            )
        current = tuple(one.letter for one in page.letters if not one.letter.is_withdrawn)
        claimed_of = None if found.kutid else holder
        return Opened(found, events, name, claimed_of, names.get(found.holder or ""), current, names)

    def colleagues(self, by: StaffSession) -> tuple[tuple[str, str], ...]:
        """Return the id and the name of everybody to whom a request may be passed on, by their names."""
        _check(by)
        query = select(staff.c.id, staff.c.name).where(*_IS_COLLEAGUE).order_by(staff.c.name, staff.c.id)
        with self._store.read() as connection:
            return tuple((row.id, row.name) for row in connection.execute(query))

    def pass_on(self, by: StaffSession, request_id: str, to: str, note: str | None) -> str:
        """Pass a request on to a colleague, and return their name.

        Raises Refusal ``to.unknown`` for nobody who could work on it, ``request.text`` for a long note, OutOfTurn.
        """
        _check(by)
        with self._store.read() as connection:
            name = connection.execute(select(staff.c.name).where(staff.c.id == to, *_IS_COLLEAGUE)).scalar()
        if name is None:
            raise Refusal("to", "unknown")
        self._handling.pass_on(request_id, to, note, actor=by.actor)
        return str(name)

    def next_of(self, by: StaffSession, request_id: str) -> str | None:
        """Return the id of the request that is due first and that nobody has taken; None where there is none."""
        _check(by)
        query = (
            select(requests.c.id)
            .where(requests.c.state == "sent", requests.c.id != request_id)
            .order_by(requests.c.promised_on, requests.c.id)
        )
        with self._store.read() as connection:
            return connection.execute(query.limit(1)).scalar()

    def _is_in(self, by: StaffSession, listed: str) -> ColumnElement[bool]:
        c = requests.c
        return {
            MINE: (c.holder == by.member.id) & c.state.in_(_HELD),
            OPEN: c.state.in_(_OPEN),
            WAITING: c.state == "question",
            LATE: c.state.in_(("sent", "taken")) & (c.promised_on < self.today),
        }.get(listed, c.state == "sent")


_IS_COLLEAGUE = staff.c.role != ADVISER, staff.c.disabled_at.is_(None)
_HOLDER = select(customers.c.name).join_from(customers, policies, policies.c.kutid == customers.c.kutid)
_LAST = (
    select(request_events.c.type)
    .where(request_events.c.request_id == requests.c.id)
    .order_by(request_events.c.place.desc())
    .limit(1)
    .correlate(requests)
    .scalar_subquery()
)
_FIELDS = tuple(one.name for one in fields(Request))
_LINE: Select[Any] = (
    select(
        *[requests.c[name] for name in _FIELDS],
        customers.c.name.label("customer_name"),
        staff.c.name.label("holder_name"),
        _LAST.label("last_event"),
    )
    .select_from(requests)
    .outerjoin(customers, customers.c.kutid == requests.c.kutid)
    .outerjoin(staff, staff.c.id == requests.c.holder)
)


def _line(row: Any) -> QueueLine:
    found = Request(**{name: row._mapping[name] for name in _FIELDS})
    has_replied = found.state == "taken" and row.last_event == "replied"
    return QueueLine(found, row.customer_name, row.holder_name, has_replied)


def _check(by: StaffSession) -> None:
    if by.member.is_adviser:
        raise OutOfTurn
