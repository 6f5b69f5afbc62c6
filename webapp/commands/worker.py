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
    """Deliver messages, send invitations and erase what is over until stopped; several workers share the work."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    parts = wire(shared.settings)
    beside = [
        threading.Thread(target=run, args=(stop,), name=name)
        for name, run in (("tidy", tidying(parts).run), ("worklists", parts.chores.run))
    ]
    outbox = delivery(parts)
    for thread in beside:
        thread.start()
    try:
        outbox.run(stop)
    finally:
        stop.set()
        for thread in beside:
            thread.join()
