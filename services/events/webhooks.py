"""The endpoints of webhooks: adding, listing, removing and calling them again."""

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select, update

from services import audit, randomness
from services.base import Base
from services.events.feed import last_number, number_all
from services.events.noting import TYPES
from services.events.sealing import Secrets
from services.refusal import OutOfTurn, Refusal
from services.store.tables.events import events, webhook_failures, webhooks

MOST = 50
"""The most endpoints: each takes a thread of the worker while it is called."""
_LONGEST = 2000
LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Hosts that are this machine, as an address names them."""


@dataclass(frozen=True)
class Webhook:
    """An endpoint and its state."""

    id: str
    url: str
    patterns: tuple[str, ...]
    """The types of event that it is called for; `request.*` means all types that begin so."""
    created_at: datetime
    waiting: int
    """The number of events that are still to be sent."""
    oldest_at: datetime | None
    """When the oldest of them happened."""
    failing_since: datetime | None
    """When calls began to fail; None after a success."""
    next_at: datetime
    """When it is called next if something waits."""
    error: str | None
    """Why the last call failed."""
    given_up: int
    """The number of events that are sent again on request alone."""


@dataclass(frozen=True)
class Backlog:
    """The events that are still to be sent, of all endpoints together."""

    waiting: int
    age_seconds: int
    """Of the oldest event among them; 0 where nothing waits."""
    given_up: int


class Webhooks:
    """The operator's verbs. Each public method is one transaction."""

    def __init__(self, base: Base, secrets: Secrets) -> None:
        self._store = base.store
        self._clock = base.clock
        self._secrets = secrets

    def add(self, url: str, patterns: Sequence[str]) -> tuple[str, str]:
        """Add an endpoint; return its id and the secret that signs its calls. The secret is shown only now.

        It is called for events from now on. Raises Refusal ``webhook.url`` unless the address begins with
        https:// or is this machine's, ``webhook.events`` where a pattern names no type of event, and
        ``webhook.too_many``.
        """
        if not _is_endpoint(url):
            raise Refusal("webhook", "url")
        if not patterns or not all(types_of([pattern]) for pattern in patterns):
            raise Refusal("webhook", "events")
        number_all(self._store)
        webhook_id, secret, now = randomness.characters(12), new_secret(), self._clock.now()
        with self._store.write() as connection:
            if connection.execute(select(func.count()).select_from(webhooks)).scalar_one() >= MOST:
                raise Refusal("webhook", "too_many")
            connection.execute(
                insert(webhooks).values(
                    id=webhook_id,
                    url=url,
                    patterns=list(dict.fromkeys(patterns)),
                    sealed=self._secrets.close(secret),
                    created_at=now,
                    position=last_number(connection),
                    due_at=now,
                )
            )
            audit.record(connection, "webhook_added", kutid=None, at=now, actor="system", webhook=webhook_id)
        return webhook_id, secret

    def all(self) -> list[Webhook]:
        """Return all endpoints, the oldest first."""
        number_all(self._store)
        with self._store.read() as connection:
            rows = connection.execute(select(webhooks).order_by(webhooks.c.created_at, webhooks.c.id)).all()
            return [_webhook(connection, row) for row in rows]

    def backlog(self) -> Backlog:
        """Return the backlog of all endpoints together."""
        found = self.all()
        oldest = min((one.oldest_at for one in found if one.oldest_at), default=None)
        age = int((self._clock.now() - oldest).total_seconds()) if oldest else 0
        return Backlog(sum(one.waiting for one in found), max(0, age), sum(one.given_up for one in found))

    def remove(self, webhook_id: str) -> None:
        """Remove an endpoint with everything that waits for it. Raises OutOfTurn for an unknown id."""
        with self._store.write() as connection:
            connection.execute(delete(webhook_failures).where(webhook_failures.c.webhook_id == webhook_id))
            if not connection.execute(delete(webhooks).where(webhooks.c.id == webhook_id)).rowcount:
                raise OutOfTurn
            now = self._clock.now()
            audit.record(connection, "webhook_removed", kutid=None, at=now, actor="system", webhook=webhook_id)

    def retry(self, webhook_id: str, *, after: int | None = None) -> int:
        """Call an endpoint at once: first for given-up events, then for waiting ones. Return the number of the former.

        With `after`, it is called again for every event whose number is greater. Raises OutOfTurn for an
        unknown id, and Refusal ``webhook.after`` for a number that it has not reached.
        """
        now = self._clock.now()
        with self._store.write() as connection:
            found = connection.execute(
                select(webhooks.c.position).where(webhooks.c.id == webhook_id).with_for_update()
            ).first()
            if found is None:
                raise OutOfTurn
            if after is not None and after > found.position:
                raise Refusal("webhook", "after")
            # This ends the lease of a call in progress: its answer changes nothing any more.
            change = update(webhooks).where(webhooks.c.id == webhook_id)
            values: dict[str, Any] = {"due_at": now, "attempts": 0, "lease": None}
            connection.execute(change.values(values if after is None else {**values, "position": after}))
            given_up = update(webhook_failures).where(webhook_failures.c.webhook_id == webhook_id)
            return connection.execute(given_up.values(retry_at=now)).rowcount


def types_of(patterns: Iterable[str]) -> list[str]:
    """Return the types of event that some patterns name."""
    return [kind for kind in TYPES if any(fnmatchcase(kind, pattern) for pattern in patterns)]


def new_secret() -> str:
    """Return a secret as Standard Webhooks writes it: 256 random bits in base64."""
    return f"whsec_{base64.b64encode(randomness.pad(32)).decode('ascii')}"


def is_waiting(position: Any, patterns: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition that an event comes after `position` and has one of these types."""
    return and_(events.c.number > position, events.c.type.in_(types_of(patterns)))


def _webhook(connection: Connection, row: Any) -> Webhook:
    waiting = connection.execute(
        select(func.count(), func.min(events.c.at)).where(is_waiting(row.position, row.patterns))
    ).one()
    given_up = select(func.count()).where(webhook_failures.c.webhook_id == row.id)
    return Webhook(
        id=row.id,
        url=row.url,
        patterns=tuple(row.patterns),
        created_at=row.created_at,
        waiting=waiting[0],
        oldest_at=waiting[1],
        failing_since=row.failing_since,
        next_at=row.due_at,
        error=row.error,
        given_up=connection.execute(given_up).scalar_one(),
    )


def _is_endpoint(url: str) -> bool:
    if len(url) > _LONGEST or not re.fullmatch(r"[!-~]+", url) or "#" in url:
        return False
    try:
        parts = urlsplit(url)
        is_usable = bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        return False
    return is_usable and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK))
