"""The services of letters."""

from dataclasses import dataclass

from services.accounts.group import AccountServices
from services.base import Base
from services.codes.group import CodeServices
from services.gateways.storage import Storage
from services.letters.archive import Archive
from services.letters.batch import LetterBatch
from services.letters.certificate import Certificates
from services.letters.enclosing import Enclosing
from services.letters.mailbox import Mailbox
from services.letters.notices import Notices
from services.letters.openers import Openers
from services.letters.password_help import PasswordHelp
from services.letters.passwords import LetterPasswords
from services.letters.publishing import Publishing
from services.limits.group import LimitServices
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
    passwords: LetterPasswords
    password_help: PasswordHelp
    enclosing: Enclosing


def build_letters(
    base: Base,
    *,
    storage: Storage,
    messages: MessageServices,
    limits: LimitServices,
    codes: CodeServices,
    accounts: AccountServices,
) -> LetterServices:
    """Build the services of letters, whose bytes are in `storage`."""
    archive, openers = Archive(base, storage), Openers(base)
    notices = Notices(base, messages.outbox, openers)
    publishing = Publishing(base, archive, notices)
    return LetterServices(
        publishing=publishing,
        mailbox=Mailbox(base, archive),
        notices=notices,
        archive=archive,
        batch=LetterBatch(base, publishing),
        certificates=Certificates(base, archive),
        passwords=LetterPasswords(base, openers=openers, accounts=accounts, codes=codes, limits=limits),
        password_help=PasswordHelp(base, openers=openers, notices=notices, accounts=accounts, codes=codes),
        enclosing=Enclosing(base, archive, openers),
    )
