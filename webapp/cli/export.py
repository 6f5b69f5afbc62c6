"""`belepo export`: what the insurer's own system is to learn from this one."""

import csv
import sys

import click

from services.register.contact_changes import export_contact_changes
from services.store.migrate import migrate
from webapp.cli.main import Context
from webapp.wiring import wire


@click.group()
def export() -> None:
    """Export what the insurer's own system is to learn."""


@export.command("contact-changes")
@click.option("--after", type=click.IntRange(min=0), default=0, help="Leave out changes up to this number.")
@click.pass_obj
def contact_changes(shared: Context, after: int) -> None:
    """Print the contact data that staff recorded and customers changed, as CSV (UTF-8, semicolons).

    Values are as they were recorded, for a program: a spreadsheet would drop the + of a mobile.

    Each change has a number. Asking with --after and the last number yields every change once, in order.
    """
    parts = wire(shared.settings)
    migrate(parts.store)
    try:
        rows = csv.writer(sys.stdout, delimiter=";", lineterminator="\n")
        rows.writerow(["number", "kutid", "kind", "before", "after", "who", "when"])
        for one in export_contact_changes(parts.store, parts.clock, after=after):
            who, when = one.who or one.actor, one.at.isoformat(timespec="seconds")
            rows.writerow([one.id, one.kutid, one.kind, one.before, one.after, who, when])
    finally:
        parts.store.close()
