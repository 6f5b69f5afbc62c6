"""`belepo payments`: money that came in by transfer, and money to refund."""

from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Table

from services.payments.bank_entries import Fate
from services.payments.statement_files import read
from services.refusal import OutOfTurn
from services.register.importing import UnusableFile
from services.store.migrate import migrate
from webapp.cli.main import Context
from webapp.parts import Parts
from webapp.wiring import wire

_FATES: dict[Fate, str] = {
    "paid": "paid an invoice",
    "partial": "were a part of an invoice",
    "doubled": "came in for an invoice that was paid: see belepo payments refunds",
    "unmatched": "match no invoice: see the console's worklist",
    "known": "were known before",
    "old": "are older than transfers are kept (retention.transfers_days): passed over",
}


@click.group()
def payments() -> None:
    """Take in the bank's statements, list what came in twice, and note that it was refunded."""


@payments.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def statement(shared: Context, file: Path) -> None:
    """Take in the transfers of the bank's statement FILE, CSV or camt.053. The same file again changes nothing."""
    try:
        found = read(file)
    except UnusableFile as error:
        raise click.ClickException(str(error)) from None
    parts = _parts(shared)
    try:
        fates = parts.portal.payments.bank_entries.take_in(found.entries)
    finally:
        parts.store.close()
    for fate, words in _FATES.items():
        if fates[fate]:
            click.echo(f"{fates[fate]} {words}")
    if found.passed_over:
        click.echo(f"{found.passed_over} passed over: not booked, or no money coming in")
    if found.unread:
        places = ", ".join(str(place) for place in found.unread[:20])
        raise click.ClickException(f"{len(found.unread)} could not be read: {places}. The others were taken in.")


@payments.command()
@click.pass_obj
def refunds(shared: Context) -> None:
    """List the payments to refund, oldest first; amounts are of the currency's smallest unit."""
    parts = _parts(shared)
    try:
        due = parts.portal.payments.refunds.due()
    finally:
        parts.store.close()
    table = Table(box=box.SIMPLE)
    for heading in ("payment", "invoice", "amount", "came in"):
        table.add_column(heading, no_wrap=True)
    for one in due:
        moment = one.payment.ended_at
        came_in = f"{moment.astimezone(parts.profile.zone):%Y-%m-%d %H:%M}" if moment else ""
        table.add_row(one.payment.id, one.number, f"{one.amount:,} {one.payment.currency}", came_in)
    Console(highlight=False).print(table)


@payments.command()
@click.argument("payment_id", metavar="ID")
@click.pass_obj
def refunded(shared: Context, payment_id: str) -> None:
    """Note that the payment with this ID, as `refunds` shows it, was refunded. It moves no money."""
    parts = _parts(shared)
    try:
        parts.portal.payments.refunds.done(payment_id, actor="operator")
    except OutOfTurn:
        raise click.ClickException("There is no such payment to refund, or it was noted before.") from None
    finally:
        parts.store.close()
    click.echo("Noted.")


def _parts(shared: Context) -> Parts:
    parts = wire(shared.settings)
    migrate(parts.store)
    return parts
