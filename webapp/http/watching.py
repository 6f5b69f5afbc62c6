"""What operators see of each request: a line in the log, its id, and how long it took.

The line has the route's pattern in place of the address, and no query: those hold tokens and ids. What was refused
stands in it by the names of our own texts, so a failed sign-in is `login.failed`.
"""

import logging
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from flask import Flask, request

from services import request_ids
from webapp.http import series

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ARRIVED = "belepo.arrived"
"""The key in WSGI's environment of the moment at which the whole request was there, by `time.perf_counter`."""
_ROUTE, _REFUSED, _IS_QUIET = "belepo.route", "belepo.refused", "belepo.quiet"
_HEADER = "X-Request-ID"
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_FILES, _UNKNOWN = "files", "unknown"
"""What stands for the route of the front end's files, and of addresses that are none."""

_log = logging.getLogger(__name__)


def set_up(app: Flask) -> None:
    """Note the route of each request, before anything refuses it."""
    app.before_request(_note_route)


@dataclass
class Answered:
    """What is known of a request once it is answered."""

    method: str = ""
    route: str = ""
    status: int = 500


class Tracing(Protocol):
    """What follows a request while it is answered."""

    def __call__(self, environ: "WSGIEnvironment") -> AbstractContextManager[Answered]:
        """Begin; what is known of the request at its end is filled into what this gives."""


def watched(pages: "WSGIApplication", *, is_behind_proxy: bool, tracing: Tracing | None = None) -> "WSGIApplication":
    """Return `pages` with an eye on each request; the id that a request brings counts behind a trusted proxy alone."""
    return _Watched(pages, tracing or _untraced, is_behind_proxy=is_behind_proxy)


def _untraced(environ: "WSGIEnvironment") -> AbstractContextManager[Answered]:
    return nullcontext(Answered())


def note_refused(what: str) -> None:
    """Note for the log what the present request is refused for: a key of our own, nothing that was typed."""
    refused = request.environ.setdefault(_REFUSED, [])
    if what not in refused:
        refused.append(what)


def _note_route() -> None:
    request.environ[_ROUTE] = request.url_rule.rule if request.url_rule else _UNKNOWN
    request.environ[_IS_QUIET] = request.blueprint == "operations"


class _Watched:
    def __init__(self, pages: "WSGIApplication", tracing: Tracing, *, is_behind_proxy: bool) -> None:
        self._pages = pages
        self._tracing = tracing
        self._is_behind_proxy = is_behind_proxy

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        given = environ.get("HTTP_X_REQUEST_ID", "") if self._is_behind_proxy else ""
        begun = environ.get(ARRIVED) or time.perf_counter()
        request_id = request_ids.accept(given)
        with request_ids.working_for(request_id), self._tracing(environ) as answered:

            def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
                answered.status = int(status.split(" ", 1)[0])
                return start_response(status, [*headers, (_HEADER, request_id)], *error)

            try:
                return self._pages(environ, start)
            finally:
                method = environ["REQUEST_METHOD"]
                answered.method = method if method in _METHODS else "other"
                answered.route = environ.get(_ROUTE, _FILES)
                _note(answered, environ, time.perf_counter() - begun)


def _note(answered: Answered, environ: "WSGIEnvironment", seconds: float) -> None:
    series.note_answer(answered.method, answered.route, answered.status, seconds)
    refused = environ.get(_REFUSED, ())
    is_quiet = answered.status < 400 and (answered.route == _FILES or environ.get(_IS_QUIET))
    facts = {**vars(answered), "milliseconds": round(seconds * 1000)}
    if refused:
        facts["refused"] = " ".join(refused)
    ending = " refused=%(refused)s" if refused else ""
    words = f"%(method)s %(route)s %(status)d %(milliseconds)d ms{ending}"
    _log.log(logging.DEBUG if is_quiet else logging.INFO, words, facts, extra=facts)
