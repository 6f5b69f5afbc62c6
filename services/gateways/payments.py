"""Providers of card payments: the customer pays on the provider's own page (P49)."""

from dataclasses import dataclass
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


class PaymentProvider(Protocol):
    """A provider of card payments. Every method raises ProviderUnavailable."""

    @property
    def name(self) -> str:
        """What customers know it as."""
        ...

    def start(self, order: PaymentOrder) -> str:
        """Begin a payment, and return the address of the page where the customer pays."""
        ...

    def state(self, attempt: str) -> ProviderState:
        """Return the state of a payment; `expired` for one that was never begun."""
        ...

    def cancel(self, attempt: str) -> ProviderState:
        """Cancel a payment if that is possible still, and return its state."""
        ...
