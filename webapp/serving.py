"""The HTTP server of `belepo serve`: granian's workers behind one listening socket, which is never left alone."""

import logging
import multiprocessing
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.reduction import DupFd
from typing import Any

from granian._granian import SocketHolder
from granian.server.mp import MPServer

_log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.1


class Server(MPServer):
    """Granian with its workers at one socket, and a reload that stops a worker once another has taken its place.

    By itself granian gives each worker a socket, and a connection that waits at one is reset when its worker stops.
    """

    def __init__(self, target: str, listener: socket.socket, **options: Any) -> None:
        """Serve `target` at a socket that is bound; further options are granian's."""
        host, port, *_ = listener.getsockname()
        super().__init__(target, address=host, port=port, **options)
        self._listener = listener

    def _init_shared_socket(self) -> None:
        self._listener.listen(self.backlog)
        given: list[Any] = [self._listener.fileno(), False]
        if sys.platform.startswith(("linux", "freebsd")):
            given.append(self.backlog)
        self._shd: Any = SocketHolder(*given)
        self._sso = _Inherited(self._listener)

    def _drop_shared_socket(self) -> None:
        self._listener.close()

    def _reload(self, spawn_target: Any, target_loader: Any) -> None:
        self.reload_signal = False
        self.main_loop_interrupt.clear()
        for place, old in enumerate(self.wrks):
            new = self._spawn_successor(place, spawn_target, target_loader)
            if new is None:
                break
            self.wrks[place] = new
            self._end(old)
        # What has happened meanwhile may have been cleared away with the signal.
        if self.interrupt_signal or self.interrupt_children:
            self.main_loop_interrupt.set()

    def _spawn_successor(self, place: int, spawn_target: Any, target_loader: Any) -> Any:
        """Return a worker that is ready, or None if it fails to start or the server is to stop."""
        ready, telling = multiprocessing.Pipe(duplex=False)
        worker: Any = self._spawn_worker(place, spawn_target, partial(_load_and_tell, target_loader, telling))
        worker.inner.start()
        telling.close()
        with ready:
            while not ready.poll(_LOOK_SECONDS) and not self.interrupt_signal:
                pass
            failure = "" if self.interrupt_signal else _failure(ready)
        if failure is None:
            worker._watch()  # from here on granian replaces it if it dies
            return worker
        self._end(worker)
        if failure:
            _log.error("A new worker does not start, the server goes on as it was: %s", failure)
        return None

    def _end(self, worker: Any) -> None:
        worker.terminate()
        worker.join(self.workers_kill_timeout)
        if worker.is_alive():
            worker.kill()
            worker.join()


class _Inherited:
    """A socket that a spawned process gets under the same number, and does not close: its listener does."""

    def __init__(self, held: socket.socket) -> None:
        self._held = held

    def __reduce__(self) -> tuple[Callable[[Any], int], tuple[Any]]:
        return _number, (DupFd(self._held.fileno()),)


def _number(inherited: Any) -> int:
    number: int = inherited.detach()
    return number


def _load_and_tell(load: Callable[[], Any], telling: Connection) -> Any:
    """Load the application in a worker, and tell the server when it is ready, or why it is not."""
    failure = None
    try:
        return load()
    except Exception as error:
        failure = " ".join(f"{type(error).__name__}: {error}".split())
        raise
    finally:
        with telling, suppress(BrokenPipeError):  # a server that is to stop does not listen
            telling.send(failure)


def _failure(ready: Connection) -> str | None:
    """Return why a worker does not start, or None if it is ready."""
    try:
        failure: str | None = ready.recv()
    except EOFError:
        return "it has ended without a word"
    return failure
