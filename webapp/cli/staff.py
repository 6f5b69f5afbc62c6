"""`belepo staff`: who may sign in to the console."""

import sys

import click
from rich import box
from rich.console import Console
from rich.table import Table

from services import randomness
from services.refusal import Refusal
from services.staff import ROLES
from services.store.migrate import migrate
from services.values import email_addresses
from webapp.cli.main import Context
from webapp.parts import Parts
from webapp.wiring import wire

_REFUSED = {
    "taken": "There is an account with this address, or with this adviser's code, already.",
    "weak": "The password needs at least 15 characters, and must not be a common one or like the name or address.",
}


@click.group()
def staff() -> None:
    """Add, disable and list the accounts of staff."""


@staff.command()
@click.argument("email")
@click.option("--name", required=True, help="The name that colleagues see.")
@click.option("--role", required=True, type=click.Choice(ROLES), help="What they may do.")
@click.option("--adviser-code", help="Of an adviser: the code in the register's file of advisers; else the address.")
@click.option("--generate", is_flag=True, help="Make up a password and print it.")
@click.pass_obj
def add(shared: Context, /, email: str, *, name: str, role: str, adviser_code: str | None, generate: bool) -> None:
    """Open an account and print the address for the authenticator app, which is shown this once.

    The password is typed twice, read from a pipe, or made up with --generate.
    """
    try:
        address = email_addresses.parse(email)
    except Refusal:
        raise click.BadParameter("this is no email address.", param_hint="EMAIL") from None
    password = randomness.characters(20) if generate else _typed()
    parts = _parts(shared)
    portal = parts.profile.texts.facts(parts.profile.languages[0])["portal"]
    try:
        uri = parts.staff.accounts.add(address, name, role, password, issuer=portal, adviser=adviser_code)
    except Refusal as refusal:
        raise click.ClickException(_REFUSED[refusal.reason]) from None
    finally:
        parts.store.close()
    if generate:
        click.echo(f"Password: {password}")
    click.echo(f"Authenticator app: {uri}")


@staff.command()
@click.argument("email")
@click.pass_obj
def disable(shared: Context, email: str) -> None:
    """Close an account; its sessions end at once. `add` opens it again, with a new password and secret."""
    parts = _parts(shared)
    try:
        is_disabled = parts.staff.accounts.disable(email_addresses.parse(email).key)
    except Refusal:
        is_disabled = False
    finally:
        parts.store.close()
    if not is_disabled:
        raise click.ClickException("There is no such account.")
    click.echo("Disabled.")


@staff.command("list")
@click.pass_obj
def list_members(shared: Context) -> None:
    """List all accounts."""
    parts = _parts(shared)
    try:
        members = parts.staff.accounts.everybody()
    finally:
        parts.store.close()
    table = Table(box=box.SIMPLE)
    for heading in ("who", "role", "second factor", "state"):
        table.add_column(heading, overflow="fold")
    for one in members:
        factor, state = "yes" if one.has_second_factor else "no", "disabled" if one.is_disabled else ""
        role = f"{one.role} of the code\n{one.adviser}" if one.adviser else one.role
        table.add_row(f"{one.email}\n{one.name}", role, factor, state)
    Console(highlight=False).print(table)


def _parts(shared: Context) -> Parts:
    parts = wire(shared.settings)
    migrate(parts.store)
    return parts


def _typed() -> str:
    if sys.stdin.isatty():
        typed = click.prompt("Password", hide_input=True, confirmation_prompt=True)
        return str(typed)
    return sys.stdin.readline().rstrip("\r\n")
