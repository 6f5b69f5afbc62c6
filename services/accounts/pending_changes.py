"""Changes of an account that wait to be proved: one of a kind an account, for as long as a registration waits."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, select

from services import randomness
from services.store.statements import insert_for
from services.store.tables.accounts import account_changes

EMAIL, MOBILE = "email", "mobile"
_columns = account_changes.c
_CHANGE = (_columns.id, _columns.account_id, _columns.value, _columns.value_key, _columns.expires_at)


@dataclass(frozen=True)
class Change:
    """A new address or number that is not proved yet."""

    id: str
    account_id: str
    value: str
    value_key: str
    expires_at: datetime


class PendingChanges:
    """The rows of one kind of change, EMAIL or MOBILE, in a caller's transaction."""

    def __init__(self, kind: str, lifetime: timedelta) -> None:
        self._kind = kind
        self._lifetime = lifetime

    def put(self, connection: Connection, account_id: str, value: str, key: str, now: datetime) -> Change:
        """Store a change in place of the account's older one."""
        change = Change(randomness.opaque_id(), account_id, value, key, now + self._lifetime)
        fresh = {"created_at": now, **vars(change)}
        statement = insert_for(connection, account_changes).values(kind=self._kind, **fresh)
        kinds = [_columns.account_id, _columns.kind]
        connection.execute(statement.on_conflict_do_update(index_elements=kinds, set_=fresh))
        return change

    def of_account(self, connection: Connection, account_id: str, now: datetime) -> Change | None:
        """Return the change that waits for its proof."""
        return self._find(connection, now, _columns.account_id == account_id)

    def with_id(self, connection: Connection, change_id: str, now: datetime) -> Change | None:
        """Return the change with this id as long as it waits for its proof."""
        return self._find(connection, now, _columns.id == change_id)

    def take(self, connection: Connection, change_id: str, now: datetime) -> Change | None:
        """Take a change out, so that it is made once; None when it waits no more."""
        waiting = delete(account_changes).where(_columns.id == change_id, *self._waits(now)).returning(*_CHANGE)
        row = connection.execute(waiting).first()
        return Change(*row) if row else None

    def drop(self, connection: Connection, account_id: str) -> None:
        """Forget the account's change."""
        own = _columns.account_id == account_id, _columns.kind == self._kind
        connection.execute(delete(account_changes).where(*own))

    def _find(self, connection: Connection, now: datetime, which: ColumnElement[bool]) -> Change | None:
        row = connection.execute(select(*_CHANGE).where(which, *self._waits(now))).first()
        return Change(*row) if row else None

    def _waits(self, now: datetime) -> tuple[ColumnElement[bool], ...]:
        return _columns.kind == self._kind, _columns.expires_at > now
