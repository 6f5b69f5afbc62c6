"""Invoices, and how they are paid."""

from datetime import timedelta

from sqlalchemy import select

from services.payments.ledger import NewInvoice, bring
from services.store.tables.payments import invoices
from services.store.tables.register import customers
from webapp.demo.invoices import CROWD, amounts
from webapp.demo.states.catalogue import state
from webapp.demo.states.walker import Walker

_GROUP = "invoices and payments"
_LIST = "/szamlak"
_DUE, _PAID = "-2", "-1"


@state(_GROUP)
def invoice_list(walker: Walker) -> None:
    """Invoices to pay, an overdue one among them, and paid ones."""
    _sign_in(walker)
    _bring_overdue(walker)
    walker.open(_LIST)


@state(_GROUP)
def invoice_list_empty(walker: Walker) -> None:
    """There has never been one."""
    walker.be(walker.somebody("", customers.c.kutid.not_in([str(kutid) for kutid in CROWD])))
    walker.open_active_account()
    walker.open(_LIST)


@state(_GROUP)
def invoice_due(walker: Walker) -> None:
    """One that is to be paid."""
    _sign_in(walker)
    walker.open(address_of(walker, _DUE))


@state(_GROUP)
def invoice_overdue(walker: Walker) -> None:
    """One whose day is over."""
    _sign_in(walker)
    walker.open(f"{_LIST}/{_bring_overdue(walker)}")


@state(_GROUP)
def invoice_paid(walker: Walker) -> None:
    """One that is paid."""
    _sign_in(walker)
    walker.open(address_of(walker, _PAID))


@state(_GROUP)
def pay(walker: Walker) -> None:
    """The ways of paying."""
    _sign_in(walker)
    walker.open(f"{address_of(walker, _DUE)}/fizetes")


@state(_GROUP)
def pay_paid_already(walker: Walker) -> None:
    """The ways of paying, of an invoice that is paid."""
    _sign_in(walker)
    walker.open(f"{address_of(walker, _PAID)}/fizetes")


def _sign_in(walker: Walker) -> None:
    walker.be(walker.somebody("", customers.c.kutid.in_([str(kutid) for kutid in CROWD])))
    walker.open_active_account()


def address_of(walker: Walker, ending: str) -> str:
    """Return the address of the walker's invoice whose number ends so."""
    query = select(invoices.c.id).where(
        invoices.c.kutid == walker.customer.kutid, invoices.c.number.endswith(ending, autoescape=True)
    )
    with walker.parts.store.read() as connection:
        return f"{_LIST}/{connection.execute(query).scalars().one()}"


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
