"""Appends an event in the transaction that causes it."""

from datetime import datetime

from sqlalchemy import Connection, insert

from services.store.tables.events import events

TYPES = (
    "contact.changed",
    "document.opened",
    "document.bounced",
    "payment.received",
    "payment.doubled",
    "request.sent",
    "request.attached",
    "request.answered",
    "request.withdrawn",
    "file.ready",
)
"""Every type of event."""


def note(db: Connection, kind: str, at: datetime, *, kutid: str | None = None, **ids: str | int) -> None:
    """Append an event to the feed, in the caller's transaction: it happened if and only if that commits.

    `kind` is one of `TYPES`; `kutid` is the customer whose event it is, and is never sent. `ids` are the event's data,
    such as ``document=letter_id``: ids alone, no personal data. Raises ValueError for an unknown kind.
    """
    if kind not in TYPES:
        raise ValueError(f"no event is called {kind}")
    db.execute(insert(events).values(type=kind, at=at, kutid=kutid, data=ids))
