"""Which tables a database has, without the tools that change them."""

from importlib.resources import files

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.store.engine import Store


def is_current(store: Store) -> bool:
    """Tell whether every migration has been run. Raises SQLAlchemyError when the database does not answer."""
    with store.read() as connection:
        connection.execute(text("SELECT 1"))
        try:
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == newest()
        except DBAPIError:  # there is no such table yet
            return False


def newest() -> str:
    """Return the name of the newest migration: its file begins with it."""
    versions = files("services.store") / "migrations" / "versions"
    return max(file.name.partition("_")[0] for file in versions.iterdir() if file.name[0].isdigit())
