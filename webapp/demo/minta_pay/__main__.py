"""The provider as a process: ``python -m webapp.demo.minta_pay FD INSURER``, as `belepo serve` starts it.

FD is the number of a listening socket that the process has inherited, INSURER the origin at which the insurer's server
answers on this machine. The process ends when its standard input does: nothing outlives the server that began it.
"""

import logging
import os
import signal
import socket
import sys
import threading
from contextlib import suppress
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from services.gateways.http import NoAnswer, ask
from webapp.demo.clock import DemoClock
from webapp.demo.faults import DemoFaults
from webapp.demo.minta_pay.books import Books
from webapp.demo.minta_pay.program import Provider, make_program
from webapp.demo.payments import BOOKS, address_and_secret
from webapp.settings import load

_PATIENCE_SECONDS = 1.0
"""How long the customer waits for a call to the insurer; it goes on afterwards."""


class _Quiet(WSGIRequestHandler):
    """Notes no request: an attempt's id is nobody's business."""

    def log_request(self, *_: Any) -> None:
        pass


def main(descriptor: int, insurer: str) -> None:
    """Serve until standard input ends."""
    # The server that began this process holds its signals back. A terminal's Ctrl+C is for that server.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
    threading.Thread(target=_end_with_server, name="server", daemon=True).start()
    settings = load()
    logging.basicConfig(level=settings.log_level.upper())
    _, secret = address_and_secret(settings.demo_provider)
    faults = DemoFaults(settings.demo_file("faults"), DemoClock(settings.demo_file("clock")))

    def post(path: str, body: bytes, headers: dict[str, str]) -> None:
        with suppress(NoAnswer):  # the insurer asks by itself
            ask("POST", f"{insurer}{path}", headers=headers, body=body)

    def call(path: str, body: bytes, headers: dict[str, str]) -> None:
        # In a thread of its own: an insurer whose threads all wait for this provider could never take the call.
        calling = threading.Thread(target=post, args=(path, body, headers), daemon=True)
        calling.start()
        calling.join(_PATIENCE_SECONDS)

    program = make_program(Provider(Books(settings.demo_file(BOOKS).with_suffix(".sqlite")), faults, secret, call))
    with socket.socket(fileno=descriptor) as listener:
        host, port, *_ = listener.getsockname()
        make_server(host, port, program, threaded=True, request_handler=_Quiet, fd=descriptor).serve_forever()


def _end_with_server() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
