"""The command `belepo`. A command's module is loaded when it is called: the server's processes need none of them."""

import os
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click
from sqlalchemy.exc import OperationalError

from webapp.operations import logs
from webapp.settings import Settings, load, unknown_names

if TYPE_CHECKING:
    from services.profiles import Profile
    from services.store.engine import Store

_COMMANDS = {
    "serve": "webapp.cli.serve:serve",
    "import": "webapp.cli.import_register:import_command",
    "documents": "webapp.cli.documents:documents",
    "worker": "webapp.cli.worker:worker",
    "migrate": "webapp.cli.migrate:migrate",
    "export": "webapp.cli.export:export",
    "backup": "webapp.cli.backup:backup",
    "restore": "webapp.cli.backup:restore",
    "tidy": "webapp.cli.tidy:tidy",
    "staff": "webapp.cli.staff:staff",
    "api-key": "webapp.cli.api_key:api_key",
    "webhook": "webapp.cli.webhook:webhook",
    "payments": "webapp.cli.payments:payments",
    "doctor": "webapp.cli.doctor:doctor",
    "profile": "webapp.cli.profile:profile",
}


class Context:
    """What the commands share."""

    @cached_property
    def settings(self) -> Settings:
        """The settings, read when a command asks for them first."""
        settings = load()
        logs.set_up(settings)
        for sentence in unknown_names():
            click.echo(f"Warning: {sentence}", err=True)
        return settings

    def open_store(self) -> "Store":
        """Open the database and bring it up to date."""
        settings = self.settings
        engine = import_module("services.store.engine")
        store: Store = engine.Store(settings.database, synchronous=settings.sqlite_synchronous)
        import_module("services.store.migrate").migrate(store)
        return store

    @property
    def profile(self) -> "Profile":
        """The insurer's profile."""
        profile: Profile = import_module("services.profiles").load(self.settings.profile)
        return profile

    @property
    def hash_cost(self) -> int:
        """The cost at which passwords are hashed."""
        return self.settings.bcrypt_rounds


class _Commands(click.Group):
    """Finds the commands in their modules, and says in a plain sentence what is wrong with settings or database."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module, _, command = _COMMANDS[name].partition(":")
        found: click.Command = getattr(import_module(module), command)
        return found

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except click.exceptions.Exit:  # a RuntimeError too, by which click ends after --help
            raise
        except BrokenPipeError:  # nobody reads any more; click ends by it
            raise
        except (RuntimeError, OSError) as error:
            raise click.ClickException(str(error)) from error
        except OperationalError as error:
            raise click.ClickException(f"The database cannot be used: {error.orig}") from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="belepo", message="%(prog)s %(version)s")
@click.option("--profile", help="The profile's name or an insurer's own file (BELEPO_PROFILE).")
@click.pass_context
def main(context: click.Context, profile: str | None) -> None:
    """Registration and customer-account server for insurers."""
    if profile:
        # By the environment, so that the processes that `serve` starts see the same.
        os.environ["BELEPO_PROFILE"] = profile
    context.obj = Context()
