"""Ways out for messages: what each is asked, and how each says that a message did not leave."""

from collections.abc import Callable
from typing import Protocol

from services.messages.composer import Composed


class DeliveryFailure(Exception):
    """A message did not leave, as far as is known. The text is logged: no code, link or recipient in it."""


class TemporaryFailure(DeliveryFailure):
    """Another try may succeed. `may_have_arrived`: the gateway had it all and broke off without a word."""

    def __init__(self, text: str, *, may_have_arrived: bool = False) -> None:
        super().__init__(text)
        self.may_have_arrived = may_have_arrived


class PermanentFailure(DeliveryFailure):
    """The gateway refused this message for good."""


class Withdrawn(Exception):
    """The message must not leave any more: it was replaced, its code has died, or its time is up."""


def unwatched() -> None:
    """Let a message leave that nobody keeps account of."""


class Sender(Protocol):
    """One way out. May be called from several threads at once."""

    def send(
        self, recipient: str, composed: Composed, message_id: str, leaving: Callable[[], None] = unwatched
    ) -> None:
        """Hand the message over; the same `message_id` again is a repetition of the same message.

        `leaving` is called right before the point from which the message may arrive; what it raises,
        such as Withdrawn, is passed on. Raises TemporaryFailure or PermanentFailure.
        """
        ...
