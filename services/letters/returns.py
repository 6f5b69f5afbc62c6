"""Mails about letters that came back after the mail server had taken them over: they bounced (P13, P18)."""

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from services.base import Base
from services.gateways.mailbox import MailboxUnavailable
from services.letters.notifications import Notifications
from services.letters.reminding import Reminding
from services.messages import returned
from services.messages.outbox import Outbox

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 60.0


class Mailbox(Protocol):
    """Where mails come back to."""

    def take(self, handle: Callable[[bytes], object]) -> int:
        """Hand over each mail that was not read yet, and return how many. Raises MailboxUnavailable."""
        ...


class Returns:
    """Notes at each letter that the mail about it came back."""

    def __init__(self, base: Base, *, outbox: Outbox, notifications: Notifications, reminding: Reminding) -> None:
        self._store = base.store
        self._outbox = outbox
        self._notifications = notifications
        self._reminding = reminding

    def note(self, raw: bytes) -> bool:
        """Note what a mail in the mailbox reports; return whether one of ours has come back by it.

        A second report of the same mail changes nothing. Any other mail stays in the mailbox for people to read.
        """
        found = returned.read(raw)
        if found is None:
            return False
        with self._store.write() as connection:
            topic = self._outbox.come_back(connection, found.message_id, found.status)
            if topic is None:
                return False
            self._notifications.undelivered(connection, topic)
            self._reminding.undelivered(connection, topic)
        _log.info("a mail came back: %s", found.status)
        return True

    def run(self, stop: threading.Event, mailbox: Mailbox) -> None:
        """Read the mailbox each minute until `stop` is set; what fails is tried again."""
        while not stop.is_set():
            try:
                mailbox.take(self.note)
            except MailboxUnavailable as error:
                _log.warning("%s, will be tried again", error)
            except Exception as error:  # the thread outlives whatever fails, such as an outage of the database
                # Only the class: a database error's text would hold the statement's parameters.
                _log.warning("returned mails failed, will be tried again: %s", type(error).__name__)
            stop.wait(_PAUSE_SECONDS)
