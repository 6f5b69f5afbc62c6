"""Posts to the endpoints of webhooks (P42).

Calls use https, or http on this machine. A name that leads into a private network is refused unless a setting allows
it: its owner could otherwise reach what only this machine can reach. The name is looked up once and that address is
called, so a second answer of the resolver changes nothing. No redirect is followed.
"""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from urllib.parse import urlsplit

from services.events.calls import CallFailed
from services.events.webhooks import LOOPBACK

_STEP_SECONDS = 5.0
"""For the connection and for every read and write."""
_ALL_SECONDS = 15.0
"""For one call in all: an endpoint that answers a byte every few seconds never meets the limit above."""


class HttpCaller:
    """Calls endpoints by HTTP/1.1."""

    def __init__(
        self, allows_private: bool, *, step_seconds: float = _STEP_SECONDS, all_seconds: float = _ALL_SECONDS
    ) -> None:
        """With `allows_private`, an endpoint may be in a private network."""
        self._allows_private = allows_private
        self._step_seconds = step_seconds
        self._all_seconds = all_seconds

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Post a JSON body. Raises CallFailed unless the endpoint answers 2xx in time."""
        parts = urlsplit(url)
        host, is_https = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if is_https else 80)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        try:
            with self._connected(host, port) as plain, self._secured(plain, host, is_https=is_https) as connected:
                connection = http.client.HTTPConnection(host, port)
                if is_https:
                    connection = http.client.HTTPSConnection(host, port, context=self._tls)
                # A connection with a socket does not look the host up again.
                connection.sock = connected
                connection.request("POST", target, body, {"Content-Type": "application/json", **headers})
                status = connection.getresponse().status
        except ssl.SSLCertVerificationError:
            raise CallFailed("its certificate is not valid") from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            is_late = isinstance(error, TimeoutError | http.client.RemoteDisconnected)
            raise CallFailed("no answer" if is_late else f"no connection: {type(error).__name__}") from None
        if not 200 <= status < 300:
            raise CallFailed(f"HTTP {status}")

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    @contextmanager
    def _connected(self, host: str, port: int) -> Iterator[socket.socket]:
        """Yield a connection that ends when its time is up, whatever it waits for; then raise TimeoutError."""
        is_over = threading.Event()

        def cut() -> None:
            is_over.set()
            with suppress(OSError):
                watched.shutdown(socket.SHUT_RDWR)

        address = self._address(host, port), port
        # Encryption takes the socket over: the timer has a copy of its own.
        with socket.create_connection(address, self._step_seconds) as connected, connected.dup() as watched:
            timer = threading.Timer(self._all_seconds, cut)
            timer.daemon = True
            timer.start()
            try:
                yield connected
            finally:
                timer.cancel()
                timer.join()
            # A header that was cut off can look like a whole answer.
            if is_over.is_set():
                raise TimeoutError

    def _secured(self, plain: socket.socket, host: str, *, is_https: bool) -> socket.socket:
        return self._tls.wrap_socket(plain, server_hostname=host) if is_https else plain

    def _address(self, host: str, port: int) -> str:
        """Return the first of a host's addresses that may be called."""
        for *_, (address, *_) in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            if self._is_allowed(host, str(address)):
                return str(address)
        raise CallFailed("its address is not a public one")

    def _is_allowed(self, host: str, text: str) -> bool:
        address = ipaddress.ip_address(text)
        if isinstance(address, ipaddress.IPv6Address):
            # IPv4 written as IPv6.
            address = address.ipv4_mapped or address.sixtofour or address
        if host in LOOPBACK:
            return address.is_loopback
        if address.is_multicast or address.is_link_local or address.is_unspecified or address.is_loopback:
            return False
        return address.is_global or self._allows_private
