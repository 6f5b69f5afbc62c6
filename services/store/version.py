"""Which tables a database has, without the tools that change them."""

from datetime import datetime
from importlib.resources import files

from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from services.store.engine import Store
from services.store.tables import DECLARED


def is_current(store: Store) -> bool:
    """Tell whether the database has all tables of this version; one that a newer version has migrated has them too.

    Raises SQLAlchemyError when the database does not answer.
    """
    return version_of(store) >= newest()


def version_of(store: Store) -> str:
    """Return the name of the last migration that was run, or nothing. Names sort by age.

    Raises SQLAlchemyError when the database does not answer.
    """
    with store.read() as connection:
        connection.execute(text("SELECT 1"))
        try:
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""
        except DBAPIError:  # there is no such table yet
            return ""


def last_written(store: Store) -> datetime | None:
    """Return the newest moment that the database knows of, or None when it is empty or not there yet.

    The moments of registrations and of the outbox have no index and are read through, a second for some millions of
    rows at the start of a process; the others are looked up.
    """
    queries = (query.scalar_subquery() for declared in DECLARED for query in declared.written)
    try:
        with store.read() as connection:
            moments = connection.execute(select(*queries)).one()
    except SQLAlchemyError:
        return None
    return max((moment for moment in moments if moment is not None), default=None)


def newest() -> str:
    """Return the name of the newest migration: its file begins with it."""
    versions = files("services.store") / "migrations" / "versions"
    return max(file.name.partition("_")[0] for file in versions.iterdir() if file.name[0].isdigit())
