"""The services of invoices and payments."""

from dataclasses import dataclass

from services.base import Base
from services.payments.invoices import Invoices
from services.payments.ledger import Ledger


@dataclass(frozen=True)
class PaymentServices:
    """What the insurer and the customer do with invoices."""

    ledger: Ledger
    invoices: Invoices


def build_payments(base: Base) -> PaymentServices:
    """Build the services of invoices and payments."""
    return PaymentServices(ledger=Ledger(base), invoices=Invoices(base))
