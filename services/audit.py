"""The audit trail: who did what, when and from where; append-only, without names, addresses or numbers."""

from contextvars import ContextVar
from datetime import datetime

from sqlalchemy import Connection, insert

from services.store.tables.audit import audit as table
from services.values.networks import network_of

UNKNOWN = "unknown"
"""The actor of an attempt by somebody who is not known here."""
_INSERT = insert(table)
_source: ContextVar[str | None] = ContextVar("audit source", default=None)


def comes_from(source: str | None) -> None:
    """Say from which network address the deeds of this thread come from now on; None where nobody asks from outside."""
    _source.set(network_of(source) if source else None)


def record(
    connection: Connection, action: str, *, kutid: str | None, at: datetime, actor: str = "customer", **facts: str
) -> None:
    """Write down, in the caller's transaction, that `actor` did `action`, to this customer's account if to any.

    The row names the network that `comes_from` was told.
    """
    row = {"at": at, "actor": actor, "action": action, "kutid": kutid, "source": _source.get(), "facts": facts}
    connection.execute(_INSERT, row)
