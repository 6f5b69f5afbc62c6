"""Which tables a database has, without the tools that change them."""

from datetime import datetime
from importlib.resources import files

from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from services.store.engine import Store
from services.store.statements import insert_for
from services.store.tables.accounts import sessions
from services.store.tables.audit import audit
from services.store.tables.limits import allowances
from services.store.tables.messages import outbox
from services.store.tables.references import reference_codes
from services.store.tables.registrations import registrations
from services.store.tables.staff import staff_cases, staff_sessions

_CLOCK = "clock"
"""A key of the allowances, under which `note_time` keeps its moment."""
_WRITTEN = (
    outbox.c.created_at,
    registrations.c.created_at,
    reference_codes.c.created_at,
    sessions.c.created_at,
    staff_sessions.c.created_at,
    staff_cases.c.opened_at,
    audit.c.at,
)


def is_current(store: Store) -> bool:
    """Tell whether every migration has been run. Raises SQLAlchemyError when the database does not answer."""
    with store.read() as connection:
        connection.execute(text("SELECT 1"))
        try:
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == newest()
        except DBAPIError:  # there is no such table yet
            return False


def note_time(store: Store, now: datetime) -> None:
    """Write down that it is `now`, where nothing else is written: what has ended meanwhile stays so after a restart."""
    with store.write() as connection:
        note = insert_for(connection, allowances).values(key=_CLOCK, used=0, ends_at=now)
        known = allowances.c.ends_at
        connection.execute(
            note.on_conflict_do_update(
                index_elements=[allowances.c.key],
                set_={"ends_at": note.excluded.ends_at},
                where=known < note.excluded.ends_at,
            )
        )


def last_written(store: Store) -> datetime | None:
    """Return the newest moment that the database knows of, or None when it is empty or not there yet.

    The first two have no index and are read through, a second for some millions of rows at the start of a process; the
    others are looked up.
    """
    noted = select(allowances.c.ends_at).where(allowances.c.key == _CLOCK)
    newest = (select(func.max(column)) for column in _WRITTEN)
    try:
        with store.read() as connection:
            moments = connection.execute(select(*(one.scalar_subquery() for one in (noted, *newest)))).one()
    except SQLAlchemyError:
        return None
    return max((moment for moment in moments if moment is not None), default=None)


def newest() -> str:
    """Return the name of the newest migration: its file begins with it."""
    versions = files("services.store") / "migrations" / "versions"
    return max(file.name.partition("_")[0] for file in versions.iterdir() if file.name[0].isdigit())
