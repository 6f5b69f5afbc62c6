"""`belepo tidy`: erases what the profile no longer keeps."""

import click
from rich import box
from rich.console import Console
from rich.table import Table

from services.retention import Erased
from services.store.migrate import migrate
from webapp.cli.main import Context
from webapp.wiring import wire
from webapp.worker.tidying import tidying


@click.command()
@click.option("--dry-run", is_flag=True, help="Count what would be erased, and erase nothing.")
@click.pass_obj
def tidy(shared: Context, dry_run: bool) -> None:
    """Erase what the profile no longer keeps: old registrations, messages, sessions, log rows.

    The worker does the same once an hour. It works in small steps beside the running server; what it has
    erased when it is stopped is erased, and the rest goes the next time.
    """
    parts = wire(shared.settings)
    migrate(parts.store)
    try:
        with Console(stderr=True).status("Erasing …"):
            tidied = tidying(parts).count() if dry_run else tidying(parts).tidy()
    finally:
        parts.store.close()
    _print(tidied, is_dry_run=dry_run)


def _print(tidied: list[Erased], *, is_dry_run: bool) -> None:
    table = Table(box=box.SIMPLE)
    table.add_column("what", no_wrap=True)
    table.add_column("kept for days", justify="right", no_wrap=True)
    table.add_column("to erase" if is_dry_run else "erased", justify="right", no_wrap=True)
    for one in tidied:
        table.add_row(one.kind.replace("_", " "), f"{one.kept_for.days:,}", f"{one.count:,}")
    Console(highlight=False).print(table)
    total = sum(one.count for one in tidied)
    click.echo(f"{total:,} to erase; nothing was erased." if is_dry_run else f"{total:,} erased.")
