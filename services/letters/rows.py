"""Reads and writes the rows of letters, in a caller's transaction."""

from datetime import datetime
from typing import get_args

from sqlalchemy import ColumnElement, Connection, Select, and_, insert, or_, select

from services import events as feed
from services.letters.letter import EventType, Letter, LetterEvent
from services.randomness import opaque_id
from services.refusal import OutOfTurn
from services.store.statements import insert_for
from services.store.tables.letters import letter_events, letters

LETTER: Select[tuple[object, ...]] = select(*[letters.c[name] for name in Letter.__dataclass_fields__])
"""Selects what a `Letter` holds."""

IS_CURRENT = and_(letters.c.withdrawn_at.is_(None), letters.c.replaced_by.is_(None))
"""The condition that a letter was neither taken back nor replaced."""

_REPEATED = ("notified", "bounced", "downloaded", "staff", "adviser")
"""Events that may happen to one letter several times."""

_IN_FEED: dict[EventType, str] = {"opened": "document.opened", "bounced": "document.bounced"}
"""Events that the insurer's systems learn of by the feed (P42)."""

_ORDER = {event: place for place, event in enumerate(get_args(EventType))}


def note(connection: Connection, letter_id: str, event: EventType, at: datetime, actor: str) -> None:
    """Append an event. Raises IntegrityError where one that happens once has happened already."""
    event_id = opaque_id()
    once = event_id if event in _REPEATED else f"{letter_id} {event}"
    connection.execute(
        insert(letter_events).values(id=event_id, letter_id=letter_id, type=event, at=at, actor=actor, once=once)
    )
    if kind := _IN_FEED.get(event):
        kutid = connection.execute(select(letters.c.kutid).where(letters.c.id == letter_id)).scalar_one()
        feed.note(connection, kind, at, kutid=kutid, document=letter_id)


def note_first(connection: Connection, letter_id: str, event: EventType, at: datetime, actor: str) -> bool:
    """Append an event that happens once; return False, having changed nothing, where it has happened already."""
    row = {"id": opaque_id(), "letter_id": letter_id, "type": event, "at": at, "actor": actor}
    first = insert_for(connection, letter_events).values(**row, once=f"{letter_id} {event}").on_conflict_do_nothing()
    return connection.execute(first.returning(letter_events.c.id)).first() is not None


def letter(connection: Connection, letter_id: str) -> Letter:
    """Return a letter, whose ever it is. Raises OutOfTurn."""
    row = connection.execute(LETTER.where(letters.c.id == letter_id)).first()
    if row is None:
        raise OutOfTurn
    return Letter(**row._mapping)


def is_older(connection: Connection, kutid: str, after: str) -> ColumnElement[bool]:
    """Return the condition that a letter was published before the letter `after` of this customer. Raises OutOfTurn."""
    place = select(letters.c.published_at, letters.c.id).where(letters.c.id == after, letters.c.kutid == kutid)
    last = connection.execute(place).first()
    if last is None:
        raise OutOfTurn
    return or_(
        letters.c.published_at < last.published_at,
        and_(letters.c.published_at == last.published_at, letters.c.id < last.id),
    )


def events(connection: Connection, letter_id: str) -> tuple[LetterEvent, ...]:
    """Return what happened to a letter, oldest first."""
    found = connection.execute(
        select(letter_events.c.type, letter_events.c.at, letter_events.c.actor).where(
            letter_events.c.letter_id == letter_id
        )
    )
    # A letter may be published and bounce in one transaction: the moment alone does not tell the order.
    return tuple(sorted((LetterEvent(**row._mapping) for row in found), key=lambda one: (one.at, _ORDER[one.type])))
