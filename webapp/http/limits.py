"""Limits on requests: a stop for floods. What guards codes and passwords is counted in the database instead."""

import logging
import threading
from typing import Any

from flask import Flask, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits.storage import MemoryStorage

from services.clock import Clock
from services.values.networks import network_of
from webapp.parts import Parts, current_parts

_log = logging.getLogger(__name__)

_WINDOW = 60
_OF_THIS_PROCESS = "of-this-process"


class _MemoryWithoutThreads(MemoryStorage):
    """Counts in memory, and drops once in a window those whose window is over.

    The library's own starts a thread at every count, which looks through all of them. That takes 0.45 ms of processor
    time, and 3 ms while 20,000 addresses are counted; this class takes 3 microseconds.
    """

    STORAGE_SCHEME = [_OF_THIS_PROCESS]  # noqa: RUF012 (as the class it extends declares it)

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, *, clock: Clock) -> None:
        super().__init__(uri, wrap_exceptions)
        self._clock = clock
        self._turn = threading.Lock()
        self._swept_at = 0.0

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Add `amount` to a count that ends `expiry` seconds after its first; return the sum."""
        now = self._clock.now().timestamp()
        with self._turn:
            # A demonstration's clock goes back too.
            if not self._swept_at <= now < self._swept_at + _WINDOW:
                self._swept_at = now
                for over in [known for known, end in list(self.expirations.items()) if end <= now]:
                    self.clear(over)
            if self.expirations.setdefault(key, now + expiry) <= now:
                self.storage[key], self.expirations[key] = 0, now + expiry
            self.storage[key] += amount
            return self.storage[key]


def set_up(app: Flask, parts: Parts) -> Limiter:
    """Limit what one address may post in a minute; beyond that RateLimitExceeded is raised.

    Without the store of counts, each process counts for itself.
    """
    store, options = _store(parts)
    limiter = Limiter(
        _source,
        app=app,
        application_limits=[f"{parts.settings.requests_a_minute}/minute"],
        storage_uri=store,
        storage_options=options,
        in_memory_fallback_enabled=True,
        key_prefix="belepo",
    )
    # Asked first, so that a page that is only looked at costs no more than this question.
    limiter.request_filter(lambda: request.method in ("GET", "HEAD"))
    return limiter


def seconds_left() -> int:
    """Return after how many seconds the present window of counts ends."""
    return _WINDOW - int(current_parts().clock.now().timestamp()) % _WINDOW


def reset(limiter: Limiter) -> None:
    """Forget what was counted, for a demonstration's reset: in the store, and by this process while that was gone."""
    try:
        limiter.reset()
    except Exception as error:  # each kind of store fails in its own way
        _log.warning("request limits not reset: %s", type(error).__name__)
    limiter._fallback_storage.reset()


def _source() -> str:
    # The minute is part of the key, so that the windows follow the application's clock, which testers move.
    return f"{network_of(get_remote_address())}|{int(current_parts().clock.now().timestamp()) // _WINDOW}"


def _store(parts: Parts) -> tuple[str, dict[str, Any]]:
    url = parts.settings.limits_url
    if url.startswith("memory:"):
        return f"{_OF_THIS_PROCESS}://", {"clock": parts.clock}
    return url, {"socket_connect_timeout": 1, "socket_timeout": 1} if url.startswith("redis") else {}
