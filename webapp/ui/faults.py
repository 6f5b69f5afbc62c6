"""Pages for what goes wrong: a proper status, plain words, and a way on."""

import logging
from datetime import timedelta
from typing import Protocol

from flask import Flask, Response, current_app, request, url_for
from flask_limiter.errors import RateLimitExceeded
from sqlalchemy.exc import DataError, InterfaceError, InternalError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException, InternalServerError, RequestedRangeNotSatisfiable

from services import randomness
from services.gateways.storage import StorageUnavailable
from services.health import name_of_outage
from services.passwords.hashing import Overloaded
from services.refusal import OutOfTurn
from services.texts import MissingText
from webapp.http import limits
from webapp.http.addresses import here, is_api
from webapp.http.forgery import Forged
from webapp.http.watching import note_refused
from webapp.parts import current_parts
from webapp.ui.formats import clock_time, first_minute
from webapp.ui.language import say
from webapp.ui.respond import page

log = logging.getLogger(__name__)

DATABASE_FAILURES = (SQLAlchemyError, TimeoutError)
"""What services raise while the database does not answer."""

_KNOWN = (400, 403, 404, 405, 413)


class ProgramErrors(Protocol):
    """How a request of the API is answered, which takes documents instead of pages."""

    def by_status(self, status: int, reference: str | None = None) -> Response:
        """Answer what went wrong, by its status; `reference` is the code that the log keeps."""

    def too_many(self, seconds: int) -> Response:
        """Answer that too many requests came, and after how many seconds to try again."""


def set_up(app: Flask, for_programs: ProgramErrors) -> None:
    """Answer every fault: people with a page of our own, programs by `for_programs`."""
    app.extensions["belepo.for_programs"] = for_programs
    # Flask would log the exception's text, which may hold what a customer typed; `_broken` logs what may be known.
    app.log_exception = lambda exc_info: None  # type: ignore[method-assign]
    app.register_error_handler(RateLimitExceeded, lambda _error: too_many(limits.seconds_left()))
    app.register_error_handler(Forged, _forged)
    app.register_error_handler(HTTPException, _http)
    for outage in (OperationalError, InterfaceError, PoolTimeoutError, Overloaded, StorageUnavailable, TimeoutError):
        app.register_error_handler(outage, _unavailable)
    app.register_error_handler(InternalError, _read_only)
    app.register_error_handler(DataError, _unheld)
    app.register_error_handler(OutOfTurn, lambda _error: _fault("404", 404))
    app.register_error_handler(InternalServerError, _broken)


def too_many(seconds: int) -> Response:
    """Answer that too many requests came, and after how many seconds to try again."""
    if is_api():
        return _for_programs().too_many(seconds)
    t = say()
    again = current_parts().clock.now() + timedelta(seconds=seconds)
    reference = randomness.reference()
    log.warning("too many requests reference=%s", reference)
    response = page(
        "pages/dead_end.html",
        429,
        heading=t("dead_end.too_many.heading"),
        paragraphs=[t("dead_end.too_many.text", time=clock_time(first_minute(again)))],
        reference=reference,
        again_at=None,
        button=None,
        tone="warn",
        picture="clock",
    )
    response.headers["Retry-After"] = str(seconds)
    return response


def _forged(error: Forged) -> Response:
    t, cause = say(), error.cause
    note_refused(f"form.{cause}")
    key = "page.csrf" if cause == "old_form" else f"page.csrf.{cause}"
    # What came from elsewhere, or through a proxy that changes addresses, goes on at the address that is right.
    base = current_parts().settings.public_url.rstrip("/") if cause in ("other_host", "port") else ""
    return page(
        "pages/fault.html",
        400,
        heading=t(f"{key}.heading"),
        text=t(f"{key}.text"),
        extra=None,
        button={"href": base + here(), "text": t("page.csrf.button")},
        reference=None,
    )


def _http(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        response = error.get_response()
        assert isinstance(response, Response)
        return response
    if status >= 500:
        return _fault("503" if status == 503 else "500", status)
    answer = _fault(str(status) if status in _KNOWN else "400", status)
    if isinstance(error, RequestedRangeNotSatisfiable):
        answer.headers["Content-Range"] = f"bytes */{error.length}"
    if status == 405 and getattr(error, "valid_methods", None):
        answer.headers["Allow"] = ", ".join(sorted(error.valid_methods))  # type: ignore[attr-defined]
    return answer


def _unavailable(error: Exception) -> Response:
    # The statement and its values stay out of the log: they hold personal data.
    log.error("unavailable: %s", name_of_outage(error))
    response = _fault("503", 503)
    response.headers["Retry-After"] = "10"
    return response


def _read_only(error: InternalError) -> Response:
    # PostgreSQL's class of internal errors has this outage beside mistakes of ours.
    if name_of_outage(error) == "ReadOnlySqlTransaction":
        return _unavailable(error)
    raise error


def _unheld(error: DataError) -> Response:
    # PostgreSQL takes no NUL in a text, not even to look for it: whatever was asked for is not there.
    if any("\0" in given for given in (request.path, *request.values.values())):
        return _fault("404", 404)
    raise error


def _broken(error: InternalServerError) -> Response:
    cause = error.original_exception or error
    reference = randomness.reference()
    frames = _places(cause)
    if isinstance(cause, MissingText):
        frames = f"{cause} {frames}"  # a key, which holds nothing of a customer
    log.error("failed reference=%s %s %s %s", reference, request.method, type(cause).__name__, frames)
    return _fault("500", 500, reference)


def _places(error: BaseException) -> str:
    """Return where it happened without any values: an exception's own text may hold what a customer typed."""
    places, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " < ".join(reversed(places[-6:]))


def _fault(key: str, status: int, reference: str | None = None) -> Response:
    if is_api():
        return _for_programs().by_status(status, reference)
    t = say()
    text = "page.404.text" if key == "403" else f"page.{key}.text"
    return page(
        "pages/fault.html",
        status,
        heading=t(f"page.{key}.heading"),
        text=t(text),
        extra=None,
        button={"href": url_for("site.start"), "text": t("shell.back_home")},
        reference=reference,
    )


def _for_programs() -> ProgramErrors:
    answers: ProgramErrors = current_app.extensions["belepo.for_programs"]
    return answers
