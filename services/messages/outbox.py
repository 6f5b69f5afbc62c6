"""Messages wait here from the transaction that causes them until they have left."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, and_, func, insert, or_, select, update

from services import request_ids
from services.base import Base
from services.randomness import opaque_id
from services.store.tables.messages import ENDED, outbox
from services.values import masking

WAITING, SENDING, DOUBTFUL, REPEATING = "waiting", "sending", "doubtful", "repeating"
UNSENT = (WAITING, SENDING, DOUBTFUL, REPEATING)
"""A message is sent at most twice, so its state tells how often it may have left: `waiting` never; `sending` it
is leaving, or was when the process died; `doubtful` perhaps once; `repeating` it is leaving for the last time."""

_INSERT = insert(outbox)


@dataclass(frozen=True)
class Message:
    """One message of the outbox, as the table keeps it."""

    id: str
    kind: Literal["email", "sms"]
    recipient: str
    message: str
    language: str
    facts: Mapping[str, str]
    topic: str
    created_at: datetime
    expires_at: datetime
    state: str
    attempts: int
    request_id: str | None = None
    """Of the request that caused it; none where a command or the worker did."""


@dataclass(frozen=True)
class GivenUp:
    """A message that was not delivered, for the operators' eyes: the recipient is masked."""

    id: str
    kind: str
    recipient: str
    message: str
    state: str
    created_at: datetime
    attempts: int
    error: str


@dataclass(frozen=True)
class Backlog:
    """What has not left yet: since when the oldest message waits, and what the last try of one failed with."""

    since: datetime
    error: str
    """Empty when none was tried. The senders' own words, which hold no recipient, code or link."""


class Outbox:
    """Takes messages in, and tells how many wait, have left or were given up."""

    def __init__(self, base: Base) -> None:
        self._store = base.store
        self._clock = base.clock

    def put(
        self,
        connection: Connection,
        *,
        kind: Literal["email", "sms"],
        recipient: str,
        message: str,
        language: str,
        topic: str,
        expires_at: datetime,
        facts: Mapping[str, str],
        due_at: datetime | None = None,
    ) -> str:
        """Write down one message in the caller's transaction, by one statement, and return its id.

        `message` names the text (``confirm``, ``code`` …), `facts` fill it, `expires_at` is when the link or
        code in it dies: it is never sent after that. It leaves at `due_at`, by default at once. The messages of one
        `topic` leave in their order.
        """
        now = self._clock.now()
        message_id = opaque_id()
        connection.execute(
            _INSERT,
            {
                "id": message_id,
                "kind": kind,
                "recipient": recipient,
                "message": message,
                "language": language,
                "facts": dict(facts),
                "topic": topic,
                "created_at": now,
                "due_at": due_at or now,
                "expires_at": expires_at,
                "state": WAITING,
                "attempts": 0,
                "request_id": request_ids.current() or None,
            },
        )
        self._store.announce(connection)
        return message_id

    def reword(
        self, connection: Connection, topic: str, *, recipient: str, message: str, facts: Mapping[str, str]
    ) -> bool:
        """Change what the topic's message to this recipient says; return False when it has been taken to be sent."""
        is_untried = outbox.c.state == WAITING, outbox.c.attempts == 0
        mine = update(outbox).where(outbox.c.topic == topic, outbox.c.recipient == recipient, *is_untried)
        return connection.execute(mine.values(message=message, facts=dict(facts))).rowcount > 0

    def replace(self, connection: Connection, topic: str) -> bool:
        """Keep the topic's unsent messages from being sent, and forget what was in them.

        Return whether there was one that certainly has not left.
        """
        unsent = outbox.c.topic == topic, outbox.c.state.in_(UNSENT)
        # Locked: when two replace it at once, only one learns that the message had not left.
        states = connection.execute(select(outbox.c.state).where(*unsent).with_for_update()).scalars().all()
        connection.execute(update(outbox).where(*unsent).values(state="replaced", facts={}))
        return WAITING in states

    def written_at(self, connection: Connection, topic: str) -> datetime | None:
        """Return when the topic's newest message was written, as long as that is kept; None when there is none."""
        newest: datetime | None = connection.execute(
            select(func.max(outbox.c.created_at)).where(outbox.c.topic == topic)
        ).scalar()
        return newest

    def come_back(self, connection: Connection, message_id: str, status: str) -> str | None:
        """Note that a mail that was sent has come back, once; return its topic, or None when there is nothing to note.

        The mail server had taken it over, and another server has refused it.
        """
        mine = outbox.c.id == message_id, outbox.c.kind == "email", outbox.c.state == "sent"
        returned = update(outbox).where(*mine).values(state="given_up", last_error=f"the mail came back: {status}")
        topic: str | None = connection.execute(returned.returning(outbox.c.topic)).scalar()
        return topic

    def is_busy(self) -> bool:
        """Tell whether a message is leaving at this moment, or should be."""
        is_leaving = outbox.c.state.in_((SENDING, REPEATING))
        # A lease moves `due_at`, so until it has failed once a message that was taken is known by its first attempt.
        is_taken = and_(outbox.c.last_error.is_(None), outbox.c.attempts > 0)
        is_due = or_(is_taken, outbox.c.due_at <= self._clock.now())
        is_unsent = outbox.c.state.in_(UNSENT)
        is_busy = or_(is_leaving, and_(is_unsent, is_due))
        with self._store.read() as connection:
            return connection.execute(select(outbox.c.id).where(is_busy).limit(1)).first() is not None

    def counts(self) -> dict[str, int]:
        """Return how many messages are `waiting`, `sent`, `replaced`, `expired` and `given_up`."""
        with self._store.read() as connection:
            rows = connection.execute(select(outbox.c.state, func.count()).group_by(outbox.c.state)).all()
        counts = Counter(dict.fromkeys((WAITING, *ENDED), 0))
        for state, count in rows:
            counts[WAITING if state in UNSENT else state] += count
        return dict(counts)

    def backlog(self) -> Backlog | None:
        """Return what has not left yet, or None when nothing waits; for `doctor`."""
        is_unsent = outbox.c.state.in_(UNSENT)
        failed = outbox.c.last_error.is_not(None)
        last = select(outbox.c.last_error).where(is_unsent, failed).order_by(outbox.c.due_at.desc()).limit(1)
        with self._store.read() as connection:
            since = connection.execute(select(func.min(outbox.c.created_at)).where(is_unsent)).scalar()
            error = connection.execute(last).scalar()
        return None if since is None else Backlog(since, error or "")

    def given_up(self, limit: int = 20) -> list[GivenUp]:
        """Return the newest messages that never left, given up or expired, for `doctor`."""
        newest = (
            select(outbox)
            .where(outbox.c.state.in_(("given_up", "expired")))
            .order_by(outbox.c.created_at.desc(), outbox.c.id)
            .limit(limit)
        )
        with self._store.read() as connection:
            rows = connection.execute(newest).all()
        return [
            GivenUp(
                id=row.id,
                kind=row.kind,
                recipient=masking.recipient(row.kind, row.recipient),
                message=row.message,
                state=row.state,
                created_at=row.created_at,
                attempts=row.attempts,
                error=row.last_error or "",
            )
            for row in rows
        ]


def give_up_on(connection: Connection, recipient: str) -> None:
    """Note, in a caller's transaction, that no message has reached a recipient: a demonstration delivers them all."""
    connection.execute(update(outbox).where(outbox.c.recipient == recipient).values(state="given_up"))
