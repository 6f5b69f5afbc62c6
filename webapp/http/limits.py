"""Limits on requests: a stop for floods. What guards codes and passwords is counted in the database instead."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from limits.storage import MemoryStorage, Storage, storage_from_string

from services.clock import Clock
from services.values.networks import network_of
from webapp.http.series import LIMITS_ALONE
from webapp.parts import Parts, current_parts

T = TypeVar("T")

_log = logging.getLogger(__name__)

_WINDOW = 60
_OF_THIS_PROCESS, _SHARED = "of-this-process", "shared"
_IN_A_SECOND = {"socket_connect_timeout": 1, "socket_timeout": 1}
"""How long a store on this network may take to answer."""
_LONGEST_WAIT = 30.0


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


class _Shared(Storage):
    """Counts in a store that processes share; while it does not answer, in this process's memory.

    The library's own fallback lets all but the first of several requests fail that find the store away at once. Here
    each of them counts in memory, and until the store answers again one request after a growing wait asks it.
    """

    STORAGE_SCHEME = [_SHARED]  # noqa: RUF012 (as the class it extends declares it)

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, *, store: str, clock: Clock) -> None:
        super().__init__(uri, wrap_exceptions)
        self._store = open_store(store)
        self._own = _MemoryWithoutThreads(clock=clock)
        self._turn = threading.Lock()
        self._wait = 0.0
        """Seconds until the store is asked again; 0 while it answers."""
        self._ask_at = 0.0

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """What the store raises; the library asks for it."""
        return Exception

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Add `amount` to a count that ends `expiry` seconds after its first; return the sum."""
        return self._of_either(lambda store: store.incr(key, int(expiry), amount))

    def get(self, key: str) -> int:
        """Return a count."""
        return self._of_either(lambda store: store.get(key))

    def get_expiry(self, key: str) -> float:
        """Return when a count ends, in seconds since 1970."""
        return self._of_either(lambda store: store.get_expiry(key))

    def check(self) -> bool:
        """Tell whether the store answers."""
        return self._store.check()

    def reset(self) -> int | None:
        """Forget all counts: in the store, and those of this process."""
        self._own.reset()
        return self._store.reset()

    def clear(self, key: str) -> None:
        """Forget a count."""
        self._of_either(lambda store: store.clear(key))

    def _of_either(self, ask: Callable[[Storage], T]) -> T:
        waited = self._wait
        if self._is_due():
            try:
                answer = ask(self._store)
            except Exception as error:  # each kind of store fails in its own way
                self._go_alone(waited, error)
            else:
                self._go_together()
                return answer
        return ask(self._own)

    def _is_due(self) -> bool:
        """Tell whether to ask the store: always while it answers, else one request after each wait."""
        if not self._wait:
            return True
        with self._turn:
            now = time.monotonic()
            is_due = now >= self._ask_at
            if is_due:
                self._ask_at = now + self._wait
            return is_due

    def _go_alone(self, waited: float, error: Exception) -> None:
        with self._turn:
            is_first = not self._wait
            if self._wait == waited:  # of those that asked at the same time, the first to learn it
                self._wait = min(2 * waited, _LONGEST_WAIT) or 1.0
                self._ask_at = time.monotonic() + self._wait
        if is_first:
            LIMITS_ALONE.set(1)
            _log.warning("the store of the limits does not answer, each process counts alone: %s", type(error).__name__)

    def _go_together(self) -> None:
        if not self._wait:
            return
        with self._turn:
            self._wait = 0.0
        LIMITS_ALONE.set(0)
        _log.warning("the store of the limits answers again")


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
        key_prefix="belepo",
    )
    # Asked first, so that a page that is only looked at costs no more than this question.
    limiter.request_filter(lambda: request.method in ("GET", "HEAD"))
    return limiter


def open_store(url: str) -> Storage:
    """Return the store of counts at this address; a Redis answers within a second, or not at all."""
    store = storage_from_string(url, **(_IN_A_SECOND if url.startswith("redis") else {}))
    assert isinstance(store, Storage), "none of the asynchronous ones: those have names of their own"
    return store


def seconds_left() -> int:
    """Return after how many seconds the present window of counts ends."""
    return _WINDOW - int(current_parts().clock.now().timestamp()) % _WINDOW


def reset(limiter: Limiter) -> None:
    """Forget what was counted, for a demonstration's reset: in the store, and by this process while that was gone."""
    try:
        limiter.reset()
    except Exception as error:  # each kind of store fails in its own way
        _log.warning("request limits not reset: %s", type(error).__name__)


def _source() -> str:
    # The minute is part of the key, so that the windows follow the application's clock, which testers move.
    return f"{network_of(get_remote_address())}|{int(current_parts().clock.now().timestamp()) // _WINDOW}"


def _store(parts: Parts) -> tuple[str, dict[str, Any]]:
    url = parts.settings.limits_url
    if url.startswith("memory:"):
        return f"{_OF_THIS_PROCESS}://", {"clock": parts.clock}
    return f"{_SHARED}://", {"store": url, "clock": parts.clock}
