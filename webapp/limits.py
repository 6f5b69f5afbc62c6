"""Limits on requests: a stop for floods. What guards codes and passwords is counted in the database instead."""

import logging

from flask import Flask, Response, request
from flask_limiter import Limiter
from flask_limiter.errors import RateLimitExceeded
from flask_limiter.util import get_remote_address

from webapp import faults
from webapp.parts import Parts, wired

_log = logging.getLogger(__name__)

_WINDOW = 60


def set_up(app: Flask, parts: Parts) -> Limiter:
    """Limit what one address may post in a minute. Without the store of counts, each process counts for itself."""
    limiter = Limiter(
        _source,
        app=app,
        application_limits=[f"{parts.settings.requests_a_minute}/minute"],
        storage_uri=parts.settings.limits_url,
        storage_options=_options(parts.settings.limits_url),
        in_memory_fallback_enabled=True,
        key_prefix="belepo",
    )
    # Asked first, so that a page that is only looked at costs no more than this question.
    limiter.request_filter(lambda: request.method in ("GET", "HEAD") or _is_for_testers(parts))
    app.register_error_handler(RateLimitExceeded, _refuse)
    return limiter


def reset(limiter: Limiter) -> None:
    """Forget what was counted, for a demonstration's reset: in the store, and by this process while that was gone."""
    try:
        limiter.reset()
    except Exception as error:  # each kind of store fails in its own way
        _log.warning("request limits not reset: %s", type(error).__name__)
    limiter._fallback_storage.reset()


def _is_for_testers(parts: Parts) -> bool:
    # A tester who has met the limit moves the clock on, or resets everything.
    return parts.settings.demo and request.path.startswith("/dev/")


def _source() -> str:
    # The minute is part of the key, so that the windows follow the application's clock, which testers move.
    return f"{get_remote_address()}|{int(wired().clock.now().timestamp()) // _WINDOW}"


def _refuse(_error: RateLimitExceeded) -> Response:
    seconds = _WINDOW - int(wired().clock.now().timestamp()) % _WINDOW
    return faults.too_many(seconds)


def _options(url: str) -> dict[str, str | int]:
    return {"socket_connect_timeout": 1, "socket_timeout": 1} if url.startswith("redis") else {}
