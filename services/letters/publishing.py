"""Publishing a letter: its row, its bytes and the customer's notice at once (P10–P12)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import insert

from services.base import Base
from services.gateways.storage import Storage
from services.letters import rows
from services.randomness import opaque_id
from services.store.tables.letters import letters


@dataclass(frozen=True)
class NewLetter:
    """What the insurer's system says of a letter."""

    kutid: str
    type: str
    title: str
    issued_on: date
    language: str
    policy_number: str | None = None
    latest_on: date | None = None
    confirm_by: date | None = None
    replaces: str | None = None
    data: Mapping[str, Any] | None = None


class Publishing:
    """Takes letters from the insurer."""

    def __init__(self, base: Base, storage: Storage) -> None:
        self._store = base.store
        self._clock = base.clock
        self._storage = storage

    def publish(self, letter: NewLetter, content: bytes, *, actor: str) -> str:
        """Publish a letter, and return its id.

        The bytes are kept before the row is: without the row nobody can reach them. Raises StorageUnavailable.
        """
        letter_id, now = opaque_id(), self._clock.now()
        self._storage.put(f"letters/{letter_id}", content)
        with self._store.write() as connection:
            connection.execute(
                insert(letters).values(
                    id=letter_id,
                    **{name: getattr(letter, name) for name in NewLetter.__dataclass_fields__},
                    sha256=hashlib.sha256(content).hexdigest(),
                    size=len(content),
                    published_at=now,
                )
            )
            rows.note(connection, letter_id, "published", now, actor)
        return letter_id
