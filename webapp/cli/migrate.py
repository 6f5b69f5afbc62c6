"""`belepo migrate`: the database's tables."""

import click

from services.store.version import newest, version_of
from webapp.cli.main import Context


@click.command()
@click.pass_obj
def migrate(shared: Context) -> None:
    """Bring the database to the tables of this version, unless a newer one has been there."""
    store = shared.open_store()
    try:
        found = version_of(store)
    finally:
        store.close()
    if found > newest():
        click.echo(f"A newer version has migrated the database, to {found}; this one works with it, up to {newest()}.")
    else:
        click.echo("The database is up to date.")
