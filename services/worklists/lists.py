"""The lists of customers who have not registered: their conditions, in what order they stand, and by which index."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    exists,
    or_,
    select,
)

from services.accounts.conditions import is_registered
from services.register.conditions import has_address, has_live_policy
from services.staff.member import StaffSession
from services.store.tables.register import advisers, customers
from services.store.tables.worklists import invitations

ALL, NOT_INVITED, NO_ADDRESS, INVITED, OVERDUE = "all", "not_invited", "no_address", "invited", "overdue"
LISTS = (ALL, NOT_INVITED, NO_ADDRESS, INVITED, OVERDUE)
"""The lists: all customers; reachable by mail and not invited; to be called; invited; past their deadline."""
BY_DEADLINE = (INVITED, OVERDUE)

INVITATION, REMINDER = "invitation", "reminder"
AGAIN = timedelta(days=1)
"""Nobody gets a second mail of these within it."""

IS_LIVE = has_live_policy(customers.c.kutid)
HAS_ACCOUNT = is_registered(customers.c.kutid)


@dataclass(frozen=True)
class View:
    """Which list is looked at, and of which adviser: None for everybody's."""

    listed: str = ALL
    adviser: str | None = None

    def seen_by(self, session: StaffSession) -> "View":
        """Return the view as this member may have it: an adviser has their own customers."""
        listed = self.listed if self.listed in LISTS else ALL
        adviser = (session.member.adviser or "") if session.member.is_adviser else self.adviser
        return replace(self, listed=listed, adviser=adviser)


@dataclass(frozen=True)
class ListPosition:
    """The last row of a page: the customer, and the deadline where the list is sorted by it."""

    kutid: str
    deadline_at: datetime | None = None


def people(view: View, now: datetime, *, by_number: bool = False) -> Select[str]:
    """Return the query for the KÜTIDs of a list, in its order; by their number with `by_number`."""
    source: FromClause = customers
    key: ColumnElement[str] = customers.c.kutid
    if view.listed in BY_DEADLINE:
        source, key = invitations.join(customers), invitations.c.kutid
    if view.adviser is not None:
        source = source.join(advisers, advisers.c.kutid == key)
        # Named after the table whose index begins with the adviser: so it is read in order.
        key = key if view.listed in BY_DEADLINE else advisers.c.kutid
    query = select(key).select_from(source).where(IS_LIVE, ~HAS_ACCOUNT, *_listed(view.listed, now))
    if view.adviser is not None:
        query = query.where(advisers.c.adviser == view.adviser)
    goes_by_deadline = view.listed in BY_DEADLINE and not by_number
    return query.order_by(invitations.c.deadline_at, key) if goes_by_deadline else query.order_by(key)


def _listed(listed: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Return the conditions by which customers are in a list, of those who can register and have not."""
    if listed == INVITED:
        return (invitations.c.deadline_at > now,)
    if listed == OVERDUE:
        return (invitations.c.deadline_at <= now,)
    if listed == NOT_INVITED:
        return has_address(), ~exists().where(invitations.c.kutid == customers.c.kutid)
    return (~has_address(),) if listed == NO_ADDRESS else ()


def reached(view: View, kind: str, now: datetime, *, by_number: bool = False) -> Select[str]:
    """Select the listed customers who can get this mail: they have an address and were not mailed recently."""
    query = people(view, now, by_number=by_number).where(has_address())
    invited = exists().where(invitations.c.kutid == customers.c.kutid).correlate(customers)
    has_had_it = or_(invitations.c.deadline_at > now, invitations.c.declined_at.is_not(None))
    return query.where(~invited.where(has_had_it) if kind == INVITATION else invited.where(may_remind(now)))


def may_remind(now: datetime) -> ColumnElement[bool]:
    """Return the condition that an invitation is open, not declined, and nobody was written to for it for a day."""
    is_rested = and_(
        invitations.c.invited_at <= now - AGAIN,
        or_(invitations.c.reminded_at.is_(None), invitations.c.reminded_at <= now - AGAIN),
    )
    return and_(invitations.c.deadline_at > now, invitations.c.declined_at.is_(None), is_rested)


def after(query: Select[str], view: View, place: ListPosition | None, *, by_number: bool = False) -> Select[str]:
    """Return the query for what comes after a place in the list."""
    if place is None:
        return query
    key = query.selected_columns[0]
    if by_number or view.listed not in BY_DEADLINE:
        return query.where(key > place.kutid)
    # The first condition is for the index, which an OR alone would not use.
    is_later = or_(
        invitations.c.deadline_at > place.deadline_at,
        and_(invitations.c.deadline_at == place.deadline_at, key > place.kutid),
    )
    return query.where(invitations.c.deadline_at >= place.deadline_at, is_later)
