"""The services of invoices and payments."""

from dataclasses import dataclass

from services.base import Base
from services.gateways.payments import PaymentProvider
from services.links import Links
from services.messages.group import MessageServices
from services.payments.attempts import Attempts
from services.payments.bank_entries import BankEntries
from services.payments.figures import PaymentFigures
from services.payments.invoices import Invoices
from services.payments.ledger import Ledger
from services.payments.refunds import Refunds
from services.payments.settling import Settling
from services.payments.worker import PaymentWorker


@dataclass(frozen=True)
class PaymentServices:
    """What the insurer and the customer do with invoices."""

    ledger: Ledger
    invoices: Invoices
    attempts: Attempts
    refunds: Refunds
    bank_entries: BankEntries
    figures: PaymentFigures
    worker: PaymentWorker
    provider: PaymentProvider | None
    """None where no card is taken."""


def build_payments(
    base: Base, *, messages: MessageServices, links: Links, provider: PaymentProvider | None
) -> PaymentServices:
    """Build the services of invoices and payments; without a provider no card is taken."""
    settling = Settling(base, messages.outbox)
    return PaymentServices(
        ledger=Ledger(base),
        invoices=Invoices(base),
        attempts=Attempts(base, settling, provider, links),
        refunds=Refunds(base),
        bank_entries=BankEntries(base, settling),
        figures=PaymentFigures(base),
        worker=PaymentWorker(base, settling, provider),
        provider=provider,
    )
