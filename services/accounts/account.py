"""An account, and a session of it, as the customer behind a browser may see them."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


class SignedOut(Exception):
    """The session was ended, here or elsewhere, while it was about to change something."""


class DeadLink(Exception):
    """The mailed link is over: its time has passed, it was used, or a newer one was mailed."""


@dataclass(frozen=True)
class Device:
    """A browser that signs in: the lasting mark by which it is known again, and what it calls itself."""

    mark: str
    name: str
    source: str
    """The network address that it comes from; counted, never kept."""

    @property
    def hash(self) -> str:
        """What is kept of the mark."""
        return fingerprint(self.mark)


@dataclass(frozen=True)
class Account:
    """A customer's account. The hash of its password is never shown by ``repr``."""

    id: str
    kutid: str
    registration_id: str
    name: str
    email: str
    email_key: str
    mobile: str | None
    password_hash: str = field(repr=False)
    password_changed_at: datetime
    language: str
    created_at: datetime
    terms_version: str | None
    terms_accepted_at: datetime | None
    answers: Mapping[str, Any]


@dataclass(frozen=True)
class Session:
    """A signed-in browser. `ended_by` is None while it lasts."""

    id: str
    account: Account
    device: str
    created_at: datetime
    idle_at: datetime
    """When it ends if nothing happens."""
    ends_at: datetime
    """When it ends however busy it is."""
    ended_by: str | None
    terms_opened: str | None
    kept: Mapping[str, str] | None
    """What was typed when the session before this one ended."""

    @property
    def over_at(self) -> datetime:
        """When it ends if nothing happens, at the latest."""
        return min(self.idle_at, self.ends_at)


def fingerprint(secret: str) -> str:
    """Return what the database keeps of a browser's secret: whoever reads it there cannot use it."""
    return hashlib.sha256(secret.encode()).hexdigest()
