"""Invoices, and how they are paid."""

from datetime import timedelta

from sqlalchemy import exists, select

from services import randomness
from services.payments.ledger import NewInvoice, bring
from services.payments.statement_files import Entry
from services.store.tables.payments import invoices
from services.store.tables.register import customers, policies
from webapp.demo.invoices import CROWD, amounts, usual_invoices
from webapp.demo.payments import DemoProvider
from webapp.demo.states.catalogue import state
from webapp.demo.states.walker import Walker

_GROUP = "invoices and payments"
_DUE, _PAID = "-2", "-1"


@state(_GROUP)
def invoice_list(walker: Walker) -> None:
    """Invoices to pay, an overdue one among them, and paid ones."""
    _sign_in(walker)
    _bring_overdue(walker)
    walker.visit("invoices.show_all")


@state(_GROUP)
def invoice_list_empty(walker: Walker) -> None:
    """There has never been one."""
    walker.be(walker.cast.somebody("", ~exists().where(invoices.c.kutid == customers.c.kutid)))
    walker.open_active_account()
    walker.visit("invoices.show_all")


@state(_GROUP)
def invoice_due(walker: Walker) -> None:
    """One that is to be paid."""
    _sign_in(walker)
    walker.visit("invoices.show", invoice_id=id_of(walker, _DUE))


@state(_GROUP)
def invoice_overdue(walker: Walker) -> None:
    """One whose day is over."""
    _sign_in(walker)
    walker.visit("invoices.show", invoice_id=_bring_overdue(walker))


@state(_GROUP)
def invoice_paid(walker: Walker) -> None:
    """One that is paid."""
    _sign_in(walker)
    walker.visit("invoices.show", invoice_id=id_of(walker, _PAID))


@state(_GROUP)
def invoice_paid_in_part(walker: Walker) -> None:
    """One of which a part has come in."""
    _sign_in(walker)
    _transfer(walker, 1_000)
    walker.visit("invoices.show", invoice_id=id_of(walker, _DUE))


@state(_GROUP)
def pay(walker: Walker) -> None:
    """The ways of paying."""
    _sign_in(walker)
    walker.visit("invoices.pay", invoice_id=id_of(walker, _DUE))


@state(_GROUP)
def pay_paid_already(walker: Walker) -> None:
    """The ways of paying, of an invoice that is paid."""
    _sign_in(walker)
    walker.visit("invoices.pay", invoice_id=id_of(walker, _PAID))


@state(_GROUP)
def pay_under_way(walker: Walker) -> None:
    """The ways of paying, while a payment is under way."""
    _begin(walker)
    walker.visit("invoices.pay", invoice_id=id_of(walker, _DUE))


@state(_GROUP)
def demo_payment(walker: Walker) -> None:
    """The page of the demonstration's payment provider."""
    _begin(walker)


@state(_GROUP)
def payment_pending(walker: Walker) -> None:
    """The provider has not said yet what became of a payment."""
    attempt = _begin(walker)
    walker.visit("payments.show", attempt_id=attempt)


@state(_GROUP)
def payment_succeeded(walker: Walker) -> None:
    """A payment has come in."""
    _end(walker, "succeeded")


@state(_GROUP)
def payment_too_much(walker: Walker) -> None:
    """A payment has come in for all of an invoice of which a part had come in meanwhile."""
    attempt = _begin(walker)
    _transfer(walker, 1_000)
    _become(walker, attempt, "succeeded")


@state(_GROUP)
def payment_failed(walker: Walker) -> None:
    """A payment was declined."""
    _end(walker, "failed")


@state(_GROUP)
def payment_cancelled(walker: Walker) -> None:
    """A payment was cancelled."""
    _end(walker, "cancelled")


@state(_GROUP)
def payment_expired(walker: Walker) -> None:
    """The time for a payment is over."""
    _end(walker, "expired")


@state(_GROUP)
def payment_doubled(walker: Walker) -> None:
    """A payment has come in for an invoice that was paid already."""
    attempt = _begin(walker)
    known, names = walker.parts.portal.payments.ledger, NewInvoice.__dataclass_fields__.keys() - {"state"}
    with walker.parts.store.read() as connection:
        of_customer = select(invoices.c.number).where(invoices.c.kutid == walker.customer.kutid)
        number = connection.execute(of_customer.where(invoices.c.number.endswith(_DUE))).scalars().one()
    invoice, _ = known.find(number)
    known.put(number, NewInvoice(**{name: getattr(invoice, name) for name in names}, state="paid"))
    _become(walker, attempt, "succeeded")


@state(_GROUP)
def receipt(walker: Walker) -> None:
    """The receipt of an invoice that was paid by card."""
    _end(walker, "succeeded")
    walker.visit("payments.receipt", invoice_id=id_of(walker, _DUE))


@state(_GROUP)
def receipt_none(walker: Walker) -> None:
    """Before an invoice is paid there is no receipt."""
    _sign_in(walker)
    walker.visit("payments.receipt", invoice_id=id_of(walker, _DUE))


def _transfer(walker: Walker, amount: int) -> None:
    """Have a transfer for the walker's invoice come in by a statement."""
    parts = walker.parts
    currency, *_ = amounts(parts.profile)
    with parts.store.read() as connection:
        of_customer = select(invoices.c.number).where(invoices.c.kutid == walker.customer.kutid)
        number = connection.execute(of_customer.where(invoices.c.number.endswith(_DUE))).scalars().one()
    today = parts.clock.now().astimezone(parts.profile.zone).date()
    entry = Entry(randomness.opaque_id(), today, amount, currency, number, "")
    parts.portal.payments.bank_entries.take_in([entry])


def _begin(walker: Walker) -> str:
    """Begin to pay by card, and return the attempt."""
    _sign_in(walker)
    walker.visit("invoices.pay", invoice_id=id_of(walker, _DUE))
    walker.send("pay", way="card")
    return walker.path.rpartition("/")[2]


def _end(walker: Walker, outcome: str) -> None:
    _become(walker, _begin(walker), outcome)


def _become(walker: Walker, attempt: str, outcome: str) -> None:
    """Have the provider say what became of a payment, and look at it."""
    demo, payments = walker.parts.demo, walker.parts.portal.payments
    assert demo is not None
    assert isinstance(demo.payments, DemoProvider)
    demo.payments.become(attempt, outcome)
    payments.attempts.hint(attempt)
    payments.worker.ask_due()
    walker.visit("payments.show", attempt_id=attempt)


def _sign_in(walker: Walker) -> None:
    walker.be(walker.cast.somebody("", customers.c.kutid.in_([str(kutid) for kutid in CROWD])))
    parts, now = walker.parts, walker.parts.clock.now()
    of_customer = select(policies.c.policy_number).where(
        policies.c.kutid == walker.customer.kutid, policies.c.status == "live"
    )
    has_invoices = exists().where(invoices.c.kutid == walker.customer.kutid)
    with parts.store.write() as connection:
        # The demonstration's data hold them; a test's may not.
        if not connection.execute(select(has_invoices)).scalar():
            policy = connection.execute(of_customer.limit(1)).scalars().one()
            today = now.astimezone(parts.profile.zone).date()
            bring(connection, usual_invoices(parts.profile, policy, today), now)
    walker.open_active_account()


def id_of(walker: Walker, ending: str) -> str:
    """Return the id of the walker's invoice whose number ends so."""
    query = select(invoices.c.id).where(
        invoices.c.kutid == walker.customer.kutid, invoices.c.number.endswith(ending, autoescape=True)
    )
    with walker.parts.store.read() as connection:
        return str(connection.execute(query).scalars().one())


def _bring_overdue(walker: Walker) -> str:
    """Bring an invoice that is overdue for nine days, and return its id."""
    parts, kutid = walker.parts, walker.customer.kutid
    now = parts.clock.now()
    policy = select(invoices.c.policy_number).where(invoices.c.kutid == kutid).limit(1)
    currency, _, _, amount = amounts(parts.profile)
    number = f"SZ{kutid[-6:]}-9"
    with parts.store.write() as connection:
        number_of_policy = connection.execute(policy).scalars().one()
        due_on = now.astimezone(parts.profile.zone).date() - timedelta(days=9)
        bring(connection, {number: NewInvoice(number_of_policy, amount, currency, due_on)}, now)
        return str(connection.execute(select(invoices.c.id).where(invoices.c.number == number)).scalars().one())
