"""Changes of an account that wait to be proved: the rows that both kinds share."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from services.accounts.account import Session
from services.store.statements import insert_for
from services.store.tables.accounts import account_changes

EMAIL, MOBILE = "email", "mobile"


def note_change(
    connection: Connection,
    session: Session,
    kind: str,
    now: datetime,
    *,
    lifetime: timedelta,
    change_id: str,
    value: str,
    key: str,
) -> datetime:
    """Store a change, EMAIL or MOBILE, in place of an older one of its kind; return the moment at which it dies."""
    fresh = {"id": change_id, "value": value, "value_key": key, "created_at": now, "expires_at": now + lifetime}
    statement = insert_for(connection, account_changes).values(account_id=session.account.id, kind=kind, **fresh)
    kinds = [account_changes.c.account_id, account_changes.c.kind]
    connection.execute(statement.on_conflict_do_update(index_elements=kinds, set_=fresh))
    return now + lifetime
