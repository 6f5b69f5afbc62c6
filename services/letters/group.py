"""The services of letters."""

from dataclasses import dataclass

from services.accounts.group import AccountServices
from services.base import Base
from services.codes.group import CodeServices
from services.gateways.storage import Storage
from services.letters.archive import Archive
from services.letters.batch import LetterBatch
from services.letters.certificate import Certificates
from services.letters.consents import Consents
from services.letters.desk import LetterDesk
from services.letters.enclosing import Enclosing
from services.letters.figures import LetterFigures
from services.letters.mailbox import Mailbox
from services.letters.notifications import Notifications
from services.letters.openers import Openers
from services.letters.password_help import PasswordHelp
from services.letters.passwords import LetterPasswords
from services.letters.print_list import PrintList
from services.letters.publishing import Publishing
from services.letters.reminding import Reminding
from services.letters.returns import Returns
from services.letters.worker import LetterWorker
from services.limits.group import LimitServices
from services.messages.group import MessageServices


@dataclass(frozen=True)
class LetterServices:
    """What the insurer and the customer do with letters."""

    publishing: Publishing
    mailbox: Mailbox
    notifications: Notifications
    archive: Archive
    batch: LetterBatch
    certificates: Certificates
    passwords: LetterPasswords
    password_help: PasswordHelp
    enclosing: Enclosing
    reminding: Reminding
    print_list: PrintList
    worker: LetterWorker
    figures: LetterFigures
    desk: LetterDesk
    consents: Consents
    returns: Returns


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
    notifications = Notifications(base, messages.outbox, openers)
    publishing = Publishing(base, archive, notifications)
    reminding, print_list = Reminding(base, messages.outbox), PrintList(base, archive, messages.outbox)
    passwords = LetterPasswords(base, openers=openers, accounts=accounts, codes=codes, limits=limits)
    if openers.is_used:
        accounts.password_changes.forbidden.append(passwords.is_own)
    return LetterServices(
        publishing=publishing,
        mailbox=Mailbox(base, archive),
        notifications=notifications,
        archive=archive,
        batch=LetterBatch(base, publishing),
        certificates=Certificates(base, archive),
        passwords=passwords,
        password_help=PasswordHelp(base, openers=openers, notifications=notifications, accounts=accounts, codes=codes),
        enclosing=Enclosing(base, archive, openers),
        reminding=reminding,
        print_list=print_list,
        worker=LetterWorker(reminding, print_list),
        figures=LetterFigures(base),
        desk=LetterDesk(base, archive=archive, notifications=notifications, publishing=publishing),
        consents=Consents(base, sessions=accounts.sessions, mails=accounts.account_mails),
        returns=Returns(base, outbox=messages.outbox, notifications=notifications, reminding=reminding),
    )
