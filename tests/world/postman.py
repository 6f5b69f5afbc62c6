"""A postman: it keeps the messages that services send."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from services.messages.composer import Attachment, Composed
from services.messages.senders import PermanentFailure, TemporaryFailure


@dataclass(frozen=True)
class Letter:
    """One message as it reached somebody."""

    to: str
    kind: str
    subject: str
    text: str
    link: str | None
    attachments: tuple[Attachment, ...] = ()

    @property
    def code(self) -> str:
        found = re.search(r"\b\d{4}\b", self.text)
        assert found is not None
        return found[0]


class Postman:
    """A sender that keeps what it gets, says that it cannot be delivered, or takes it and breaks off without a word."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.is_refusing = False
        self.is_breaking_off = False

    def send(self, recipient: str, composed: Composed, message_id: str, leaving: Callable[[], None]) -> None:
        if self.is_refusing:
            raise PermanentFailure("nobody lives there")
        leaving()
        link = next(iter(composed.links), None)
        self.letters.append(
            Letter(recipient, composed.kind, composed.subject, composed.text, link, composed.attachments)
        )
        if self.is_breaking_off:
            raise TemporaryFailure("it broke off", may_have_arrived=True)
