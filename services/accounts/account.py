"""An account, and a session of it, as the customer behind a browser may see them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.sessions import AnySession


class SignedOut(Exception):
    """The session was ended, here or elsewhere, while it was about to change something."""


class DeadLink(Exception):
    """The mailed link is over: its time has passed, it was used, or a newer one was mailed."""


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


@dataclass(frozen=True, kw_only=True)
class Session(AnySession):
    """A signed-in browser. `ended_by` is None while it lasts."""

    account: Account
    device: str
    created_at: datetime
    ended_by: str | None
    terms_opened: str | None
    kept: Mapping[str, str] | None
    """What was typed when the session before this one ended."""
