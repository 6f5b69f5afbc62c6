"""Brings a database to the tables of this version."""

from importlib.resources import files

from alembic import command
from alembic.config import Config

from services.store.engine import Store


def migrate(store: Store) -> None:
    """Run the migrations that are missing, all or none of them; nothing happens when none is."""
    config = Config()
    config.set_main_option("script_location", str(files("services.store") / "migrations"))
    with store.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
