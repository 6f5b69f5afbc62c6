"""How an account is opened: by one statement, from a row of another table."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Insert, Table, bindparam, insert, select

from services.store.tables.accounts import accounts

_BOUND = {
    "id": "account_id",
    "password_hash": "hashed",
    "password_changed_at": "now",
    "language": "spoken",
    "created_at": "now",
}


def opening(
    facts: Mapping[str, ColumnElement[Any]],
    *conditions: ColumnElement[bool],
    holding: Table,
    returning: ColumnElement[Any],
) -> Insert:
    """Return the statement that opens an account if a row of another table meets the conditions.

    `facts` maps the account's columns to that row's; the parameters ``account_id``, ``hashed``, ``spoken`` and ``now``
    bring the rest. The statement locks the row of `holding`, and returns the account's id, address and mobile, and
    `returning`. The database's unique keys decide between two at once: it raises IntegrityError then.
    """
    bound = {name: bindparam(bind, type_=accounts.c[name].type) for name, bind in _BOUND.items()}
    given = {**facts, **bound}
    values = {column: given[column.name] for column in accounts.c}
    row = select(*values.values()).where(*conditions).with_for_update(of=holding)
    return (
        insert(accounts)
        .from_select(list(values), row)
        .returning(accounts.c.id, accounts.c.email, accounts.c.mobile, returning)
    )
