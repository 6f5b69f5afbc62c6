"""`make migration`: writes the migration that brings the newest tables to what `tables` says now."""

import sys
import tempfile
from pathlib import Path

from alembic import command

from services.store.engine import Store
from services.store.migrate import configuration, migrate
from services.store.version import newest


def write(message: str) -> None:
    """Write the migration, numbered after the newest, against an empty database of the older tables."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(f"sqlite:///{Path(folder) / 'empty.sqlite3'}")
        migrate(store)
        with store.write() as connection:
            config = configuration(connection)
            command.revision(config, message, autogenerate=True, rev_id=f"{int(newest()) + 1:04}")
        store.close()


if __name__ == "__main__":
    write(sys.argv[1])
