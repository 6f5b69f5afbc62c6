"""Reads and writes the rows of letters, in a caller's transaction."""

from datetime import datetime
from typing import get_args

from sqlalchemy import Connection, Select, insert, select

from services import events as feed
from services.letters.letter import EventType, Letter, LetterEvent
from services.randomness import opaque_id
from services.refusal import OutOfTurn
from services.store.tables.letters import letter_events, letters

LETTER: Select[tuple[object, ...]] = select(*[letters.c[name] for name in Letter.__dataclass_fields__])
"""Selects what a `Letter` holds."""

_REPEATED = ("notified", "bounced", "downloaded")
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


def letter(connection: Connection, letter_id: str) -> Letter:
    """Return a letter, whose ever it is. Raises OutOfTurn."""
    row = connection.execute(LETTER.where(letters.c.id == letter_id)).first()
    if row is None:
        raise OutOfTurn
    return Letter(**row._mapping)


def events(connection: Connection, letter_id: str) -> tuple[LetterEvent, ...]:
    """Return what happened to a letter, oldest first."""
    found = connection.execute(
        select(letter_events.c.type, letter_events.c.at, letter_events.c.actor).where(
            letter_events.c.letter_id == letter_id
        )
    )
    # A letter may be published and bounce in one transaction: the moment alone does not tell the order.
    return tuple(sorted((LetterEvent(**row._mapping) for row in found), key=lambda one: (one.at, _ORDER[one.type])))
