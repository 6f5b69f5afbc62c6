"""The number that a mailed link fills into the registration (T2)."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from services.register.conditions import live_policy_numbers
from services.store.tables.register import customer_accounts, customers


@dataclass(frozen=True)
class Prefill:
    """What a link fills in: a number, which kind of number it is, and whose."""

    kutid: str
    kind: str
    number: str


def number_of(kind: str) -> Any:
    """Return, in a query of customers, one of each customer's numbers of a kind that a profile identifies by."""
    if kind == "policy_number":
        return live_policy_numbers(customers.c.kutid).limit(1).scalar_subquery()
    if kind == "account_number":
        account = select(customer_accounts.c.account_number).where(customer_accounts.c.kutid == customers.c.kutid)
        return account.order_by(customer_accounts.c.account_number).limit(1).scalar_subquery()
    return customers.c.customer_number
