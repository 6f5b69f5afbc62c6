"""`belepo api-key`: which applications may use the API."""

from datetime import datetime, timedelta

import click
from rich import box
from rich.console import Console
from rich.table import Table

from services.clients import SCOPES, ApiKey
from services.refusal import Refusal
from services.store.migrate import migrate
from webapp.cli.main import Context
from webapp.parts import Parts
from webapp.wiring import wire


@click.group("api-key")
def api_key() -> None:
    """Add, revoke and list the keys of the API's clients."""


@api_key.command()
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(SCOPES), help="What for; several can be given.")
@click.option("--adviser", help="An adviser's code: the key reaches their customers alone.")
@click.option(
    "--days", type=click.IntRange(min=1, max=3650), help="Days that the key is good; by default until revoked."
)
@click.pass_obj
def add(shared: Context, name: str, scopes: tuple[str, ...], adviser: str | None, days: int | None) -> None:
    """Make a key for the client NAME and print it, this once.

    Without --scope it may do everything.
    """
    parts = _parts(shared)
    try:
        lifetime = timedelta(days=days) if days else None
        _, key = parts.clients.api_keys.add(name[:120], scopes or SCOPES, adviser=adviser, lifetime=lifetime)
        is_known = adviser is None or parts.clients.api_keys.is_adviser(adviser)
    except Refusal:  # scopes are the option's own choice
        raise click.BadParameter(
            "the code of an adviser is empty; leave it out for all customers.", param_hint="--adviser"
        ) from None
    finally:
        parts.store.close()
    if not is_known:
        click.echo(f"The register gives no customers to the adviser {adviser}: the key reaches nobody yet.", err=True)
    click.echo(key)


@api_key.command()
@click.argument("key_id", metavar="ID")
@click.pass_obj
def revoke(shared: Context, key_id: str) -> None:
    """End the key with this ID, as `list` shows it, at once and for good."""
    parts = _parts(shared)
    try:
        is_revoked = parts.clients.api_keys.revoke(key_id)
    finally:
        parts.store.close()
    if not is_revoked:
        raise click.ClickException("There is no such key, or it was revoked before.")
    click.echo("Revoked.")


@api_key.command("list")
@click.pass_obj
def list_keys(shared: Context) -> None:
    """List all keys; the last use is shown to the hour."""
    parts = _parts(shared)
    try:
        keys = parts.clients.api_keys.all()
    finally:
        parts.store.close()
    table = Table(box=box.SIMPLE)
    for heading in ("id", "client", "scopes", "made and used", "state"):
        table.add_column(heading, no_wrap=heading in ("id", "scopes"), overflow="fold")
    for one in keys:
        table.add_row(
            one.id.removeprefix("client:"),
            f"{one.name}\n(adviser {one.adviser})" if one.adviser is not None else one.name,
            "\n".join(sorted(one.scopes)),
            f"{_day(parts, one.created_at)}\n{_day(parts, one.used_at, '%Y-%m-%d %H:00')}".rstrip(),
            _state(parts, one),
        )
    Console(highlight=False).print(table)


def _state(parts: Parts, one: ApiKey) -> str:
    if one.revoked_at:
        return f"revoked {_day(parts, one.revoked_at)}"
    if one.expires_at is None:
        return "good"
    return f"{'good until' if one.is_good(parts.clock.now()) else 'over since'} {_day(parts, one.expires_at)}"


def _day(parts: Parts, moment: datetime | None, form: str = "%Y-%m-%d") -> str:
    return f"{moment.astimezone(parts.profile.zone):{form}}" if moment else ""


def _parts(shared: Context) -> Parts:
    parts = wire(shared.settings)
    migrate(parts.store)
    return parts
