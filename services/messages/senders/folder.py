"""A folder, for trying things out: messages as files."""

import hashlib
import os
from collections.abc import Callable
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import quote

from services.clock import Clock
from services.messages.composer import Composed
from services.messages.senders import TemporaryFailure, unwatched


class FolderSender:
    """Appends each message, readably, to a file named after its recipient."""

    def __init__(self, path: Path | str, clock: Clock) -> None:
        self._folder = Path(path)
        self._clock = clock
        self._folder.mkdir(parents=True, exist_ok=True)

    def send(
        self, recipient: str, composed: Composed, message_id: str, leaving: Callable[[], None] = unwatched
    ) -> None:
        """Append by one write, so that a reader sees whole messages only."""
        heads = (
            f"To: {_one_line(recipient)}",
            f"Subject: {_one_line(composed.subject)}",
            f"Date: {format_datetime(self._clock.now())}",
            f"Message-ID: <{message_id}>",
            *(f"{name}: {value}" for name, value in composed.headers.items()),
            *(f"Attachment: {_attached(message_id, one.name)}" for one in composed.attachments),
        )
        entry = "\n".join((*heads, "", composed.text.strip("\n"), "", "")).encode()
        try:
            self._keep_attachments(composed, message_id)
            written = self._append(_file_name(recipient), entry, leaving)
        except OSError as error:
            raise TemporaryFailure(f"the folder cannot be written: errno {error.errno}") from None
        if written != len(entry):
            raise TemporaryFailure("the folder's disk is full", may_have_arrived=True)

    def _append(self, name: str, entry: bytes, leaving: Callable[[], None]) -> int:
        """Return how many bytes were written."""
        file = os.open(self._folder / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            leaving()
            return os.write(file, entry)
        finally:
            os.close(file)

    def _keep_attachments(self, composed: Composed, message_id: str) -> None:
        """Write a mail's files beside it, before the mail names them."""
        for one in composed.attachments:
            path = self._folder / _attached(message_id, one.name)
            path.write_bytes(one.content)
            path.chmod(0o600)


def _attached(message_id: str, name: str) -> str:
    return f"{message_id}-{_file_name(name)}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _file_name(recipient: str) -> str:
    """Return the recipient as a file's name; ordinary addresses and numbers stay as they are."""
    name = "".join(quote(c, safe="") if c in "/%\\" or not c.isprintable() else c for c in recipient)
    if name.startswith("."):
        name = f"%2E{name[1:]}"
    if len(name.encode()) <= 200:
        return name
    return f"{name[:40]}~{hashlib.sha256(recipient.encode()).hexdigest()[:32]}"
