"""A mailbox that is read by IMAP: where mails come that could not be delivered (RFC 9051)."""

import imaplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

_SECONDS = 20.0
"""For the connection, and for every answer of the server."""
_AT_ONCE = 100
_LARGEST = 256 * 1024
"""Bytes of a mail that are read: a report begins with what it says, and ends with what it encloses."""


class MailboxUnavailable(Exception):
    """The mailbox does not answer, or not as it should. The message holds no name and no password."""


@dataclass(frozen=True)
class ImapMailbox:
    """One folder of a mailbox."""

    host: str
    port: int
    user: str
    password: str = field(repr=False)
    folder: str = "INBOX"
    is_encrypted: bool = True

    def take(self, handle: Callable[[bytes], object]) -> int:
        """Hand over each mail that was not read yet, mark it as read once `handle` returns, and return how many.

        What `handle` raises leaves its mail unread. Raises MailboxUnavailable.
        """
        try:
            server = self._connect()
            try:
                return self._take(server, handle)
            finally:
                with suppress(OSError):
                    server.shutdown()  # a connection that broke off is closed by nobody else
        except (OSError, imaplib.IMAP4.error, ssl.SSLError, IndexError, ValueError) as error:
            raise MailboxUnavailable(f"the mailbox failed: {type(error).__name__}") from None

    def probe(self) -> None:
        """Sign in and open the folder; its mails stay unread. Raises MailboxUnavailable."""
        try:
            server = self._connect()
            try:
                server.login(self.user, self.password)
                _fine(server.select(self._quoted, readonly=True))
                server.logout()
            finally:
                with suppress(OSError):
                    server.shutdown()
        except (OSError, imaplib.IMAP4.error, ssl.SSLError, ValueError) as error:
            raise MailboxUnavailable(f"the mailbox failed: {type(error).__name__}") from None

    def _take(self, server: imaplib.IMAP4, handle: Callable[[bytes], object]) -> int:
        server.login(self.user, self.password)
        _fine(server.select(self._quoted))
        unseen = _fine(server.uid("SEARCH", "UNSEEN"))[0].split()[:_AT_ONCE]
        for number in unseen:
            handle(_content(_fine(server.uid("FETCH", number, f"(BODY.PEEK[]<0.{_LARGEST}>)"))))
            _fine(server.uid("STORE", number, "+FLAGS.SILENT", r"(\Seen)"))
        server.logout()
        return len(unseen)

    def _connect(self) -> imaplib.IMAP4:
        if self.is_encrypted:
            context = ssl.create_default_context()
            return imaplib.IMAP4_SSL(self.host, self.port, ssl_context=context, timeout=_SECONDS)
        return imaplib.IMAP4(self.host, self.port, timeout=_SECONDS)

    @property
    def _quoted(self) -> str:
        return '"' + self.folder.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _fine(answer: tuple[str, list[Any]]) -> list[Any]:
    """Return what a server answered with OK. Raises IMAP4.error for any other answer."""
    if answer[0] != "OK":
        raise imaplib.IMAP4.error(answer[0])
    return answer[1]


def _content(fetched: list[Any]) -> bytes:
    """Return the mail in an answer to FETCH; one that was removed meanwhile is empty."""
    return next((part[1] for part in fetched if isinstance(part, tuple)), b"")
