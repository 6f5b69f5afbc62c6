"""The customer's attempts to pay by card (P49, P50)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from services.accounts import Session
from services.base import Base
from services.crash_points import reach
from services.gateways.payments import (
    Demanded,
    Notification,
    PaymentOrder,
    PaymentProvider,
    ProviderUnavailable,
    StartedPayment,
)
from services.links import Links
from services.payments import rows
from services.payments.payment import Invoice, Payment
from services.payments.settling import Settling
from services.randomness import opaque_id
from services.refusal import OutOfTurn, Refusal
from services.store.statements import insert_for
from services.store.tables.payments import invoices, payments

_TIME_TO_START = timedelta(minutes=1)
"""After which the provider is asked about an attempt whose start it has not answered."""
_FIRST_QUESTION = timedelta(seconds=3)
_TIME_TO_PAY = timedelta(minutes=30)


@dataclass(frozen=True)
class PaymentPages:
    """The paths of an attempt's pages, by its id. The web hands them over."""

    back_to: Callable[[str], str]
    """Where the provider sends the customer back."""
    call_back: Callable[[str], str]
    """What the provider calls."""


class Attempts:
    """Begins, resumes and cancels payments at the provider. An invoice has one live attempt at most.

    Each public method is a transaction before the provider is called, and one after it: none is open meanwhile.
    """

    def __init__(self, base: Base, settling: Settling, provider: PaymentProvider | None, links: Links) -> None:
        self._store = base.store
        self._clock = base.clock
        self._settling = settling
        self._provider = provider
        self._links = links

    @property
    def provider_name(self) -> str | None:
        """What customers know the provider as; None where no card is taken."""
        return self._provider.name if self._provider else None

    @property
    def provider_origin(self) -> str | None:
        """The origin of the page to which customers go for paying; None where that is ours, or no card is taken."""
        return self._provider.origin if self._provider else None

    @property
    def provider_demands(self) -> Demanded | None:
        """What the provider wants to stand at the button that leads to it; None where that is nothing."""
        return self._provider.demanded if self._provider else None

    def find(self, session: Session, attempt_id: str) -> Payment:
        """Return an attempt of the customer's. Raises OutOfTurn."""
        return self._find(session, attempt_id)[0]

    def begin(self, session: Session, invoice_id: str, pages: PaymentPages) -> str:
        """Begin a payment, and return the address of the provider's page.

        Raises OutOfTurn when the invoice is paid or being paid, Refusal ``way.unavailable`` without a provider.
        """
        attempt_id, now = opaque_id(), self._clock.now()
        if self._provider is None:
            raise Refusal("way", "unavailable")
        with self._store.write() as connection:
            self._note(connection, session, invoice_id, attempt_id, now)
        reach("payments.begun")
        return self._start(session, attempt_id, pages)

    def resume(self, session: Session, invoice: Invoice, pages: PaymentPages) -> str:
        """Return the address of the provider's page where the invoice is being paid. Raises OutOfTurn or Refusal."""
        if invoice.live_attempt is None or invoice.paid_at is not None:
            raise OutOfTurn
        attempt = self.find(session, invoice.live_attempt)
        # Without an address the process was killed before the provider's answer was kept.
        return attempt.address or self._start(session, attempt.id, pages)

    def cancel(self, session: Session, invoice: Invoice) -> None:
        """Cancel the attempt that is under way. Raises OutOfTurn without one.

        Raises Refusal ``way.too_late`` when the provider has gone too far, ``way.unavailable`` when it does not answer.
        """
        if invoice.live_attempt is None:
            raise OutOfTurn
        if self._provider is None:
            raise Refusal("way", "unavailable")
        attempt = self.find(session, invoice.live_attempt)
        try:
            state = self._provider.cancel(attempt.id, attempt.provider_id)
        except ProviderUnavailable:
            raise Refusal("way", "unavailable") from None
        self._settling.settle(attempt.id, state, is_told=False)
        if state == "pending":
            raise Refusal("way", "too_late")

    def hint(self, attempt_id: str) -> None:
        """Take a provider's call for a hint: the worker asks it soon. Raises OutOfTurn for no attempt of ours."""
        with self._store.write() as connection:
            known = select(payments.c.id).where(payments.c.id == attempt_id)
            if connection.execute(known).first() is None:
                raise OutOfTurn
            connection.execute(
                update(payments)
                .where(payments.c.id == attempt_id, payments.c.state != "succeeded")
                .values(ask_at=self._clock.now())
            )

    def notified(self, body: bytes, signature: str) -> Notification | None:
        """Take a provider's signed call, and return it with its answer; None for one that the provider did not sign.

        It is a hint like any other: the worker asks. Raises OutOfTurn for no attempt of ours.
        """
        said = self._provider.read(body, signature, self._clock.now()) if self._provider else None
        if said is not None:
            self.hint(said.attempt)
        return said

    def _start(self, session: Session, attempt_id: str, pages: PaymentPages) -> str:
        attempt, reference = self._find(session, attempt_id)
        if self._provider is None:
            raise Refusal("way", "unavailable")
        order = PaymentOrder(
            attempt_id, reference, attempt.amount, attempt.currency, session.account.language,
            back_to=self._links.url(pages.back_to(attempt_id)), call_back=self._links.url(pages.call_back(attempt_id)),
            begun_at=self._clock.now(), pay_by=self._clock.now() + _TIME_TO_PAY,
        )  # fmt: skip
        try:
            started = self._provider.start(order)
        except ProviderUnavailable:
            # Nobody has got the page's address, so nobody can pay there.
            self._settling.settle(attempt_id, "failed", is_told=False)
            raise Refusal("way", "unavailable") from None
        reach("payments.started")
        return self._keep(attempt_id, started)

    def _find(self, session: Session, attempt_id: str) -> tuple[Payment, str]:
        """Return an attempt of the customer's and the number of its invoice. Raises OutOfTurn."""
        query = rows.PAYMENT.add_columns(invoices.c.number).join(invoices, invoices.c.id == payments.c.invoice_id)
        mine = query.where(payments.c.id == attempt_id, invoices.c.kutid == session.account.kutid)
        with self._store.read() as connection:
            row = connection.execute(mine).first()
        if row is None:
            raise OutOfTurn
        facts = dict(row._mapping)
        number = str(facts.pop("number"))
        return Payment(**facts), number

    def _keep(self, attempt_id: str, started: StartedPayment) -> str:
        """Keep the first answer to the order, and return the address of it: no other one is handed to a customer.

        Raises OutOfTurn when the attempt was ended meanwhile.
        """
        mine = update(payments).where(payments.c.id == attempt_id, payments.c.state == "pending")
        with self._store.write() as connection:
            kept = connection.execute(
                mine.where(payments.c.address.is_(None)).values(
                    address=started.address,
                    provider_id=started.provider_id,
                    ask_at=self._clock.now() + _FIRST_QUESTION,
                )
            )
            if kept.rowcount:
                return started.address
            known = select(payments.c.address).where(payments.c.id == attempt_id, payments.c.state == "pending")
            address = connection.execute(known).scalar()
        if address is None:
            raise OutOfTurn
        return str(address)

    def _note(self, connection: Connection, session: Session, invoice_id: str, attempt_id: str, now: datetime) -> None:
        """Write the attempt down before the provider hears of it. Raises OutOfTurn when it may not begin."""
        is_payable = select(invoices).where(
            invoices.c.id == invoice_id, invoices.c.kutid == session.account.kutid, invoices.c.paid_at.is_(None)
        )
        invoice = connection.execute(is_payable.with_for_update()).first()
        if invoice is None:
            raise OutOfTurn
        begun = insert_for(connection, payments).values(
            id=attempt_id,
            invoice_id=invoice_id,
            live_for=invoice_id,
            way="card",
            amount=invoice.amount - invoice.received,
            currency=invoice.currency,
            state="pending",
            begun_at=now,
            ask_at=now + _TIME_TO_START,
            asked=0,
        )
        unless_live = begun.on_conflict_do_nothing(index_elements=[payments.c.live_for])
        if not connection.execute(unless_live).rowcount:
            raise OutOfTurn
