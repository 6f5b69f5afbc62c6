"""The server's way to the application: ASGI outside, WSGI inside.

granian's own WSGI empties every header value that has a byte outside ASCII (its issue 335): one accented cookie of
another site takes the session with it. Its ASGI hands the headers over as they came.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

_PATIENCE_SECONDS = 60
"""For a body to arrive whole. It waits without a thread."""
_CGI = ("CONTENT_TYPE", "CONTENT_LENGTH")

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class _Answer(NamedTuple):
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


_TOO_SLOW = _Answer(408, [(b"content-length", b"0"), (b"connection", b"close")], b"")


class Gateway:
    """An ASGI application that answers by a WSGI application in a pool of threads.

    A request gets a thread once its body is there, and the answer leaves without one: no client can hold a thread.
    """

    def __init__(self, application: "WSGIApplication", *, threads: int, largest_body: int) -> None:
        """`largest_body` is in bytes; what is longer is not read, and the application says so."""
        self._application = application
        self._threads = ThreadPoolExecutor(threads, "request")
        self._largest = largest_body

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        environ = _environ(scope)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                body = await self._body(environ, receive)
        except TimeoutError:
            await _send(_TOO_SLOW, send)
            return
        if body is None:
            return
        environ["wsgi.input"] = BytesIO(body)
        loop = asyncio.get_running_loop()
        await _send(await loop.run_in_executor(self._threads, self._answer, environ), send)

    async def _body(self, environ: "WSGIEnvironment", receive: Receive) -> bytes | None:
        """Return the body, its beginning where it is too long, or None when the client left in its middle."""
        length = environ.get("CONTENT_LENGTH", "")
        is_bare = not length and environ["REQUEST_METHOD"] in ("GET", "HEAD")
        if is_bare or (length.isdecimal() and int(length) > self._largest):
            return b""
        body = bytearray()
        while len(body) <= self._largest:
            message = await receive()
            if message["type"] != "http.request":
                return None
            body += message["body"]
            if not message["more_body"]:
                break
        # Werkzeug cuts a chunked body where it is too long, and says nothing. This one is no longer chunked.
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ["CONTENT_LENGTH"] = str(len(body))
        return bytes(body)

    def _answer(self, environ: "WSGIEnvironment") -> _Answer:
        started: list[tuple[int, list[tuple[bytes, bytes]]]] = []

        def start(status: str, headers: list[tuple[str, str]], _exc_info: Any = None) -> Callable[[bytes], object]:
            named = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
            started.append((int(status[:3]), named))
            return _no_writing

        chunks: Iterable[bytes] = self._application(environ, start)
        try:
            body = b"".join(chunks)
        finally:
            if close := getattr(chunks, "close", None):
                close()
        return _Answer(*started[-1], body)


async def _send(answer: _Answer, send: Send) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})


def _environ(scope: Message) -> "WSGIEnvironment":
    """Return what PEP 3333 wants of a request; header values are their bytes as Latin-1."""
    server, port = scope["server"]
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": scope["client"][0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    for name, value in scope["headers"]:
        if (key := _key(name)) is None:
            continue
        text = value.decode("latin-1")
        if key in environ:
            text = f"{environ[key]}{';' if key == 'HTTP_COOKIE' else ','}{text}"
        environ[key] = text
    return environ


@lru_cache(256)
def _key(name: bytes) -> str | None:
    """Return how WSGI calls a header, or None for a name with an underscore, which would pass for one with a hyphen."""
    if b"_" in name:
        return None
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in _CGI else f"HTTP_{key}"


def _no_writing(_data: bytes) -> None:
    raise NotImplementedError("the application returns its body")
