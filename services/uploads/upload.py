"""What is known of a file that a customer added, and what people are shown of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["received", "checking", "ready", "refused", "handed-over"]
EventType = Literal["received", "sent", "checking", "locked", "unlocked", "ready", "refused", "handed-over"]
"""In the order in which they are told where they happen at one moment."""
Kind = Literal["jpeg", "png", "heic", "pdf"]

LARGEST = 20 * 1024 * 1024
"""Bytes of the largest file."""
MOST = 20
"""Files of one question."""
MOST_OF_A_DAY = 500
"""Files that a customer may add in a day; files that were removed count too (ASVS 5.0, 5.2.4)."""
LARGEST_DAY = 2 * 1024 * 1024 * 1024
"""Bytes that one customer's files of a day may have in all (ASVS 5.0, 5.2.4)."""


@dataclass(frozen=True)
class Upload:
    """A file and its receipt: name, size, hash and state (P39)."""

    id: str
    owner: str
    question: str
    name: str
    description: str | None
    kind: Kind
    size: int
    sha256: str
    """Of the bytes as they came."""
    state: State
    reason: str | None
    """Why it was refused: the end of a key ``upload.refused.*``."""
    rendition_type: str | None
    rendition_size: int | None
    received_at: datetime
    locked_at: datetime | None
    """Since when it waits for the password of a PDF."""
    sent_at: datetime | None

    @property
    def is_locked(self) -> bool:
        """Whether the customer is to give the password of a PDF."""
        return self.locked_at is not None and self.state != "refused"

    @property
    def is_waiting(self) -> bool:
        """Whether it is still to be checked."""
        return self.state in ("received", "checking") and not self.is_locked

    @property
    def is_open(self) -> bool:
        """Whether people can see its rendition."""
        return self.state in ("ready", "handed-over")


@dataclass(frozen=True)
class UploadEvent:
    """Something that happened to a file, once."""

    type: EventType
    at: datetime


@dataclass(frozen=True)
class OpenedFile:
    """A rendition, to be sent to who asks. Iterating reads it; closing the chunks lets the temporary file go."""

    upload: Upload
    type: str
    size: int
    chunks: Iterator[bytes]
