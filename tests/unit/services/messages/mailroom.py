"""A mailbox, and a log that must stay discreet."""

import logging
import threading
from collections.abc import Callable

from services import profiles
from services.base import Base
from services.clock import Clock
from services.keys import Keys
from services.messages.composer import Composed
from services.store.engine import Store

SECRETS = (
    "4827",
    "Zx4tq9LmV2kR8wYb3NcE6h",
    "kovacs.anna@example.hu",
    "+36201234567",
    "36 20 123 4567",
    "201234567",
)
"""What the messages of these tests hold, and no log may."""


def base_of(store: Store, clock: Clock) -> Base:
    """Return what every package of services needs."""
    return Base(store, clock, profiles.load("mygenerali"), Keys(("k" * 40,)))


class Mailbox:
    """A sender that keeps what it gets; it may fail `first`, before the message leaves, or `then`, after."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []
        self.composed: list[Composed] = []
        self.undelivered: list[str] = []
        self.may_have_arrived: list[bool] = []
        self.tried = 0
        self.first: Callable[[str], None] = lambda recipient: None
        self.then: Callable[[str], None] = lambda recipient: None
        self._changed = threading.Condition()

    def send(self, recipient: str, composed: Composed, message_id: str, leaving: Callable[[], None]) -> None:
        with self._changed:
            self.tried += 1
            self._changed.notify_all()
        self.first(recipient)
        leaving()
        self.then(recipient)
        with self._changed:
            self.got.append((recipient, message_id))
            self.composed.append(composed)
            self._changed.notify_all()

    def wait_until(self, condition: Callable[[], bool], seconds: float = 10) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, seconds)


class DiscreetLog(logging.Handler):
    """Fails the test when a secret or a whole address is logged by anyone."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self._changed = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        line = self.format(record)
        with self._changed:
            self.lines.append(line)
            self._changed.notify_all()
        if any(secret in line for secret in SECRETS):
            raise AssertionError("a secret was logged")

    def wait_for(self, text: str, times: int = 1) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: sum(text in line for line in self.lines) >= times, 10)
