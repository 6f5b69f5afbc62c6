"""The application in a worker process of `belepo serve`: it ends when it is told to, or when its server is gone."""

import multiprocessing
import os
import signal
import threading

from webapp.gateway import Gateway


def _follow(server: multiprocessing.process.BaseProcess) -> None:
    server.join()
    os.kill(os.getpid(), signal.SIGTERM)


# The supervisor blocks it, and processes inherit that. The event loop hears it whichever thread the system hands it to.
signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
if server := multiprocessing.parent_process():
    # A server that was killed stops nobody: its workers would answer beside those of the next.
    threading.Thread(target=_follow, args=(server,), name="server", daemon=True).start()

from webapp.wsgi import app as _wsgi  # noqa: E402  # after the signals are set
from webapp.wsgi import settings  # noqa: E402

app = Gateway(_wsgi, threads=settings.threads, largest_body=_wsgi.config["MAX_CONTENT_LENGTH"])

__all__ = ["app"]
