"""`belepo serve`: one front that slow clients cannot hold, workers behind it, and the delivery beside them."""

import multiprocessing
import os
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from multiprocessing import resource_tracker

import click
from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from services import demo_data
from services.store.migrate import migrate
from webapp.cli import Context
from webapp.commands.worker import works
from webapp.running import at_signals, beside
from webapp.settings import Settings
from webapp.wiring import wire


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
    _refuse_if_taken(settings.host, settings.port)
    parts = wire(settings)
    migrate(parts.store)
    if settings.demo:
        demo_data.load(parts.store, parts.profile, parts.clock, settings.bcrypt_rounds)
    # Fresh processes instead of copies of this one: they start without its threads, connections and modules.
    multiprocessing.set_start_method("spawn")
    # Its start lets signals through to the thread that needs it; from here on they are for one thread alone.
    resource_tracker.ensure_running()
    server = Granian(
        "webapp.served:app",
        address=settings.host,
        port=settings.port,
        interface=Interfaces.ASGINL,  # `webapp.gateway` runs the application's threads
        websockets=False,
        workers=settings.workers,
        backlog=2048,
        backpressure=settings.threads,
        http1_settings=HTTP1Settings(header_read_timeout=15_000),
        workers_kill_timeout=30,
        respawn_failed_workers=True,
        # Its warnings speak of frameworks that hold threads for computing; here they wait for hashes and the disk.
        log_level=LogLevels.error if settings.demo else LogLevels.info,
        log_access=False,
    )
    # Many threads would each get a heap of their own from the C library, and the process would double in size.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    # A terminal that is closed says so by the signal that elsewhere asks for new workers.
    is_left_with_terminal = sys.stdin is not None and sys.stdin.isatty()
    at_signals(
        {
            signal.SIGTERM: server.signal_handler_interrupt,
            signal.SIGINT: server.signal_handler_interrupt,
            signal.SIGHUP: server.signal_handler_interrupt if is_left_with_terminal else server.signal_handler_reload,
        }
    )
    examples = demo_data.examples(parts.store, parts.profile) if settings.demo else []
    # In the supervising process: a slow gateway takes nothing from the pages.
    with beside(threading.Event(), works(parts) if worker else {}):
        _greet(settings, examples)
        server.serve()


def _refuse_if_taken(host: str, port: int) -> None:
    """Raise RuntimeError where another server listens already: granian would share the port with it."""
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    with socket.socket(family) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(address)
        except OSError as error:
            raise RuntimeError(f"The server cannot listen at {host}, port {port}: {error.strerror}.") from error


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
