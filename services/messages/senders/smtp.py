"""An SMTP client whose time is limited, and which knows whether the mail was handed over."""

import smtplib
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from types import TracebackType
from typing import Any


class Limit:
    """Ends a connection when its time is up, whatever it waits for, and knows whether the mail was handed over."""

    def __init__(self, seconds: float, leaving: Callable[[], None]) -> None:
        self._leaving = leaving
        self._timer = threading.Timer(max(seconds, 0.0), self._cut)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_over = False
        self.has_handed_over = False

    def __enter__(self) -> "Limit":
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def watch(self, connected: socket.socket) -> None:
        """Take the connection that is to be ended; encryption over it may come and go."""
        with self._lock:
            self._socket = connected.dup()
        if self._is_over:
            self._cut()

    def hand_over(self) -> None:
        """Note that the mail leaves from here on; raises what `leaving` raises."""
        self._leaving()
        self.has_handed_over = True

    def _cut(self) -> None:
        self._is_over = True
        with self._lock, suppress(OSError):
            if self._socket is not None:
                self._socket.shutdown(socket.SHUT_RDWR)


class LimitedSmtp(smtplib.SMTP):
    """The standard library's client, which tells its limit about its socket and about the mail's end.

    With `is_encrypted`, the connection is encrypted from its first byte on. Certificates are checked.
    """

    def __init__(self, server: str, port: int, *, is_encrypted: bool, step_seconds: float, limit: Limit) -> None:
        """Connect; `step_seconds` limits the wait for the connection and for each answer of the server."""
        self._limit = limit
        self._is_encrypted = is_encrypted
        super().__init__(server, port, local_hostname=_own_name(), timeout=step_seconds)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connected = socket.create_connection((host, port), timeout)
        self._limit.watch(connected)
        if self._is_encrypted:
            return ssl.create_default_context().wrap_socket(connected, server_hostname=host)
        return connected

    def encrypt(self) -> None:
        """Encrypt the connection from here on."""
        self.starttls(context=ssl.create_default_context())

    def send(self, s: Any) -> None:
        """Send a command, which is text, or the mail, which is bytes."""
        if not isinstance(s, str):
            try:
                self._limit.hand_over()
            except BaseException:
                self.close()  # the server waits for a mail, and would take a farewell for a part of it
                raise
        super().send(s)

    def quit(self) -> tuple[int, bytes]:
        """Say goodbye and close. What the server says to it changes nothing: it has accepted the mail, or not."""
        with suppress(OSError, smtplib.SMTPException):
            super().quit()
        self.close()
        return 221, b""


@cache
def _own_name() -> str:
    """Return this machine's name for the greeting; looked up once, since a lookup may take seconds."""
    return socket.getfqdn()
