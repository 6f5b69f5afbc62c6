"""The audit trail: who did what and when, append-only, without personal data beyond the customer's id."""

from datetime import datetime

from sqlalchemy import Connection, insert

from services.store.tables import audit as table

_INSERT = insert(table)


def record(
    connection: Connection, action: str, *, kutid: str | None, at: datetime, actor: str = "customer", **facts: str
) -> None:
    """Write down, in the caller's transaction, that `actor` did `action`, to this customer's account if to any."""
    connection.execute(_INSERT, {"at": at, "actor": actor, "action": action, "kutid": kutid, "facts": facts})
