"""The services of letters."""

from dataclasses import dataclass

from services.base import Base
from services.gateways.storage import Storage
from services.letters.mailbox import Mailbox
from services.letters.publishing import Publishing


@dataclass(frozen=True)
class LetterServices:
    """What the insurer and the customer do with letters."""

    publishing: Publishing
    mailbox: Mailbox


def build_letters(base: Base, *, storage: Storage) -> LetterServices:
    """Build the services of letters, whose bytes are in `storage`."""
    return LetterServices(publishing=Publishing(base, storage), mailbox=Mailbox(base, storage))
