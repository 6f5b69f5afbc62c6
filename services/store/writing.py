"""Whether a database takes what is written, without waiting for its turn (F50)."""

import sqlite3
from contextlib import closing

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.store.engine import Store

_PATIENCE = 0.2
"""Seconds for which this waits for other writers."""
_WRITE = "UPDATE alembic_version SET version_num = version_num"
_HELD_BY_OTHERS = ("SQLITE_BUSY", "SQLITE_LOCKED", "LockNotAvailable")


def fault_of_writing(store: Store) -> str | None:
    """Return the database's own name for the reason why it takes nothing, such as SQLITE_READONLY; None if it does.

    Of a database that another writer holds nothing is said against it. Raises SQLAlchemyError when PostgreSQL does not
    answer.
    """
    try:
        if store.is_sqlite:
            with closing(sqlite3.connect(store.url.database or "", timeout=_PATIENCE)) as connection, connection:
                connection.execute(_WRITE)
        else:
            with store.write() as writing:
                writing.execute(text(f"SET LOCAL lock_timeout = {int(_PATIENCE * 1000)}"))
                writing.execute(text(_WRITE))
    except (sqlite3.Error, DBAPIError) as error:
        reason = name_of(error)
        return None if reason.startswith(_HELD_BY_OTHERS) else reason
    return None


def name_of(error: Exception) -> str:
    """Return the database's own name of an error: SQLITE_FULL, ReadOnlySqlTransaction. It holds no values."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig else error
    return getattr(cause, "sqlite_errorname", "") or type(cause).__name__
