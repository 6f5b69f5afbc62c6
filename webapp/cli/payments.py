"""`belepo payments`: payments that came in twice, and are to be refunded."""

import click
from rich import box
from rich.console import Console
from rich.table import Table

from services.refusal import OutOfTurn
from services.store.migrate import migrate
from webapp.cli.main import Context
from webapp.parts import Parts
from webapp.wiring import wire


@click.group()
def payments() -> None:
    """List payments that came in twice, and note that they were refunded."""


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
        table.add_row(one.payment.id, one.number, f"{one.payment.amount:,} {one.payment.currency}", came_in)
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
