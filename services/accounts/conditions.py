"""What other packages ask about accounts: conditions and queries, so that none of them reads the tables."""

from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select

from services.store.tables.accounts import accounts, activations


def is_registered(kutid: ColumnElement[str] | str) -> ColumnElement[bool]:
    """Return the condition that a customer has an account, activated or not."""
    return exists().where(accounts.c.kutid == kutid)


def is_taken(email_key: ColumnElement[str] | str) -> ColumnElement[bool]:
    """Return the condition that an account has this address."""
    return exists().where(accounts.c.email_key == email_key)


def is_opened_by(registration_id: ColumnElement[str] | str) -> ColumnElement[bool]:
    """Return the condition that a registration has opened an account."""
    return exists().where(accounts.c.registration_id == registration_id)


def account_of(kutid: str) -> Select[Any]:
    """Return the query for a customer's account, and whether it `is_waiting` for its activation code."""
    is_waiting = exists().where(activations.c.account_id == accounts.c.id)
    return select(*accounts.c, is_waiting.label("is_waiting")).where(accounts.c.kutid == kutid)


def count_accounts() -> Select[int]:
    """Return the query for the number of accounts."""
    return select(func.count()).select_from(accounts)
