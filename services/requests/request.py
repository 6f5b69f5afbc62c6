"""A request: begun, then sent, and what happened to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

State = Literal["sent", "taken", "question", "answered", "closed", "withdrawn"]
"""What a request that was sent is now. The page calls one that was not sent `draft`."""
STATES: tuple[State, ...] = ("sent", "taken", "question", "answered", "closed", "withdrawn")
ENDED: tuple[State, ...] = ("closed", "withdrawn")
EventType = Literal["sent", "attached", "taken", "question", "replied", "answered", "closed", "withdrawn"]
"""`attached` is when a claim without an account becomes one of a customer's requests (P45)."""
EVENTS: tuple[EventType, ...] = (
    "sent", "attached", "taken", "question", "replied", "answered", "closed", "withdrawn",
)  # fmt: skip
BY_CUSTOMER: tuple[EventType, ...] = ("sent", "replied", "withdrawn")
"""What customers do, or somebody in their place (P55)."""
CUSTOMER = "customer"
"""The actor of what the customer does."""
LONGEST_TEXT = 4000
"""Characters of a question or an answer."""

Answers = Mapping[str, Any]
"""By the names of the questions; one that was left empty is None. What each may be: `services.requests.reading`."""


@dataclass(frozen=True)
class Draft:
    """A request that is begun and not sent."""

    id: str
    kind: str
    answers: Answers
    typed: Mapping[str, str] | None
    """What was typed into a page and left before it could be an answer."""
    version: int
    begun_at: datetime
    saved_at: datetime


@dataclass(frozen=True)
class Waiting:
    """What waits for the customer."""

    id: str
    kind: str
    reference: str | None
    """Of a request with a question; None for a draft."""
    at: datetime
    """When it was sent, or begun."""


@dataclass(frozen=True)
class Event:
    """What happened to a request, when, and by whom."""

    type: EventType
    at: datetime
    actor: str
    text: str | None
    letters: tuple[str, ...]
    """The ids of the letters that answer."""


@dataclass(frozen=True)
class Request:
    """A request that was sent."""

    id: str
    reference: str
    number: str | None
    """The insurer's own."""
    kutid: str | None
    """The customer; None of a claim whose sender is not identified (P45)."""
    kind: str
    policy_number: str | None
    state: State
    answers: Answers
    sent_at: datetime
    promised_on: date
    """The day by which the customer was promised an answer."""
    answer_by: date | None
    """The day by which the customer is to answer a question."""
    changed_at: datetime
    ended_at: datetime | None
    holder: str | None = None
    """Who works on it: the id of a member of staff, or a client of the API."""
    holder_note: str | None = None
    """What the member said who has passed it on. The customer does not see it."""
    asker: str | None = None
    """The mark of the browser that has sent a claim without an account."""
    email: str | None = None
    """The address to answer to, of a claim without an account."""
    language: str | None = None
    """Of the mails about a claim without an account."""

    @property
    def is_over(self) -> bool:
        """Whether nothing will happen to it any more."""
        return self.state in ENDED

    @property
    def is_done(self) -> bool:
        """Whether the insurer has answered, or it is over."""
        return self.is_over or self.state == "answered"
