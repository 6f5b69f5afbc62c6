"""Puts in letters as if they had been published a while ago: a demonstration has a past (P56).

No notification leaves, and no moment is taken from the clock.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from services.gateways.storage import Storage
from services.letters.letter import EventType
from services.letters.publishing import NewLetter
from services.randomness import opaque_id, reference
from services.store.engine import Store
from services.store.tables.letters import letter_events, letters


@dataclass(frozen=True)
class PastLetter:
    """A letter with its file and what has happened to it. Each thing happened once, None is what did not."""

    letter: NewLetter
    content: bytes
    published_at: datetime
    notified_at: datetime | None = None
    opened_at: datetime | None = None
    confirmed_at: datetime | None = None
    withdrawn_at: datetime | None = None
    withdrawn_reason: str | None = None
    id: str = field(default_factory=opaque_id)


def add_past_letters(store: Store, storage: Storage, past: Sequence[PastLetter]) -> None:
    """Put all these letters in at once. One that replaces another comes after it. Raises StorageUnavailable."""
    hashes = {content: hashlib.sha256(content).hexdigest() for content in {one.content for one in past}}
    for content, sha256 in hashes.items():
        storage.put(f"letters/{sha256}", content)
    newer = {one.letter.replaces: one for one in past if one.letter.replaces}
    with store.write() as connection:
        if past:
            connection.execute(insert(letters), [_row(one, hashes[one.content], newer.get(one.id)) for one in past])
            connection.execute(insert(letter_events), [row for one in past for row in _events(one, newer.get(one.id))])


def _row(one: PastLetter, sha256: str, newer: PastLetter | None) -> dict[str, Any]:
    return {
        "id": one.id,
        **vars(one.letter),
        "sha256": sha256,
        "size": len(one.content),
        "published_at": one.published_at,
        "opened_at": one.opened_at,
        "confirmed_at": one.confirmed_at,
        "withdrawn_at": one.withdrawn_at,
        "withdrawn_reason": one.withdrawn_reason,
        "withdrawn_code": reference() if one.withdrawn_at else None,
        "replaced_by": newer.id if newer else None,
    }


def _events(one: PastLetter, newer: PastLetter | None) -> Iterator[dict[str, Any]]:
    happened: tuple[tuple[EventType, datetime | None, str], ...] = (
        ("published", one.published_at, "insurer"),
        ("notified", one.notified_at, "mail"),
        ("opened", one.opened_at, "customer"),
        ("confirmed", one.confirmed_at, "customer"),
        ("withdrawn", one.withdrawn_at, "insurer"),
        ("replaced", newer.published_at if newer else None, "insurer"),
    )
    for event, at, actor in happened:
        if at is not None:
            yield {
                "id": opaque_id(),
                "letter_id": one.id,
                "type": event,
                "at": at,
                "actor": actor,
                "once": f"{one.id} {event}",
            }
