"""`belepo worker`: the delivery of messages as a process of its own."""

import signal
import threading

import click

from webapp.cli import Context
from webapp.delivery import delivery
from webapp.wiring import wire


@click.command()
@click.pass_obj
def worker(shared: Context) -> None:
    """Deliver messages until stopped; several workers share the work."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    delivery(wire(shared.settings)).run(stop)
