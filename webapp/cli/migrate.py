"""`belepo migrate`: the database's tables."""

import click

from webapp.cli.main import Context


@click.command()
@click.pass_obj
def migrate(shared: Context) -> None:
    """Bring the database to the tables of this version."""
    shared.open_store().close()
    click.echo("The database is up to date.")
