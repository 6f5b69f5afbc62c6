"""`belepo worker`: the delivery of messages and the tidying as a process of its own."""

import signal
import socket
import threading
from collections.abc import Callable
from functools import partial

import click

from services.gateways.mailbox import ImapMailbox
from services.store.version import is_current
from webapp.cli.main import Context
from webapp.parts import Parts
from webapp.wiring import wire
from webapp.worker.delivery import delivery
from webapp.worker.running import at_signals, beside
from webapp.worker.tidying import tidying


@click.command()
@click.pass_obj
def worker(shared: Context) -> None:
    """Deliver messages and webhooks, send invitations and erase what is over until stopped.

    Several workers share the work.
    """
    parts = wire(shared.settings)
    if not is_current(parts.store):
        raise RuntimeError("The database is not up to date: run `belepo migrate`.")
    stop = threading.Event()
    at_signals({signal.SIGTERM: stop.set, signal.SIGINT: stop.set})
    with beside(stop, works(parts)):
        stop.wait()


def works(parts: Parts) -> dict[str, Callable[[threading.Event], None]]:
    """Return what is done beside the pages, by the names of its threads. Raises SettingsError for a URL of no use."""
    bounces, returns = parts.settings.bounces, parts.portal.letters.returns
    read = {"bounces": partial(returns.run, mailbox=ImapMailbox(**vars(bounces)))} if bounces else {}
    return {
        **read,
        "outbox": delivery(parts).run,
        "tidy": tidying(parts).run,
        "worklists": parts.worklists.worker.run,
        "payments": parts.portal.payments.worker.run,
        "webhooks": parts.clients.events.delivery.run,
        "letters": partial(parts.portal.letters.worker.run, print_folder=parts.settings.print_folder),
        "uploads": parts.portal.uploads.checking.run,
        "heartbeat": partial(parts.health.heartbeats.run, worker=socket.gethostname()),
    }
