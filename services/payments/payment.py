"""An invoice, and an attempt to pay it."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

InvoiceState = Literal["due", "overdue", "pending", "paid", "refunded"]
"""What an invoice is now; derived, never stored."""
PaymentState = Literal["pending", "succeeded", "failed", "cancelled", "expired"]
"""What an attempt is; all but the first are final for the provider."""
STATES: tuple[PaymentState, ...] = ("pending", "succeeded", "failed", "cancelled", "expired")


@dataclass(frozen=True)
class Invoice:
    """One invoice as lists and pages show it."""

    id: str
    number: str
    kutid: str
    policy_number: str
    amount: int
    """In the currency's smallest unit (P52)."""
    currency: str
    due_on: date
    period_from: date | None
    period_until: date | None
    letter_id: str | None
    received: int
    """What has come in for it, what is too much too."""
    paid_at: datetime | None
    paid_by: str | None
    """The attempt that paid it."""
    refunded_at: datetime | None
    live_attempt: str | None
    """The attempt that is under way."""
    is_past_due: bool
    """Whether its day is over, paid or not."""

    @property
    def state(self) -> InvoiceState:
        """What it is now."""
        if self.refunded_at is not None:
            return "refunded"
        if self.paid_at is not None:
            return "paid"
        if self.live_attempt is not None:
            return "pending"
        return "overdue" if self.is_past_due else "due"

    @property
    def remaining(self) -> int:
        """What is still to be paid: less than the amount where a part has come in."""
        return max(0, self.amount - self.received) if self.is_open else 0

    @property
    def is_open(self) -> bool:
        """Whether it is still to be paid."""
        return self.paid_at is None


@dataclass(frozen=True)
class Payment:
    """One attempt to pay an invoice."""

    id: str
    invoice_id: str
    way: str
    amount: int
    currency: str
    state: PaymentState
    address: str | None
    """The provider's page, where the customer pays."""
    provider_id: str | None
    """The provider's own id of it."""
    begun_at: datetime
    ended_at: datetime | None
    doubled_at: datetime | None
    refund: int | None
    """How much of it is to be refunded, or was."""
    refunded_at: datetime | None

    @property
    def is_live(self) -> bool:
        """Whether its end is not known yet."""
        return self.state == "pending"
