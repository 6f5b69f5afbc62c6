"""What other packages ask about the register: conditions, so that none of them repeats what they mean.

What staff have learnt of a customer counts beside the register until an import brings it (M28).
"""

from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, ScalarSelect, Select, exists, func, or_, select, union_all

from services.store.tables.register import (
    advisers,
    contact_changes,
    customer_accounts,
    customers,
    phones,
    policies,
)


def has_live_policy(kutid: ColumnElement[str] | str) -> ColumnElement[bool]:
    """Return the condition that a customer has a policy in force."""
    return exists().where(policies.c.kutid == kutid, policies.c.status == "live")


def live_policy_numbers(kutid: ColumnElement[str] | str) -> Select[str]:
    """Return the query for the numbers of a customer's policies in force, in order."""
    live = (policies.c.kutid == kutid, policies.c.status == "live")
    return select(policies.c.policy_number).where(*live).order_by(policies.c.policy_number)


def all_numbers(kutid: ColumnElement[str]) -> CompoundSelect[str]:
    """Return the query for all numbers by which the insurer knows a customer."""
    numbers = (
        policies.c.policy_number,
        customers.c.customer_number,
        customer_accounts.c.account_number,
        customer_accounts.c.old_number,
    )
    return union_all(*(select(number).where(number.table.c.kutid == kutid, number.is_not(None)) for number in numbers))


def numbered(kind: str, number: str) -> Select[Any]:
    """Return the query for KÜTID and name of the customer whom a number names.

    `kind` is `policy_number`, `account_number`, `kutid` or `customer_number`.
    """
    customer = select(customers.c.kutid, customers.c.name)
    if kind == "policy_number":
        return customer.join(policies).where(policies.c.policy_number == number)
    if kind == "account_number":
        account = customer_accounts.c
        is_number = or_(account.account_number == number, account.old_number == number)
        return customer.join(customer_accounts).where(is_number)
    return customer.where(customers.c[kind] == number)


def is_managed_by(
    kutid: ColumnElement[str] | str, policy_number: ColumnElement[str] | str, adviser: str | None
) -> ColumnElement[bool]:
    """Return the condition that the adviser manages the customer account to which the customer's policy belongs."""
    account = customer_accounts.c
    return (
        exists()
        .where(policies.c.policy_number == policy_number, policies.c.kutid == kutid)
        .where(account.account_number == policies.c.account_number, account.kutid == policies.c.kutid)
        .where(account.manager == "intermediary")
        .where(advisers.c.kutid == policies.c.kutid, advisers.c.adviser == adviser)
    )


def is_advised_by(kutid: ColumnElement[str], adviser: str | None) -> ColumnElement[bool]:
    """Return the condition that a customer is the adviser's, by the code that the register knows them by."""
    return exists().where(advisers.c.kutid == kutid, advisers.c.adviser == adviser)


def manages_own_account(kutid: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that a customer, and no intermediary, manages one of their customer accounts."""
    return exists().where(customer_accounts.c.kutid == kutid, customer_accounts.c.manager == "customer")


def has_mobile(kutid: ColumnElement[str], number: ColumnElement[str] | None = None) -> ColumnElement[bool]:
    """Return the condition that a mobile of this customer is known, or this very `number` is."""
    held = [phones.c.kutid == kutid, phones.c.is_mobile]
    if number is not None:
        held.append(phones.c.number == number)
    return or_(exists().where(*held), has_learnt(kutid, "mobile", number))


def has_learnt(kutid: ColumnElement[str], kind: str, after: ColumnElement[str] | None = None) -> ColumnElement[bool]:
    """Return the condition that staff have learnt a customer's ``email`` or ``mobile``, or this very one, lately."""
    conditions = [
        contact_changes.c.kutid == kutid,
        contact_changes.c.kind == kind,
        contact_changes.c.settled_at.is_(None),
    ]
    if after is not None:
        conditions.append(contact_changes.c.after == after)
    return exists().where(*conditions)


def learnt(kutid: ColumnElement[str] | str, kind: str) -> Select[str]:
    """Return the query for what staff have learnt and no import has brought yet, the newest first."""
    return (
        select(contact_changes.c.after)
        .where(contact_changes.c.kutid == kutid, contact_changes.c.kind == kind, contact_changes.c.settled_at.is_(None))
        .order_by(contact_changes.c.id.desc())
    )


def address() -> ScalarSelect[str]:
    """Return the address that a mail to a customer goes to: what staff have learnt last, or else the register's."""
    newest = learnt(customers.c.kutid, "email").limit(1).scalar_subquery()
    return func.coalesce(newest, customers.c.email)  # type: ignore[return-value]


def mobile() -> ScalarSelect[str]:
    """Return the number that a text message to a customer goes to: what staff have learnt last, or the register's."""
    newest = learnt(customers.c.kutid, "mobile").limit(1).scalar_subquery()
    held = select(phones.c.number).where(phones.c.kutid == customers.c.kutid, phones.c.is_mobile)
    first = held.order_by(phones.c.is_default.desc(), phones.c.policy_number, phones.c.number).limit(1)
    return func.coalesce(newest, first.scalar_subquery())  # type: ignore[return-value]


def has_address() -> ColumnElement[bool]:
    """Return the condition that a mail can reach a customer."""
    return or_(customers.c.email.is_not(None), has_learnt(customers.c.kutid, "email"))
