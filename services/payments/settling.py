"""What becomes of an attempt and of other money: what the provider or the bank says, and what follows (P50, P51)."""

from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, select, update

from services import events
from services.base import Base
from services.gateways.payments import ProviderState
from services.messages.outbox import Outbox
from services.store.tables.accounts import accounts
from services.store.tables.payments import invoices, payments

_FIRST_WAIT, _LONGEST_WAIT = 3.0, 300.0
"""Seconds between two questions about one attempt: each is a fifth longer than the one before."""
_LATE = (timedelta(minutes=10), timedelta(hours=1), timedelta(days=1))
"""After which times the provider is asked again about an attempt that came to nothing: it may succeed late."""
_WORTH_SENDING = timedelta(days=3)
Outcome = Literal["paid", "partial", "doubled"]
"""What money did: it settled the invoice, it was a part, or the invoice was settled already."""


class Settling:
    """Writes down what the provider says. The first success pays the invoice, any other is to be refunded."""

    def __init__(self, base: Base, outbox: Outbox) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._outbox = outbox

    def settle(self, attempt_id: str, state: ProviderState, *, is_told: bool = True) -> None:
        """Write down the provider's state of an attempt, in one transaction; the same again changes nothing.

        The customer is told by mail of what is final unless they see it now: then `is_told` is false.
        """
        with self._store.write() as connection:
            # The invoice first, as in beginning an attempt: locks in two orders would deadlock.
            query = select(invoices.c.id, invoices.c.number, invoices.c.kutid).where(payments.c.id == attempt_id)
            paid_for = query.join(payments, payments.c.invoice_id == invoices.c.id).with_for_update(of=invoices)
            invoice = connection.execute(paid_for).one()
            now = self._clock.now()
            if state == "succeeded":
                self._succeed(connection, attempt_id, invoice, now)
            elif state == "pending":
                self.ask_again(connection, attempt_id, now)
            else:
                self._end(connection, attempt_id, invoice, state, now, is_told=is_told)

    def ask_again(self, connection: Connection, attempt_id: str, now: datetime) -> None:
        """Note that the provider was asked and has nothing new to say: it is asked again after a longer time."""
        row = connection.execute(select(payments.c.asked, payments.c.state).where(payments.c.id == attempt_id)).one()
        if row.state == "pending":
            wait = timedelta(seconds=min(_LONGEST_WAIT, _FIRST_WAIT * 1.2 ** min(row.asked, 40)))
            ask_at: datetime | None = now + wait
        else:
            ask_at = now + _LATE[row.asked + 1] if row.asked + 1 < len(_LATE) else None
        connection.execute(
            update(payments)
            .where(payments.c.id == attempt_id, payments.c.state != "succeeded")
            .values(asked=row.asked + 1, ask_at=ask_at)
        )

    def _succeed(self, connection: Connection, attempt_id: str, invoice: Any, now: datetime) -> None:
        is_attempt = payments.c.id == attempt_id
        first_time = (
            update(payments)
            .where(is_attempt, payments.c.state != "succeeded")
            .values(state="succeeded", ended_at=now, live_for=None, ask_at=None)
            .returning(payments.c.amount)
        )
        amount = connection.execute(first_time).scalar()
        if amount is not None:
            self.take_in(connection, invoice, attempt_id, amount, now)

    def take_in(
        self,
        connection: Connection,
        invoice: Any,
        payment_id: str,
        amount: int,
        now: datetime,
        *,
        is_known_to_insurer: bool = False,
    ) -> Outcome:
        """Count a payment's money for its invoice, once a payment, and tell the customer; in the caller's transaction.

        `invoice` has the id, the number and the customer, and is locked. What is too much goes to the refunds. Money
        that `is_known_to_insurer` may be what the insurer meant when it said that the invoice is paid: no second
        payment.
        """
        mine, total = invoices.c.id == invoice.id, invoices.c.received + amount
        is_enough = total >= invoices.c.amount
        open_one = update(invoices).where(mine, invoices.c.paid_at.is_(None)).values(received=total)
        settled = connection.execute(
            open_one.where(is_enough)
            .values(paid_at=now, paid_by=payment_id)
            .returning(invoices.c.received - invoices.c.amount)
        ).scalar()
        if settled is not None:
            self._tell(connection, "payment_received", invoice, payment_id, now=now)
            self._note(connection, "payment.received", invoice, payment_id, now)
            if settled:
                self._too_much(connection, payment_id, min(settled, amount), now)
            return "paid"
        if connection.execute(open_one).rowcount:
            return "partial"
        if is_known_to_insurer:
            said = update(invoices).where(mine, invoices.c.paid_by.is_(None), total <= invoices.c.amount)
            if connection.execute(said.values(received=total)).rowcount:
                return "paid"
        self._too_much(connection, payment_id, amount, now)
        self._tell(connection, "payment_doubled", invoice, payment_id, now=now)
        self._note(connection, "payment.doubled", invoice, payment_id, now)
        return "doubled"

    @staticmethod
    def _note(connection: Connection, kind: str, invoice: Any, payment_id: str, now: datetime) -> None:
        events.note(connection, kind, now, kutid=invoice.kutid, invoice=invoice.number, payment=payment_id)

    @staticmethod
    def _too_much(connection: Connection, payment_id: str, amount: int, now: datetime) -> None:
        found = update(payments).where(payments.c.id == payment_id)
        connection.execute(found.values(doubled_at=now, refund=amount))

    def _end(
        self,
        connection: Connection,
        attempt_id: str,
        invoice: Any,
        state: ProviderState,
        now: datetime,
        *,
        is_told: bool,
    ) -> None:
        ends = (
            update(payments)
            .where(payments.c.id == attempt_id, payments.c.state == "pending")
            .values(state=state, ended_at=now, live_for=None, asked=0, ask_at=now + _LATE[0])
        )
        if not connection.execute(ends).rowcount:
            self.ask_again(connection, attempt_id, now)
        elif is_told and state != "cancelled" and not _was_told_lately(connection, attempt_id, invoice.id, now):
            begun_at = select(payments.c.begun_at).where(payments.c.id == attempt_id)
            self._tell(
                connection,
                "payment_not_made",
                invoice,
                attempt_id,
                now=now,
                spoken_of=connection.execute(begun_at).scalar_one(),
            )

    def _tell(
        self,
        connection: Connection,
        message: str,
        invoice: Any,
        attempt_id: str,
        *,
        now: datetime,
        spoken_of: datetime | None = None,
    ) -> None:
        account = connection.execute(
            select(accounts.c.email, accounts.c.language).where(accounts.c.kutid == invoice.kutid)
        ).first()
        if account is None:
            return
        rules = self._profile.payments
        self._outbox.put(
            connection,
            kind="email",
            recipient=account.email,
            message=message,
            language=account.language,
            topic=f"payment:{attempt_id}",
            expires_at=now + _WORTH_SENDING,
            facts={
                "link_id": invoice.id,
                "at": (spoken_of or now).isoformat(),
                "days": str(rules.refund_days if rules else 0),
            },
        )


def _was_told_lately(connection: Connection, attempt_id: str, invoice_id: str, now: datetime) -> bool:
    """Tell whether another attempt of the invoice came to nothing within the hour: one mail of an hour says so."""
    others = payments.c.invoice_id == invoice_id, payments.c.id != attempt_id
    failed = select(payments.c.id).where(*others, payments.c.state.in_(("failed", "expired")))
    return connection.execute(failed.where(payments.c.ended_at > now - timedelta(hours=1))).first() is not None
