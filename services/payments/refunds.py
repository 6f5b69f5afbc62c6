"""Payments too many, which are to be refunded (P50)."""

from dataclasses import dataclass

from sqlalchemy import select, update

from services import audit
from services.base import Base
from services.payments import rows
from services.payments.payment import Payment
from services.refusal import OutOfTurn
from services.store.tables.payments import invoices, payments


@dataclass(frozen=True)
class Refund:
    """A payment to refund, all of it or a part, and the number of the invoice that was paid already."""

    payment: Payment
    number: str

    @property
    def amount(self) -> int:
        """How much is to be refunded, in the currency's smallest unit."""
        return self.payment.amount if self.payment.refund is None else self.payment.refund


class Refunds:
    """Lists what is to be refunded, and notes what was. The money itself moves at the provider or the bank."""

    def __init__(self, base: Base) -> None:
        self._store = base.store
        self._clock = base.clock

    def due(self) -> tuple[Refund, ...]:
        """Return the payments that are to be refunded, oldest first."""
        query = (
            rows.PAYMENT.add_columns(invoices.c.number)
            .join(invoices, invoices.c.id == payments.c.invoice_id)
            .where(payments.c.doubled_at.is_not(None), payments.c.refunded_at.is_(None))
            .order_by(payments.c.doubled_at, payments.c.id)
        )
        with self._store.read() as connection:
            found = [dict(row._mapping) for row in connection.execute(query)]
        return tuple(Refund(number=row.pop("number"), payment=Payment(**row)) for row in found)

    def done(self, attempt_id: str, *, actor: str) -> None:
        """Note that a payment was refunded, once. Raises OutOfTurn for one that is not to be refunded."""
        now = self._clock.now()
        refunded = (
            update(payments)
            .where(payments.c.id == attempt_id, payments.c.doubled_at.is_not(None), payments.c.refunded_at.is_(None))
            .values(refunded_at=now)
            .returning(payments.c.invoice_id)
        )
        with self._store.write() as connection:
            row = connection.execute(refunded).first()
            if row is None:
                raise OutOfTurn
            kutid = connection.execute(select(invoices.c.kutid).where(invoices.c.id == row.invoice_id)).scalar_one()
            audit.record(connection, "payment_refunded", kutid=kutid, at=now, actor=actor, attempt=attempt_id)
