"""`belepo backup`, `belepo restore`: the embedded database, copied while it is in use, and copied back."""

from pathlib import Path

import click

from services.store.backup import back_up
from services.store.backup import restore as put_back
from webapp.cli.main import Context

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_FILE)
@click.pass_obj
def backup(shared: Context, file: Path) -> None:
    """Copy the SQLite database to FILE while the server runs, and check the copy.

    FILE is readable for its owner alone: it holds personal data. Copy the folder of BELEPO_STORAGE_URL after it; the
    letters and files in it never change. PostgreSQL has tools of its own, such as pg_dump.
    """
    size = back_up(_database(shared), file)
    click.echo(f"{file}: {size:,} bytes, checked. Now copy the stored letters and files: {shared.settings.storage_url}")


@click.command()
@click.argument("file", type=_FILE)
@click.confirmation_option(prompt="This replaces everything in the database. Is the server stopped?")
@click.pass_obj
def restore(shared: Context, file: Path) -> None:
    """Replace the SQLite database by the copy in FILE, whole or not at all. Stop the server first."""
    put_back(file, _database(shared))
    click.echo("The database is the copy now. Start the server; `belepo doctor` looks at it.")


def _database(shared: Context) -> Path:
    url = shared.settings.database
    if url.get_backend_name() != "sqlite" or not url.database:
        raise click.ClickException("This is for SQLite. Use pg_dump and pg_restore for PostgreSQL.")
    return Path(url.database)
