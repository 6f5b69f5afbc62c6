"""`belepo webhook`: the endpoints of the insurer's systems that are called when something happens."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import click
from rich import box
from rich.console import Console
from rich.table import Table

from services.events import TYPES
from services.events.webhooks import Webhook, Webhooks
from services.refusal import OutOfTurn, Refusal
from services.store.migrate import migrate
from webapp.cli.main import Context
from webapp.parts import Parts
from webapp.wiring import wire

_REFUSED = {
    "url": "URL must begin with https://, or be http:// on this machine; without a user, a # or a space.",
    "events": f"--events takes types of event, such as request.*; there are {', '.join(TYPES)}.",
    "too_many": "There are as many webhooks as can be. Remove one first.",
    "after": "--after is a number that the webhook has not reached yet.",
}


@click.group()
def webhook() -> None:
    """Add, list and remove webhooks, and call them again.

    The worker calls each one for every event, in order and at least once.
    """


@webhook.command()
@click.argument("url", metavar="URL")
@click.option(
    "--events", "patterns", multiple=True, help="A type of event, such as request.*; several can be given. All without."
)
@click.pass_obj
def add(shared: Context, url: str, patterns: tuple[str, ...]) -> None:
    """Call URL for what happens from now on. Print its id and, this once, the secret that signs the calls."""
    with _parts(shared) as parts, _refused():
        webhook_id, secret = parts.clients.events.webhooks.add(url, patterns or ("*",))
    click.echo(f"id      {webhook_id}\nsecret  {secret}")


@webhook.command("list")
@click.pass_obj
def list_webhooks(shared: Context) -> None:
    """List all webhooks: what waits, since when calls fail and why, and how many events were given up."""
    with _parts(shared) as parts:
        found = parts.clients.events.webhooks.all()
        table = Table(box=box.SIMPLE)
        for heading in ("id", "URL", "events", "waiting", "given up", "state"):
            table.add_column(heading, no_wrap=heading == "id", overflow="fold")
        for one in found:
            counts = f"{one.waiting:,}", f"{one.given_up:,}"
            table.add_row(one.id, one.url, "\n".join(one.patterns), *counts, _state(parts, one))
        Console(highlight=False).print(table)


@webhook.command()
@click.argument("webhook_id", metavar="ID")
@click.pass_obj
def remove(shared: Context, webhook_id: str) -> None:
    """Call the webhook with this ID no more, and forget what waits for it."""
    with _webhooks(shared) as webhooks:
        webhooks.remove(webhook_id.upper())
    click.echo("Removed.")


@webhook.command()
@click.argument("webhook_id", metavar="ID")
@click.option("--after", type=click.IntRange(min=0), help="Call it again for every event after this number.")
@click.pass_obj
def retry(shared: Context, webhook_id: str, after: int | None) -> None:
    """Call the webhook with this ID at once: for the events that were given up, then for those that wait."""
    with _webhooks(shared) as webhooks:
        given_up = webhooks.retry(webhook_id.upper(), after=after)
    click.echo(f"The worker calls it now; {given_up:,} events had been given up.")


def _state(parts: Parts, one: Webhook) -> str:
    if one.failing_since is None:
        return "good"
    return f"failing since {_moment(parts, one.failing_since)}\n{one.error}\nnext call {_moment(parts, one.next_at)}"


def _moment(parts: Parts, moment: datetime) -> str:
    return f"{moment.astimezone(parts.profile.zone):%Y-%m-%d %H:%M}"


@contextmanager
def _webhooks(shared: Context) -> Iterator[Webhooks]:
    with _parts(shared) as parts, _refused():
        try:
            yield parts.clients.events.webhooks
        except OutOfTurn:
            raise click.ClickException("There is no such webhook.") from None


@contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except Refusal as refusal:
        raise click.UsageError(_REFUSED[refusal.reason]) from None


@contextmanager
def _parts(shared: Context) -> Iterator[Parts]:
    parts = wire(shared.settings)
    migrate(parts.store)
    try:
        yield parts
    finally:
        parts.store.close()
