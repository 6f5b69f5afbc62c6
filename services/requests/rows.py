"""Reads and appends the rows of requests, in a caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, insert, select, update

from services.randomness import opaque_id
from services.refusal import OutOfTurn
from services.requests.request import Draft, Event, EventType, Request, State
from services.store.tables.requests import request_drafts, request_events, requests

DRAFT: Select[Any] = select(*[request_drafts.c[name] for name in Draft.__dataclass_fields__])
"""Selects what a `Draft` holds."""
REQUEST: Select[Any] = select(*[requests.c[name] for name in Request.__dataclass_fields__])
"""Selects what a `Request` holds."""


def events_of(connection: Connection, request_id: str) -> tuple[Event, ...]:
    """Return what happened to a request, oldest first."""
    c = request_events.c
    query = select(c.type, c.at, c.actor, c.text, c.letters).where(c.request_id == request_id).order_by(c.place)
    return tuple(
        Event(row.type, row.at, row.actor, row.text, tuple(row.letters or ())) for row in connection.execute(query)
    )


def note(
    connection: Connection,
    request_id: str,
    event: EventType,
    at: datetime,
    actor: str,
    *,
    text: str | None = None,
    letters: Sequence[str] = (),
) -> None:
    """Append what happened to a request, whose row the transaction holds."""
    places = select(func.count()).where(request_events.c.request_id == request_id)
    connection.execute(
        insert(request_events).values(
            id=opaque_id(),
            request_id=request_id,
            place=connection.execute(places).scalar_one(),
            type=event,
            at=at,
            actor=actor,
            text=text,
            letters=list(letters) or None,
        )
    )


def move(
    connection: Connection,
    request_id: str,
    before: Sequence[State],
    after: State,
    *only_if: ColumnElement[bool],
    **values: Any,
) -> Request:
    """Change the state of a request by one conditional UPDATE. Raises OutOfTurn when it is in none of `before`."""
    moved = (
        update(requests)
        .where(requests.c.id == request_id, requests.c.state.in_(before), *only_if)
        .values(state=after, **values)
        .returning(*REQUEST.selected_columns)
    )
    row = connection.execute(moved).first()
    if row is None:
        raise OutOfTurn
    return Request(**row._mapping)
