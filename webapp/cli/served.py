"""The application in a worker process of `belepo serve`: it ends when it is told to, or when its server is gone."""

import atexit
import multiprocessing
import os
import signal
import threading
import time
from functools import partial
from typing import TYPE_CHECKING

from webapp.worker.running import at_signals

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_LOOK_SECONDS = 0.05


def _stop() -> None:
    # By granian's own handler, which is there once the application is loaded. The event loop hears of a signal only if
    # a thread receives it, so this one does.
    while not callable(signal.getsignal(signal.SIGTERM)):
        time.sleep(_LOOK_SECONDS)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    signal.raise_signal(signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def _follow(server: multiprocessing.process.BaseProcess) -> None:
    server.join()
    os.kill(os.getpid(), signal.SIGTERM)


# Registered first, so it is done last. Python's own end would stop granian's threads while they wait for the
# interpreter, which Rust takes for a crash.
atexit.register(os._exit, 0)
at_signals({signal.SIGTERM: _stop})
if server := multiprocessing.parent_process():
    # A server that was killed stops nobody: its workers would answer beside those of the next.
    threading.Thread(target=_follow, args=(server,), name="server", daemon=True).start()

from webapp.cli.admission import may_send  # noqa: E402  # their threads are to leave the signals alone
from webapp.cli.front import Front  # noqa: E402
from webapp.http.bodies import largest_body  # noqa: E402
from webapp.wsgi import app as pages  # noqa: E402
from webapp.wsgi import settings  # noqa: E402


def front(application: "WSGIApplication") -> Front:
    """Return `application` as the server's workers serve it."""
    return Front(application, threads=settings.threads, largest_body=largest_body, may_send=partial(may_send, pages))


app = front(pages)
