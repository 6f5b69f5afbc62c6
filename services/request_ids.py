"""The id of the request that a thread works for: it stands in each line of the log, and in the mails that follow."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from services import randomness

LONGEST = 64
_WELL_FORMED = re.compile(rf"[\w.:+/=-]{{8,{LONGEST}}}", re.ASCII)
_current: ContextVar[str] = ContextVar("request id", default="")


def current() -> str:
    """Return the id of the request that this thread works for; empty where nobody asked."""
    return _current.get()


@contextmanager
def working_for(request_id: str | None) -> Iterator[None]:
    """Let what happens in this thread belong to a request; to none without an id."""
    before = _current.set(request_id or "")
    try:
        yield
    finally:
        _current.reset(before)


def accept(given: str) -> str:
    """Return the id that a trusted proxy gave, or a new one where it gave none that can stand in a log."""
    return given if _WELL_FORMED.fullmatch(given) else randomness.opaque_id()
