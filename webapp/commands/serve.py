"""`belepo serve`: one front that slow clients cannot hold, workers behind it, and the delivery beside them."""

import multiprocessing
import os
import threading
import time
from collections.abc import Sequence

import click
from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from services import demo_data
from services.store.migrate import migrate
from webapp.cli import Context
from webapp.delivery import delivery
from webapp.settings import Settings
from webapp.tidying import tidying
from webapp.wiring import wire

_LOOK_SECONDS = 0.2
"""So long a stop may wait for the supervising thread to look."""


@click.command()
@click.option("--host", help="Where to listen (BELEPO_HOST).")
@click.option("--port", type=int, help="Where to listen (BELEPO_PORT).")
@click.option("--worker/--no-worker", default=True, help="Do the work of `belepo worker` too, or leave it to that.")
@click.pass_obj
def serve(shared: Context, host: str | None, port: int | None, worker: bool) -> None:
    """Serve the pages, and deliver the messages beside them; SIGTERM lets what is running finish."""
    for name, value in (("HOST", host), ("PORT", port)):
        if value is not None:
            os.environ[f"BELEPO_{name}"] = str(value)
    settings = shared.settings
    parts = wire(settings)
    migrate(parts.store)
    if settings.demo:
        demo_data.load(parts.store, parts.profile, parts.clock, settings.bcrypt_rounds)
    # Fresh processes instead of copies of this one: they start without its threads, connections and modules.
    multiprocessing.set_start_method("spawn")
    server = Granian(
        "webapp.wsgi:app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=settings.threads,
        backlog=2048,
        backpressure=settings.threads,
        http1_settings=HTTP1Settings(header_read_timeout=15_000),
        workers_kill_timeout=30,
        respawn_failed_workers=True,
        # Its warnings speak of frameworks that hold threads for computing; here they wait for hashes and the disk.
        log_level=LogLevels.error if settings.demo else LogLevels.info,
        log_access=False,
    )
    server.main_loop_interrupt = _Interrupt()  # type: ignore[assignment]
    # Many threads would each get a heap of their own from the C library, and the process would double in size.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    stop = threading.Event()
    # In the supervising process: a slow gateway takes nothing from the pages.
    beside = [
        threading.Thread(target=run, args=(stop,), name=name)
        for name, run in (
            ("outbox", delivery(parts).run),
            ("tidy", tidying(parts).run),
            ("worklists", parts.chores.run),
        )
        if worker
    ]
    for thread in beside:
        thread.start()
    _greet(settings, demo_data.examples(parts.store, parts.profile) if settings.demo else [])
    try:
        server.serve()
    finally:
        stop.set()
        for thread in beside:
            thread.join()


class _Interrupt:
    """What the supervising thread waits for: a signal to stop, or a worker that ended.

    In place of granian's event, which a signal does not always end: the system hands it to any thread of the process,
    and only in its own does Python wake a wait without an end. Nor is there a lock here, for which the signal's handler
    could wait while its own thread holds it.
    """

    def __init__(self) -> None:
        self._is_set = False

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._is_set = True

    def clear(self) -> None:
        self._is_set = False

    def wait(self) -> None:
        while not self._is_set:
            time.sleep(_LOOK_SECONDS)


def _greet(settings: Settings, examples: Sequence[str]) -> None:
    if not settings.demo:
        return
    tries = "".join(f"    {example}\n" for example in examples)
    print(
        f"\n  belepo is running in demo mode: {settings.public_url}\n\n"
        f"  Register:            {settings.public_url}/regisztracio\n{tries}"
        f"  Customer service:    {settings.public_url}/ugyfelszolgalat, {demo_data.STAFF[0][0]}\n"
        f"    its supervisor:    {demo_data.STAFF[2][0]}\n"
        f"    an adviser:        {settings.public_url}/partner, {demo_data.STAFF[1][0]}\n"
        f"    their password:    {demo_data.STAFF_PASSWORD}\n"
        f"  Mails and messages:  {settings.public_url}/dev/messages\n\n"
        "  Stop with Ctrl+C. Nothing leaves this machine.\n",
        flush=True,
    )
