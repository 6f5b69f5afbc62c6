"""What other packages ask about registrations: conditions and queries, so that none of them reads the table."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, exists, func, select

from services.store.tables.registrations import registrations


def is_registering(kutid: ColumnElement[str], now: datetime) -> ColumnElement[bool]:
    """Return the condition that a customer has a registration whose time is not over."""
    return exists().where(registrations.c.kutid == kutid, registrations.c.expires_at > now)


def registering(kutids: Sequence[str], now: datetime) -> Select[str]:
    """Return the query for those of the customers who have a registration whose time is not over."""
    return select(registrations.c.kutid).where(registrations.c.kutid.in_(kutids), registrations.c.expires_at > now)


def count_open(now: datetime) -> Select[int]:
    """Return the query for the number of registrations whose time is not over."""
    return select(func.count()).where(registrations.c.expires_at > now)
