"""The keys of the API's clients: shown once, known by their hash, bound to what each client is there for."""

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, exists, insert, or_, select, update

from services import audit, randomness
from services.base import Base
from services.limits.waits import FailedAttempts
from services.refusal import Refusal
from services.store.tables.clients import api_keys
from services.store.tables.register import advisers
from services.values.fingerprints import fingerprint

SCOPES = ("registrations", "password-resets", "references", "documents", "invoices", "requests", "events")
"""What a client may be there for: see webapp.api."""
SOON = timedelta(days=30)
"""`doctor` warns about keys that end within this time."""
_USED_ANEW = timedelta(hours=1)
"""So old may the note of the last use be: a request that finds a newer one writes nothing."""
_KEY = re.compile(r"belepo_[2-9A-HJKMNP-Z]{12}_[A-Za-z0-9_-]{43}")
"""Prefix by which scanners for leaked keys recognise one; 256 random bits follow."""
_NETWORK = "api source"
_KNOWN = select(*api_keys.c).where(api_keys.c.key_hash == bindparam("key_hash"))


@dataclass(frozen=True)
class ApiKey:
    """A client of the API, by its key; it works with customers as a member of staff does in a session."""

    id: str
    name: str
    scopes: frozenset[str]
    adviser: str | None
    """The adviser's code whose customers alone it reaches."""
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None

    def is_good(self, now: datetime) -> bool:
        """Tell whether it opens anything."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)

    @property
    def actor(self) -> str:
        """The client, in the audit trail."""
        return self.id

    @property
    def is_supervisor(self) -> bool:
        """A program gives nobody a new allowance of codes, and ends no account that is in use."""
        return False

    @property
    def sees_identified(self) -> bool:
        """A program's word that it has identified a customer shows it nothing."""
        return False

    @property
    def owner(self) -> Mapping[str, str]:
        """Cases belong to the key."""
        return {"api_key_id": self.id}

    def lasts(self, now: datetime) -> ColumnElement[bool]:
        """Return the condition that the key is neither revoked nor over."""
        return exists().where(
            api_keys.c.id == self.id,
            api_keys.c.revoked_at.is_(None),
            or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > now),
        )


class ApiKeys:
    """The verbs of keys. Each public method is one transaction."""

    def __init__(self, base: Base, tries: FailedAttempts) -> None:
        self._store = base.store
        self._clock = base.clock
        self._failed_attempts = tries

    def add(
        self, name: str, scopes: Iterable[str], *, adviser: str | None = None, lifetime: timedelta | None = None
    ) -> tuple[ApiKey, str]:
        """Make a key; return its client and the key itself, which is shown this once.

        Raises Refusal ``api_key.scope`` when there is none, or an unknown one, and ``api_key.adviser`` when the code is
        empty: that means a code which somebody forgot, not all customers.
        """
        wanted, code = _scopes(scopes), None if adviser is None else adviser.strip().casefold()
        if code == "":
            raise Refusal("api_key", "adviser")
        public, now = randomness.characters(12), self._clock.now()
        key = f"belepo_{public}_{randomness.secret()}"
        row: dict[str, Any] = {
            "id": f"client:{public}",
            "name": name,
            "key_hash": fingerprint(key),
            "scopes": wanted,
            "adviser": code,
            "created_at": now,
            "expires_at": now + lifetime if lifetime else None,
        }
        with self._store.write() as connection:
            connection.execute(insert(api_keys).values(row))
            audit.record(connection, "api_key_added", kutid=None, at=now, actor="system", client=row["id"])
        return _client({**row, "revoked_at": None, "used_at": None}), key

    def is_adviser(self, code: str) -> bool:
        """Tell whether the register gives customers to this adviser."""
        theirs = select(advisers.c.kutid).where(advisers.c.adviser == code.strip().casefold()).limit(1)
        with self._store.read() as connection:
            return connection.execute(theirs).first() is not None

    def revoke(self, client_id: str) -> bool:
        """End a key for good, with or without the ``client:`` of its id; tell whether it was there and good."""
        now = self._clock.now()
        full = f"client:{client_id.removeprefix('client:').upper()}"
        with self._store.write() as connection:
            ended = connection.execute(
                update(api_keys)
                .where(api_keys.c.id == full, api_keys.c.revoked_at.is_(None))
                .values(revoked_at=now)
                .returning(api_keys.c.id)
            ).first()
            if ended is not None:
                audit.record(connection, "api_key_revoked", kutid=None, at=now, actor="system", client=full)
        return ended is not None

    def all(self) -> list[ApiKey]:
        """Return all keys, ended ones included, by the client's name."""
        with self._store.read() as connection:
            rows = connection.execute(select(*api_keys.c).order_by(api_keys.c.name, api_keys.c.created_at)).mappings()
            return [_client({column.name: row[column] for column in api_keys.c}) for row in rows]

    def is_known(self, key: str) -> bool:
        """Tell whether a key is some client's and good now; counts nothing."""
        with self._store.read() as connection:
            return _found(connection, key, self._clock.now()) is not None

    def recognise(self, key: str, source: str) -> ApiKey:
        """Return the client whose key this is; `source` is the network address that it comes from.

        Unknown, revoked and expired keys are refused alike, Refusal ``api_key.unknown``; after many of them from one
        address they wait, ``api_key.wait`` with `at`. A good key never does: nobody is kept out by somebody else's
        guesses, and 256 bits are not guessed.
        """
        now = self._clock.now()
        with self._store.read() as connection:
            client, wait = _found(connection, key, now), None
            if client is None:
                wait = self._failed_attempts.waits_until(
                    connection, self._failed_attempts.source_key(source, _NETWORK), now
                )
        if client is not None:
            return self._note_use(client, now)
        if wait is None:
            with self._store.write() as connection:
                self._failed_attempts.count_source(connection, source, now, _NETWORK)
                raise Refusal("api_key", "unknown").counted()
        raise Refusal("api_key", "wait", at=wait)

    def _note_use(self, client: ApiKey, now: datetime) -> ApiKey:
        if client.used_at is None or now - client.used_at >= _USED_ANEW or client.used_at > now:
            with self._store.write() as connection:
                connection.execute(update(api_keys).where(api_keys.c.id == client.id).values(used_at=now))
        return client


def _found(connection: Connection, key: str, now: datetime) -> ApiKey | None:
    """Return whose key this is; None for one that is unknown, revoked or expired."""
    hashed = fingerprint(key if _KEY.fullmatch(key) else "")
    found = connection.execute(_KNOWN, {"key_hash": hashed}).mappings().first()
    # The index has found it by its hash already: this compares in constant time once more, known or not.
    is_right = hmac.compare_digest(found[api_keys.c.key_hash] if found else fingerprint("nobody's"), hashed)
    if found is None or not is_right:
        return None
    client = _client({column.name: found[column] for column in api_keys.c})
    return client if client.is_good(now) else None


def _client(row: Mapping[str, Any]) -> ApiKey:
    return ApiKey(
        id=row["id"],
        name=row["name"],
        scopes=frozenset(row["scopes"]),
        adviser=row["adviser"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        used_at=row["used_at"],
    )


def _scopes(scopes: Iterable[str]) -> list[str]:
    wanted = sorted(set(scopes))
    if not wanted or not set(wanted) <= set(SCOPES):
        raise Refusal("api_key", "scope")
    return wanted
