"""The services of letters."""

from dataclasses import dataclass

from services.base import Base
from services.gateways.storage import Storage
from services.letters.archive import Archive
from services.letters.batch import LetterBatch
from services.letters.certificate import Certificates
from services.letters.mailbox import Mailbox
from services.letters.notices import Notices
from services.letters.publishing import Publishing
from services.messages.group import MessageServices


@dataclass(frozen=True)
class LetterServices:
    """What the insurer and the customer do with letters."""

    publishing: Publishing
    mailbox: Mailbox
    notices: Notices
    archive: Archive
    batch: LetterBatch
    certificates: Certificates


def build_letters(base: Base, *, storage: Storage, messages: MessageServices) -> LetterServices:
    """Build the services of letters, whose bytes are in `storage`."""
    archive, notices = Archive(base, storage), Notices(base, messages.outbox)
    publishing = Publishing(base, archive, notices)
    return LetterServices(
        publishing=publishing,
        mailbox=Mailbox(base, archive),
        notices=notices,
        archive=archive,
        batch=LetterBatch(base, publishing),
        certificates=Certificates(base, archive),
    )
