"""The insurer's side of invoices: what its system says of them, and what it learns (P47)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Literal

from sqlalchemy import Connection, exists, insert, select, update

from services.base import Base
from services.payments import rows
from services.payments.payment import Invoice, Payment
from services.randomness import opaque_id
from services.refusal import OutOfTurn, Refusal
from services.store.statements import insert_for, queue_for
from services.store.tables.letters import letters
from services.store.tables.payments import invoices, payments
from services.store.tables.register import advisers, policies


@dataclass(frozen=True)
class NewInvoice:
    """What the insurer's system says of an invoice."""

    policy_number: str
    amount: int
    """In the currency's smallest unit: forints, cents."""
    currency: str
    due_on: date
    period_from: date | None = None
    period_until: date | None = None
    letter_id: str | None = None
    state: Literal["due", "paid", "refunded"] = "due"
    """`due` takes nothing back: an invoice that is paid stays so."""


_MONEY = ("kutid", "policy_number", "amount", "currency")
"""What cannot change once a customer pays or has paid it."""


class Ledger:
    """Takes invoices from the insurer, and tells what became of them. Each public method is one transaction.

    With `adviser`, an adviser's code, it reaches the invoices of that adviser's customers alone.
    """

    def __init__(self, base: Base) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile

    def put(self, number: str, invoice: NewInvoice, *, adviser: str | None = None) -> bool:
        """Keep an invoice as the insurer says, and return whether it is new. The same again changes nothing.

        Raises Refusal ``invoice.policy`` or ``invoice.letter`` for one that the customer has not got, and
        ``invoice.paid`` when the amount or the customer would change although it is paid or being paid.
        """
        with self._store.write() as connection:
            return keep(connection, number, invoice, self._clock.now(), adviser=adviser) == "added"

    def find(self, number: str, *, adviser: str | None = None) -> tuple[Invoice, tuple[Payment, ...]]:
        """Return an invoice and the attempts to pay it, oldest first. Raises OutOfTurn."""
        today = self._clock.now().astimezone(self._profile.zone).date()
        with self._store.read() as connection:
            row = connection.execute(rows.INVOICE.where(invoices.c.number == number)).first()
            if row is None or not _is_reached(connection, adviser, row.kutid):
                raise OutOfTurn
            return rows.as_invoice(row, today), rows.payments_of(connection, row.id)


def keep(
    connection: Connection, number: str, invoice: NewInvoice, now: datetime, *, adviser: str | None = None
) -> Literal["added", "changed", "unchanged"]:
    """Keep an invoice as the insurer says, in the caller's transaction; see `Ledger.put`. A refusal changes nothing."""
    queue_for(connection, f"invoice {number}")
    values = _values(connection, adviser, invoice)
    known = connection.execute(
        select(invoices.c.id, *[invoices.c[name] for name in values])
        .where(invoices.c.number == number)
        .with_for_update()
    ).first()
    if known is None:
        connection.execute(insert(invoices).values(id=opaque_id(), number=number, noted_at=now, **values))
        _note_state(connection, number, invoice.state, now)
        return "added"
    if not _is_reached(connection, adviser, known.kutid):
        raise Refusal("invoice", "policy")
    is_changed = _change(connection, known, values)
    is_noted = _note_state(connection, number, invoice.state, now)
    return "changed" if is_changed or is_noted else "unchanged"


def _values(connection: Connection, adviser: str | None, invoice: NewInvoice) -> dict[str, Any]:
    kutid = connection.execute(
        select(policies.c.kutid).where(policies.c.policy_number == invoice.policy_number)
    ).scalar()
    if kutid is None or not _is_reached(connection, adviser, kutid):
        raise Refusal("invoice", "policy")
    letter = select(letters.c.id).where(letters.c.id == invoice.letter_id, letters.c.kutid == kutid)
    if invoice.letter_id is not None and connection.execute(letter).first() is None:
        raise Refusal("invoice", "letter")
    names = (name for name in NewInvoice.__dataclass_fields__ if name != "state")
    return {"kutid": kutid, **{name: getattr(invoice, name) for name in names}}


def _change(connection: Connection, known: Any, values: dict[str, Any]) -> bool:
    changed = {name: value for name, value in values.items() if getattr(known, name) != value}
    if not changed:
        return False
    change = update(invoices).where(invoices.c.id == known.id)
    if not changed.keys().isdisjoint(_MONEY):
        is_being_paid = exists().where(payments.c.live_for == known.id)
        change = change.where(invoices.c.paid_at.is_(None), invoices.c.received == 0, ~is_being_paid)
    if not connection.execute(change.values(changed)).rowcount:
        raise Refusal("invoice", "paid")
    return True


def _note_state(connection: Connection, number: str, state: str, now: datetime) -> bool:
    """Note what the insurer says of an invoice, once; tell whether that is new."""
    if state == "due":
        return False
    of_number = update(invoices).where(invoices.c.number == number)
    noted = connection.execute(of_number.where(invoices.c.paid_at.is_(None)).values(paid_at=now)).rowcount
    if state == "refunded":
        refunded = of_number.where(invoices.c.refunded_at.is_(None)).values(refunded_at=now)
        noted += connection.execute(refunded).rowcount
    return noted > 0


def _is_reached(connection: Connection, adviser: str | None, kutid: str) -> bool:
    if adviser is None:
        return True
    own = select(advisers.c.kutid).where(advisers.c.kutid == kutid, advisers.c.adviser == adviser)
    return connection.execute(own).first() is not None


def bring(connection: Connection, brought: Mapping[str, NewInvoice], now: datetime) -> None:
    """Keep many new invoices, by their numbers, in the caller's transaction; a paid one was paid on its due day.

    What is known already stays as it is; invoices of contracts that are not in the register are left out.
    """
    known = select(policies.c.policy_number, policies.c.kutid)
    whose = {row.policy_number: row.kutid for row in connection.execute(known)}
    rows_of_table = [
        {
            "id": opaque_id(),
            "number": number,
            "kutid": whose[one.policy_number],
            "noted_at": now,
            "paid_at": datetime.combine(one.due_on, time(10), UTC) if one.state == "paid" else None,
            "received": 0,
            **{name: getattr(one, name) for name in NewInvoice.__dataclass_fields__ if name != "state"},
        }
        for number, one in brought.items()
        if one.policy_number in whose
    ]
    # Several processes of a demonstration may begin at once.
    unless_known = insert_for(connection, invoices).on_conflict_do_nothing(index_elements=[invoices.c.number])
    connection.execute(unless_known, rows_of_table)
