"""What requests with an idempotency key were answered, so that one that is repeated does nothing twice.

(IETF draft “The Idempotency-Key HTTP Header Field”, draft-ietf-httpapi-idempotency-key-header.) The database decides
who executes: of the same request sent by many at once, one does, whichever process it reaches.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, delete, or_, select, update

from services import randomness
from services.base import Base
from services.refusal import Refusal
from services.store.statements import insert_for
from services.store.tables.clients import api_answers as table

KEPT_FOR = timedelta(hours=24)
_GIVEN_UP = timedelta(minutes=2)
"""After this time an unanswered request counts as dead, and its repetition is executed."""


@dataclass(frozen=True)
class Answer:
    """A status, the headers that are its own, and the body."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class Turn:
    """The right to execute a request and to keep its answer."""

    row: str
    turn: str


class IdempotentAnswers:
    """Keeps answers for a day, under keyed hashes of who asked what: nothing of the request itself."""

    def __init__(self, base: Base) -> None:
        self._store = base.store
        self._clock = base.clock
        self._secret = base.keys.oldest_for("answers of the API").encode()

    def begin(self, client_id: str, key: str, asked: bytes) -> Turn | Answer:
        """Return the turn to execute a request, or the answer that it was given before.

        `asked` is all that makes the request what it is. Raises Refusal ``idempotency_key.reused`` when the key came
        with another request, ``idempotency_key.under_way`` while the same one is being executed.
        """
        mine = Turn(self._hash(b"key", client_id.encode() + b"\n" + key.encode()), randomness.opaque_id())
        hashed, now = self._hash(b"asked", asked), self._clock.now()
        with self._store.write() as connection:
            if _take(connection, mine, hashed, now):
                return mine
            kept = connection.execute(select(*table.c).where(table.c.id == mine.row)).one()
        if not hmac.compare_digest(kept.asked, hashed):
            raise Refusal("idempotency_key", "reused")
        if kept.status is None:
            raise Refusal("idempotency_key", "under_way")
        return Answer(kept.status, kept.headers or {}, kept.body or "")

    def keep(self, turn: Turn, answer: Answer) -> None:
        """Keep the answer for a day, unless the turn has gone to somebody else meanwhile."""
        with self._store.write() as connection:
            connection.execute(
                update(table)
                .where(table.c.id == turn.row, table.c.turn == turn.turn)
                .values(status=answer.status, headers=dict(answer.headers), body=answer.body)
            )

    def forget(self, turn: Turn) -> None:
        """Nothing came of the request: let it be repeated."""
        with self._store.write() as connection:
            connection.execute(delete(table).where(table.c.id == turn.row, table.c.turn == turn.turn))

    def _hash(self, purpose: bytes, what: bytes) -> str:
        return hmac.new(self._secret, purpose + b":" + what, hashlib.sha256).hexdigest()


def _take(connection: Connection, mine: Turn, asked: str, now: datetime) -> bool:
    """Take the turn unless somebody has it, or its answer is kept; tell whether it is ours."""
    fresh = {"asked": asked, "turn": mine.turn, "begun_at": now, "status": None, "headers": None, "body": None}
    is_given_up = and_(table.c.status.is_(None), table.c.begun_at <= now - _GIVEN_UP, table.c.asked == asked)
    taken = (
        insert_for(connection, table)
        .values(id=mine.row, **fresh)
        .on_conflict_do_update(
            index_elements=[table.c.id], set_=fresh, where=or_(table.c.begun_at <= now - KEPT_FOR, is_given_up)
        )
        .returning(table.c.id)
    )
    return connection.execute(taken).first() is not None
