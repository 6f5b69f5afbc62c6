"""Reads the rows of invoices and attempts, in a caller's transaction."""

from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, select

from services.payments.payment import Invoice, Payment
from services.store.tables.payments import invoices, payments

_OF_INVOICE = [
    invoices.c[name]
    for name in Invoice.__dataclass_fields__
    if name not in ("live_attempt", "is_past_due")
]  # fmt: skip

INVOICE: Select[Any] = select(*_OF_INVOICE, payments.c.id.label("live_attempt")).outerjoin_from(
    invoices, payments, payments.c.live_for == invoices.c.id
)
"""Selects what an `Invoice` holds, but for what depends on today."""
PAYMENT: Select[Any] = select(*[payments.c[name] for name in Payment.__dataclass_fields__])
"""Selects what a `Payment` holds."""


def as_invoice(row: Any, today: date) -> Invoice:
    """Return a row of `INVOICE` as the invoice that it is today, in the insurer's zone."""
    return Invoice(**row._mapping, is_past_due=row.due_on < today)


def payments_of(connection: Connection, invoice_id: str) -> tuple[Payment, ...]:
    """Return the attempts to pay an invoice, oldest first."""
    found = connection.execute(
        PAYMENT.where(payments.c.invoice_id == invoice_id).order_by(payments.c.begun_at, payments.c.id)
    )
    return tuple(Payment(**row._mapping) for row in found)
