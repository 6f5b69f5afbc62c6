"""A letter, and what can happen to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

EventType = Literal[
    "published", "notified", "bounced", "reminded", "reminded_sms", "staff", "adviser", "opened", "downloaded",
    "confirmed", "withdrawn", "replaced", "printed",
]  # fmt: skip
"""What can happen to a letter (P13): `reminded` by mail or by text message; `staff` and `adviser` have read it."""
STATES = ("published", "notified", "bounced", "opened", "downloaded", "confirmed", "withdrawn", "replaced", "printed")
"""The events that the insurer's systems are told (P13)."""


@dataclass(frozen=True)
class Letter:
    """One letter as lists and pages show it."""

    id: str
    kutid: str
    policy_number: str | None
    type: str
    title: str
    language: str
    issued_on: date
    latest_on: date | None
    confirm_by: date | None
    data: Mapping[str, Any] | None
    sha256: str
    size: int
    published_at: datetime
    opened_at: datetime | None
    confirmed_at: datetime | None
    withdrawn_at: datetime | None
    withdrawn_reason: str | None
    replaces: str | None
    replaced_by: str | None
    withdrawn_code: str | None = None
    """What staff find a withdrawn letter by."""
    printed_at: datetime | None = None

    @property
    def is_unread(self) -> bool:
        """Whether the customer has not opened it."""
        return self.opened_at is None

    @property
    def is_withdrawn(self) -> bool:
        """Whether the insurer took it back."""
        return self.withdrawn_at is not None

    @property
    def is_to_confirm(self) -> bool:
        """Whether it waits for the customer's confirmation."""
        return self.confirm_by is not None and self.confirmed_at is None and not self.is_withdrawn


@dataclass(frozen=True)
class LetterEvent:
    """Something that happened to a letter."""

    type: EventType
    at: datetime
    actor: str
    """Who did it: `customer`, `mail`, the actor of a member of staff or of an API client."""
