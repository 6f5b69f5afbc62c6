"""The customer's invoices: finding and reading them (P47)."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, and_, or_

from services.accounts import Session
from services.base import Base
from services.payments import rows
from services.payments.payment import Invoice, Payment
from services.refusal import OutOfTurn
from services.store.tables.payments import invoices

PAGE = 20
"""Paid invoices on one page of the list. Those to pay are always shown together."""


@dataclass(frozen=True)
class InvoicePage:
    """One page of the list: what is to be paid, soonest first, then what is paid, newest first."""

    open: tuple[Invoice, ...]
    paid: tuple[Invoice, ...]
    older: str | None
    """The id of the last paid invoice here if there are older ones: the next page begins after it."""


class Invoices:
    """Shows customers their own invoices. Another customer's invoice raises OutOfTurn, as one that never was."""

    def __init__(self, base: Base) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile

    @property
    def today(self) -> date:
        """The day in the insurer's zone: an invoice is overdue from the day after its due day."""
        return self._clock.now().astimezone(self._profile.zone).date()

    def page(self, session: Session, after: str | None = None) -> InvoicePage:
        """Return a page of the list; `after` is the last paid invoice of the page before. Raises OutOfTurn."""
        is_own, is_open = _is_own(session), invoices.c.paid_at.is_(None)
        to_pay = rows.INVOICE.where(is_own, is_open).order_by(invoices.c.due_on, invoices.c.id)
        paid = rows.INVOICE.where(is_own, ~is_open)
        if after is not None:
            last = self.find(session, after)
            if last.paid_at is None:
                raise OutOfTurn
            older = and_(invoices.c.paid_at == last.paid_at, invoices.c.id < last.id)
            paid = paid.where(or_(invoices.c.paid_at < last.paid_at, older))
        newest = paid.order_by(invoices.c.paid_at.desc(), invoices.c.id.desc()).limit(PAGE + 1)
        with self._store.read() as connection:
            found = [rows.as_invoice(row, self.today) for row in connection.execute(newest)]
            # The list's later pages hold paid invoices alone.
            due = () if after is not None else tuple(connection.execute(to_pay))
        return InvoicePage(
            tuple(rows.as_invoice(row, self.today) for row in due),
            tuple(found[:PAGE]),
            found[PAGE - 1].id if len(found) > PAGE else None,
        )

    def to_pay(self, session: Session) -> tuple[Invoice, ...]:
        """Return what the customer has not paid, soonest first."""
        is_open = _is_own(session), invoices.c.paid_at.is_(None)
        query = rows.INVOICE.where(*is_open).order_by(invoices.c.due_on, invoices.c.id)
        with self._store.read() as connection:
            return tuple(rows.as_invoice(row, self.today) for row in connection.execute(query))

    def find(self, session: Session, invoice_id: str) -> Invoice:
        """Return an invoice of the customer's. Raises OutOfTurn."""
        with self._store.read() as connection:
            row = connection.execute(rows.INVOICE.where(invoices.c.id == invoice_id, _is_own(session))).first()
        if row is None:
            raise OutOfTurn
        return rows.as_invoice(row, self.today)

    def payments(self, session: Session, invoice_id: str) -> tuple[Payment, ...]:
        """Return the attempts to pay an invoice of the customer's, oldest first. Raises OutOfTurn."""
        self.find(session, invoice_id)
        with self._store.read() as connection:
            return rows.payments_of(connection, invoice_id)


def _is_own(session: Session) -> ColumnElement[bool]:
    return invoices.c.kutid == session.account.kutid
