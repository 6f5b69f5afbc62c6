"""`belepo serve`: one front that slow clients cannot hold, workers behind it, and the delivery beside them."""

import logging
import multiprocessing
import os
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing import resource_tracker

import click
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from services.randomness import secret
from services.store.migrate import migrate
from webapp.cli.main import Context
from webapp.cli.serving import Server
from webapp.cli.worker import works
from webapp.http.assets import Assets
from webapp.http.series import FOLDER
from webapp.operations import logs
from webapp.settings import Settings, load
from webapp.wiring import wire
from webapp.worker.running import at_signals, beside

_log = logging.getLogger(__name__)

_FOLLOWED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


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
    # Before the first thread: a storage or a typesetter begins some, and each that leaves a signal open may get it.
    signal.pthread_sigmask(signal.SIG_BLOCK, _FOLLOWED)
    # Many threads would each get a heap of their own from the C library, and the process would double in size.
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    Assets()  # their lack is said in a sentence here, and not by worker after worker that dies of it
    with _bind(settings.host, settings.port) as listener, _till(settings) as till:
        parts = wire(load() if till else settings)
        migrate(parts.store)
        if parts.demo:
            parts.demo.seed(parts)
        # Fresh processes instead of copies of this one: they start without its threads, connections and modules.
        multiprocessing.set_start_method("spawn")
        # Its start lets signals through to the thread that needs it; from here on they are for one thread alone.
        resource_tracker.ensure_running()
        server = _server(settings, listener)
        _follow_signals(server)
        # In the supervising process: a slow gateway takes nothing from the pages.
        beside_pages = works(parts) if worker else {}
        if parts.demo and till:
            beside_pages["provider"] = parts.demo.payments.beside(till, _origin(listener))
        with _measuring(), beside(threading.Event(), beside_pages):
            if parts.demo:
                print(parts.demo.greeting(parts), flush=True)
            server.serve()


@contextmanager
def _measuring() -> Iterator[None]:
    """Let the workers share what they measure, unless the operator names a folder for it."""
    if os.environ.get(FOLDER):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="belepo-measured-", ignore_cleanup_errors=True) as folder:
        os.environ[FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[FOLDER]


def _server(settings: Settings, listener: socket.socket) -> Server:
    return Server(
        "webapp.cli.served:app",
        listener,
        interface=Interfaces.ASGINL,
        # HTTP/2 would let one connection hold hundreds of requests, and no proxy speaks it to its servers.
        http=HTTPModes.http1,
        websockets=False,
        workers=settings.workers,
        backlog=2048,
        # Connections, of which a half may be busy sending their requests without a thread being idle.
        backpressure=2 * settings.threads,
        http1_settings=HTTP1Settings(header_read_timeout=15_000),
        workers_kill_timeout=30,
        respawn_failed_workers=True,
        # Its warnings speak of frameworks that hold threads for computing; here they wait for hashes and the disk.
        log_level=LogLevels.error if settings.demo else LogLevels(settings.log_level),
        log_dictconfig=logs.SERVER,
        log_access=False,
    )


def _follow_signals(server: Server) -> None:
    stop, reload = server.signal_handler_interrupt, partial(_reload, server.signal_handler_reload)
    # A terminal that is closed says so by the signal that elsewhere asks for new workers.
    is_left_with_terminal = sys.stdin is not None and sys.stdin.isatty()
    hangup = stop if is_left_with_terminal else reload
    at_signals(dict(zip(_FOLLOWED, (stop, stop, hangup), strict=True)))


def _reload(reload: Callable[[], object]) -> None:
    """Let new workers take over, unless they could not start with the settings and the profile of now."""
    try:
        Assets()
        wire(load()).store.close()
    except Exception as error:
        _log.error("SIGHUP changes nothing, the server goes on as it was: %s", " ".join(str(error).split()))
    else:
        reload()


def _bind(host: str, port: int) -> socket.socket:
    """Return a socket at this address. Raises RuntimeError where there can be none, as when another server has it."""
    try:
        return _listener(host.strip("[]"), port)
    except OSError as error:
        raise RuntimeError(f"The server cannot listen at {host}, port {port}: {error.strerror}.") from error


@contextmanager
def _till(settings: Settings) -> Iterator[socket.socket | None]:
    """Yield a socket for the demonstration's payment provider, named to all processes of the server; None without."""
    if not settings.demo or settings.payments_url or settings.demo_provider:
        yield None
        return
    with socket.create_server(("127.0.0.1", 0)) as till:
        # The environment: processes that come later read it too, and a reload of the settings keeps it.
        os.environ["BELEPO_DEMO_PROVIDER"] = f"http://{secret()}@127.0.0.1:{till.getsockname()[1]}"
        try:
            yield till
        finally:
            del os.environ["BELEPO_DEMO_PROVIDER"]


def _origin(listener: socket.socket) -> str:
    """Return the origin at which this machine reaches the server."""
    host, port, *_ = listener.getsockname()
    if host in ("0.0.0.0", "::"):  # noqa: S104 (compared, not bound)
        host = "127.0.0.1" if listener.family == socket.AF_INET else "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _listener(host: str, port: int) -> socket.socket:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    # A name like localhost may have both addresses; programs that know only one of them know IPv4.
    family, *_, address = min(found, key=lambda one: one[0] != socket.AF_INET)
    with ExitStack() as failing:
        listener = failing.enter_context(socket.socket(family))
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(address)
        failing.pop_all()  # bound: it stays open
    return listener
