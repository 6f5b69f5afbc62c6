"""`belepo worker`: the delivery of messages and the tidying as a process of its own."""

import signal
import threading

import click

from webapp.cli import Context
from webapp.delivery import delivery
from webapp.tidying import tidying
from webapp.wiring import wire


@click.command()
@click.pass_obj
def worker(shared: Context) -> None:
    """Deliver messages and erase what is over until stopped; several workers share the work."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    parts = wire(shared.settings)
    tidy = threading.Thread(target=tidying(parts).run, args=(stop,), name="tidy")
    outbox = delivery(parts)
    tidy.start()
    try:
        outbox.run(stop)
    finally:
        stop.set()
        tidy.join()
