"""The application in a worker process of `belepo serve`: it ends when it is told to, or when its server is gone."""

import multiprocessing
import os
import signal
import threading
import time

from webapp.running import at_signals

_LOOK_SECONDS = 0.05


def _stop() -> None:
    # By granian's own handler, which is there once the application is loaded.
    while not callable(handler := signal.getsignal(signal.SIGTERM)):
        time.sleep(_LOOK_SECONDS)
    handler(signal.SIGTERM, None)


def _follow(server: multiprocessing.process.BaseProcess) -> None:
    server.join()
    os.kill(os.getpid(), signal.SIGTERM)


at_signals({signal.SIGTERM: _stop})
if server := multiprocessing.parent_process():
    # A server that was killed stops nobody: its workers would answer beside those of the next.
    threading.Thread(target=_follow, args=(server,), name="server", daemon=True).start()

from webapp.wsgi import app  # noqa: E402  # its threads are to leave the signals alone

__all__ = ["app"]
