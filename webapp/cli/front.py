"""The front of `belepo serve`: an ASGI application that reads a request whole before a thread works on it.

A client that promises more than it sends holds a connection for half a minute, and no thread. granian's own WSGI would
also empty every header value with a byte outside of ASCII: one accented cookie of another site takes the session with
it. Its ASGI hands headers over as they came.
"""

import asyncio
import logging
import re
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from http import HTTPStatus
from io import BytesIO
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

from webapp.http.watching import ARRIVED

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_BODY_SECONDS = 30.0
"""How long a body may take: the largest of 64 KiB comes through in ten on a bad mobile line."""
_SLOWEST = 256 * 1024
"""Bytes a second at which a letter comes in at least: it adds to the seconds that a body may take."""
_IN_MEMORY = 256 * 1024
"""Bytes of a body that wait in memory, a request's or an answer's; a larger one waits in a temporary file."""

_log = logging.getLogger(__name__)

_HOST = re.compile(rb"[\w.:%\[\]-]+", re.ASCII)
_OUTSIDE_OF_HTTP = ("CONTENT_TYPE", "CONTENT_LENGTH")
"""Headers whose names WSGI does not begin with `HTTP_`."""


class Front:
    """An ASGI application that answers by a WSGI application in threads of its own."""

    def __init__(
        self,
        pages: "WSGIApplication",
        *,
        threads: int,
        largest_body: Callable[[str, str], int],
        may_send: Callable[["WSGIEnvironment"], bool],
    ) -> None:
        """Answer by `pages` in at most `threads` threads.

        Of a body, read one byte more than `largest_body` at most, by the request's method and path; nothing of one that
        does not fit into memory unless `may_send` says so of its headers.
        """
        self._pages = pages
        self._largest_body = largest_body
        self._may_send = may_send
        self._threads = ThreadPoolExecutor(threads, "request")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request: 400 unless it names one host, 408 unless its body arrives in time."""
        if not _names_one_host(scope):
            await _refuse(send, HTTPStatus.BAD_REQUEST)
            return
        environ = _environ(scope)
        largest = await self._largest(environ)
        with SpooledTemporaryFile(_IN_MEMORY) as body:
            try:
                async with asyncio.timeout(_BODY_SECONDS + max(0, largest) / _SLOWEST):
                    size = await _receive(body, environ, receive, largest)
            except TimeoutError:
                await _refuse(send, HTTPStatus.REQUEST_TIMEOUT)
            except ConnectionError:
                return
            else:
                environ["wsgi.input"], environ[ARRIVED] = body, time.perf_counter()
                if environ.pop("HTTP_TRANSFER_ENCODING", None):
                    environ["CONTENT_LENGTH"] = str(size)
                loop = asyncio.get_running_loop()
                with SpooledTemporaryFile(_IN_MEMORY) as answer:
                    try:
                        start = await loop.run_in_executor(self._threads, _answer, self._pages, environ, answer)
                    except Exception as error:  # the pages answer their own faults, but for those of a stream
                        _log.error("an answer broke off: %s", type(error).__name__)
                        await _refuse(send, HTTPStatus.SERVICE_UNAVAILABLE)
                    else:
                        await _send(send, *start, answer)

    async def _largest(self, environ: "WSGIEnvironment") -> int:
        """Return how many bytes of the body are taken; -1 where its sender has no right to send it."""
        largest = self._largest_body(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if min(largest, _promised(environ, largest)) <= _IN_MEMORY:
            return largest
        loop = asyncio.get_running_loop()
        return largest if await loop.run_in_executor(self._threads, self._may_send, environ) else -1


def _promised(environ: "WSGIEnvironment", otherwise: int) -> int:
    promised = environ.get("CONTENT_LENGTH", "")
    return int(promised) if promised.isdecimal() else otherwise


async def _receive(body: IO[bytes], environ: "WSGIEnvironment", receive: Receive, largest: int) -> int:
    """Write the body, and return its size; of one that is too large, no more than the application needs to refuse it.

    Raises ConnectionError when the client leaves before the end.
    """
    size = 0
    if _promised(environ, 0) > largest:
        return size
    while size <= largest:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionAbortedError
        size += body.write(message.get("body", b"")[: largest + 1 - size])
        if not message.get("more_body"):
            break
    body.seek(0)
    return size


def _names_one_host(scope: Message) -> bool:
    """Tell whether the request says which host it is for (RFC 9112, 3.2)."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if hosts == [b""]:  # which is how granian says that there is none
        return bool(scope["http_version"] != "1.1")
    return len(hosts) == 1 and _HOST.fullmatch(hosts[0]) is not None


def _environ(scope: Message) -> "WSGIEnvironment":
    """Return what WSGI says about a request (PEP 3333), but for its body."""
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "REMOTE_ADDR": scope["client"][0],
        "REMOTE_PORT": str(scope["client"][1]),
        "SERVER_NAME": scope["server"][0],
        "SERVER_PORT": str(scope["server"][1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
        "wsgi.input_terminated": True,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        if not value or (key := _key(name)) is None:
            continue
        text = value.decode("latin-1")
        if key in environ:
            text = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{text}"
        environ[key] = text
    return environ


@lru_cache(256)
def _key(name: bytes) -> str | None:
    """Return what WSGI calls a header, None for a name with an underscore: it would pass for one with a hyphen.

    Else `X_Forwarded_For` would be taken for `X-Forwarded-For`, which a proxy sets and vouches for.
    """
    if b"_" in name:
        return None
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in _OUTSIDE_OF_HTTP else f"HTTP_{key}"


def _answer(pages: "WSGIApplication", environ: "WSGIEnvironment", body: IO[bytes]) -> tuple[int, list[tuple[str, str]]]:
    """Return status and headers, and write the body. All of it: no thread waits for a client that reads slowly."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], _error: Any = None, /) -> Callable[[bytes], object]:
        started.append((status, headers))
        return body.write

    given = pages(environ, start)
    try:
        for chunk in given:
            body.write(chunk)
    finally:
        if close := getattr(given, "close", None):
            close()
    status, headers = started[-1]
    body.seek(0)
    return int(status.split(" ", 1)[0]), headers


async def _send(send: Send, status: int, headers: list[tuple[str, str]], body: IO[bytes]) -> None:
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    chunk = body.read(_IN_MEMORY)
    while len(chunk) == _IN_MEMORY:
        await send({"type": "http.response.body", "body": chunk, "more_body": True})
        chunk = body.read(_IN_MEMORY)
    await send({"type": "http.response.body", "body": chunk})


async def _refuse(send: Send, status: HTTPStatus) -> None:
    _log.info("a request was refused before a page saw it: %d", status)
    text = f"{status.value} {status.phrase}\n".encode()
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(text))), ("Connection", "close")]
    await _send(send, status, headers, BytesIO(text))
