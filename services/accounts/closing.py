"""How an account ends: what belongs to it is erased, and the insurer's register stays as it is."""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, delete, select

from services import audit
from services.messages.outbox import Outbox
from services.store.declarations import AccountKey
from services.store.tables import DECLARED
from services.store.tables.accounts import accounts, activations

# Retention erases in the opposite order: here the account comes first, and what led to it last.
_ERASED = tuple(rows for declared in reversed(DECLARED) for rows in declared.erased_with_account)
_WITHDRAWN = tuple(topic for declared in reversed(DECLARED) for topic in declared.withdrawn_with_account)


def erase(connection: Connection, outbox: Outbox, account_id: str, kutid: str) -> None:
    """Erase an account in a caller's transaction, which holds its row, and all that packages declare to go with it."""
    keys: dict[AccountKey, str] = {"account_id": account_id, "kutid": kutid}
    for topic in _WITHDRAWN:
        outbox.replace(connection, topic.format(**keys))
    for rows in _ERASED:
        erased = delete(rows.column.table).where(rows.column == keys[rows.key])
        if rows.topic is None:
            connection.execute(erased)
        else:
            for row_id in connection.execute(erased.returning(rows.column.table.c.id)).scalars().all():
                outbox.replace(connection, f"{rows.topic}:{row_id}")


def end_unactivated(
    connection: Connection, outbox: Outbox, account_id: str, is_over: ColumnElement[bool], now: datetime
) -> bool:
    """End an account in a caller's transaction if `is_over` holds of its activation; tell whether it did.

    An account that is activated or gets a new code at this moment stays.
    """
    # The account's row first, as in every change of an account: only then can nobody give the code.
    held = select(accounts.c.kutid).where(accounts.c.id == account_id).with_for_update(skip_locked=True)
    ended = delete(activations).where(activations.c.account_id == account_id, is_over)
    kutid = connection.execute(held).scalar()
    if kutid is None or connection.execute(ended.returning(activations.c.account_id)).first() is None:
        return False
    erase(connection, outbox, account_id, kutid)
    audit.record(connection, "account_ended", kutid=kutid, at=now, actor="system")
    return True
