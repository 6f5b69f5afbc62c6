"""Transfers: taken from the bank's statement, matched by their reference, and looked at by staff (P51)."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, insert, select, update

from services import audit
from services.base import Base
from services.crash_points import reach
from services.payments import rows
from services.payments.payment import Invoice
from services.payments.settling import Outcome, Settling
from services.payments.statement_files import Entry
from services.randomness import opaque_id
from services.refusal import OutOfTurn, Refusal
from services.store.statements import insert_for
from services.store.tables.payments import bank_entries, invoices, payments

Fate = Literal["paid", "partial", "doubled", "unmatched", "known", "old"]
"""What became of an entry; `known` where an earlier file had it, `old` where that cannot be said any more."""
_VALUE_DATES = timedelta(days=7)
"""How long before its day a bank may list an entry."""
_WORD = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,34}")
_MOST_WORDS = 60
_SYMBOL = re.compile(r"VS0*([0-9]{1,10})")
"""A variable symbol within a Slovak reference, such as /VS940100101/SS/KS (Slovak Banking Association)."""
MOST_LISTED = 200
_KEPT = tuple(name for name in Entry.__dataclass_fields__ if name != "is_clear")
_OPEN = (bank_entries.c.payment_id.is_(None), bank_entries.c.sent_back_at.is_(None))


@dataclass(frozen=True)
class BankEntry:
    """Money that came in and belongs to no invoice as far as its reference says."""

    id: str
    booked_on: date
    amount: int
    currency: str
    text: str
    payer: str


class BankEntries:
    """Takes in what the bank's statements list. What does not match by itself, staff assign or send back."""

    def __init__(self, base: Base, settling: Settling) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._settling = settling

    def take_in(self, entries: Iterable[Entry]) -> Counter[Fate]:
        """Take in the entries of a statement, each in a transaction of its own, and return what became of how many.

        An entry that is here already is left as it is, so the same file again changes nothing, and a file whose import
        was cut off can be imported again. One from before the profile's `retention.transfers_days` may have been here
        and be erased: it is passed over.
        """
        fates: Counter[Fate] = Counter()
        for entry in entries:
            fates[self._take_in(entry)] += 1
            reach("statement.entry")
        return fates

    def open(self, seen_by: str | None = None) -> tuple[BankEntry, ...]:
        """Return what belongs to no invoice, oldest first; at most 200. It has names: who looks is in the audit trail.

        `seen_by` is the member of staff.
        """
        names = BankEntry.__dataclass_fields__
        query = select(*[bank_entries.c[name] for name in names]).where(*_OPEN)
        with self._store.read() as connection:
            rows_found = connection.execute(
                query.order_by(bank_entries.c.booked_on, bank_entries.c.id).limit(MOST_LISTED)
            )
            found = tuple(BankEntry(**row._mapping) for row in rows_found)
        if found and seen_by is not None:
            facts = {"what": "payments", "found": str(len(found))}
            with self._store.write() as connection:
                audit.record(connection, "listed", kutid=None, at=self._clock.now(), actor=seen_by, **facts)
        return found

    def partial(self) -> tuple[Invoice, ...]:
        """Return the invoices of which a part has come in, soonest due first; at most 200."""
        is_partial = invoices.c.received > 0, invoices.c.paid_at.is_(None)
        query = rows.INVOICE.where(*is_partial).order_by(invoices.c.due_on, invoices.c.id).limit(MOST_LISTED)
        today = self._clock.now().astimezone(self._profile.zone).date()
        with self._store.read() as connection:
            return tuple(rows.as_invoice(row, today) for row in connection.execute(query))

    def assign(self, entry_id: str, number: str, *, actor: str) -> Outcome:
        """Count an entry for the invoice with this number, once, and return what it did.

        Raises Refusal ``invoice_number.…``: `unknown`, or `currency` for one in another currency; OutOfTurn when the
        entry is assigned or sent back already.
        """
        now = self._clock.now()
        with self._store.write() as connection:
            invoice = _locked(connection, [number.strip()])
            if invoice is None:
                raise Refusal("invoice_number", "unknown")
            entry = connection.execute(select(bank_entries).where(bank_entries.c.id == entry_id, *_OPEN)).first()
            if entry is None:
                raise OutOfTurn
            if entry.currency != invoice.currency:
                raise Refusal("invoice_number", "currency")
            outcome = self._pay(connection, entry_id, entry, invoice, now)
            audit.record(connection, "transfer_assigned", kutid=invoice.kutid, at=now, actor=actor, entry=entry_id)
        return outcome

    def send_back(self, entry_id: str, *, actor: str) -> None:
        """Note that an entry was sent back, once; it moves no money. Raises OutOfTurn."""
        now = self._clock.now()
        sent = update(bank_entries).where(bank_entries.c.id == entry_id, *_OPEN).values(sent_back_at=now)
        with self._store.write() as connection:
            if not connection.execute(sent).rowcount:
                raise OutOfTurn
            audit.record(connection, "transfer_sent_back", kutid=None, at=now, actor=actor, entry=entry_id)

    def _take_in(self, entry: Entry) -> Fate:
        now, entry_id = self._clock.now(), opaque_id()
        if entry.booked_on <= (now - timedelta(days=self._profile.retention.transfers_days) + _VALUE_DATES).date():
            return "old"
        row = {name: getattr(entry, name) for name in _KEPT}
        with self._store.write() as connection:
            # The invoice first, as everywhere: locks in two orders would deadlock.
            invoice = _locked(connection, _references(entry.text)) if entry.is_clear else None
            new = insert_for(connection, bank_entries).values(id=entry_id, noted_at=now, **row)
            once = new.on_conflict_do_nothing(index_elements=[bank_entries.c.key]).returning(bank_entries.c.id)
            if connection.execute(once).first() is None:
                return "known"
            if invoice is None or invoice.currency != entry.currency:
                return "unmatched"
            return self._pay(connection, entry_id, entry, invoice, now)

    def _pay(self, connection: Connection, entry_id: str, money_in: Any, invoice: Any, now: datetime) -> Outcome:
        """Make an entry a payment of an invoice, which is locked. Raises OutOfTurn when it is one already."""
        payment_id = opaque_id()
        payment = {
            "id": payment_id, "invoice_id": invoice.id, "live_for": None, "way": "transfer", "amount": money_in.amount,
            "currency": money_in.currency, "state": "succeeded", "begun_at": now, "ended_at": now, "ask_at": None,
        }  # fmt: skip
        connection.execute(insert(payments).values(payment))
        mine = update(bank_entries).where(bank_entries.c.id == entry_id, *_OPEN).values(payment_id=payment_id)
        if not connection.execute(mine).rowcount:
            raise OutOfTurn
        return self._settling.take_in(connection, invoice, payment_id, money_in.amount, now, is_known_to_insurer=True)


def _references(text: str) -> list[str]:
    """Return what of a customer's words may be the number of an invoice."""
    words = _WORD.findall(text)[:_MOST_WORDS]
    bare = [word.strip("._-") for word in words]
    return sorted({*words, *bare, *(word.upper() for word in bare), *_SYMBOL.findall(text)} - {""})


def _locked(connection: Connection, numbers: list[str]) -> Any:
    """Lock and return the one invoice that has one of these numbers; None where there is none or there are several."""
    found = connection.execute(
        select(invoices.c.id, invoices.c.number, invoices.c.kutid, invoices.c.currency)
        .where(invoices.c.number.in_(numbers))
        .order_by(invoices.c.id)
        .limit(2)
        .with_for_update()
    ).all()
    return found[0] if len(found) == 1 else None
