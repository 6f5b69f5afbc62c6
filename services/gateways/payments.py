"""Providers of card payments: the customer pays on the provider's own page (P49)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

ProviderState = Literal["pending", "succeeded", "failed", "cancelled", "expired"]
"""What a provider says of a payment; all but the first are final for it."""


class ProviderUnavailable(Exception):
    """The provider does not answer, or not as its documents say. The message names no customer."""


@dataclass(frozen=True)
class PaymentOrder:
    """What a provider needs to begin a payment."""

    attempt: str
    """Our id, which is the provider's idempotency key: the same order again begins no second payment."""
    reference: str
    """The invoice's number."""
    amount: int
    """In the currency's smallest unit."""
    currency: str
    language: str
    back_to: str
    """The address to which the provider sends the customer back."""
    call_back: str
    """The address that the provider calls when something has changed."""
    begun_at: datetime
    pay_by: datetime
    """After this moment the provider takes no card for it."""


@dataclass(frozen=True)
class StartedPayment:
    """What a provider answers to an order."""

    address: str
    """The page where the customer pays."""
    provider_id: str | None = None
    """The provider's own id of the payment; None where it knows the payment by ours alone."""


@dataclass(frozen=True)
class Notification:
    """A call of a provider's that was proved to be its own."""

    attempt: str
    """Our id of the payment that has changed."""
    answer: bytes
    """What the provider wants to hear, as JSON."""
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Demanded:
    """What a provider demands at the button that leads to its page, by the keys of texts."""

    statement: str
    """What the customer accepts by pressing the button."""
    submit: str
    """The button's words."""
    links: Mapping[str, str]
    """The addresses of further pages, by the keys of their links."""


class PaymentProvider(Protocol):
    """A provider of card payments. Every method raises ProviderUnavailable."""

    @property
    def name(self) -> str:
        """What customers know it as."""
        ...

    @property
    def origin(self) -> str | None:
        """The origin of the page where customers pay; None where that is ours."""
        ...

    @property
    def demanded(self) -> Demanded | None:
        """What has to stand where customers choose the card; None where it demands nothing."""
        ...

    def start(self, order: PaymentOrder) -> StartedPayment:
        """Begin a payment."""
        ...

    def state(self, attempt: str, provider_id: str | None) -> ProviderState:
        """Return the state of a payment; `expired` for one that was never begun."""
        ...

    def cancel(self, attempt: str, provider_id: str | None) -> ProviderState:
        """Cancel a payment if that is possible still, and return its state; `pending` when it is too late."""
        ...

    def read(self, body: bytes, signature: str, now: datetime) -> Notification | None:
        """Read a signed call to the one address that a merchant's account names; None when it is not the provider's.

        Providers that do not sign call each payment's own address instead, and nothing they say is read.
        """
        ...

    def probe(self) -> None:
        """Ask something that changes nothing, to see that the provider answers and knows the insurer."""
        ...
