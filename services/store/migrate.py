"""Brings a database to the tables of this version."""

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from services.store.engine import Store
from services.store.statements import queue_for
from services.store.version import newest


def migrate(store: Store) -> None:
    """Run the migrations that are missing, all or none of them.

    Nothing happens when none is, nor when a newer version has migrated the database already: its tables serve this
    version too.
    """
    with store.write() as connection:
        queue_for(connection, "migrations")  # two processes that start at once do it one after the other
        if (MigrationContext.configure(connection).get_current_revision() or "") > newest():
            return
        command.upgrade(configuration(connection), "head")


def configuration(connection: Connection) -> Config:
    """Return Alembic's configuration for this connection."""
    config = Config()
    config.set_main_option("script_location", str(files("services.store") / "migrations"))
    config.attributes["connection"] = connection
    return config
