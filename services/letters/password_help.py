"""What staff do about a customer's letter password: send it, or take it away (P29, P30, S3, S4). They never see it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from services.accounts.account import Account
from services.accounts.conditions import account_of
from services.accounts.group import AccountServices
from services.base import Base
from services.codes.group import CodeServices
from services.codes.sending import CodeOrder
from services.letters import rows
from services.letters.enclosing import AGAIN, ORDER, PASSWORD
from services.letters.notifications import LARGEST_MAILED, Notifications
from services.letters.openers import Opener, Openers
from services.refusal import OutOfTurn
from services.store.tables.letters import letter_passwords, letters
from services.store.tables.register import customers


@dataclass(frozen=True)
class PasswordState:
    """What staff may know: what opens the customer's letters, since when, and where a text message would go."""

    opener: Opener
    mobile: str | None


class PasswordHelp:
    """The deeds, each in the transaction of the member of staff's own service, which identifies and records."""

    def __init__(
        self,
        base: Base,
        *,
        openers: Openers,
        notifications: Notifications,
        accounts: AccountServices,
        codes: CodeServices,
    ) -> None:
        self._clock = base.clock
        self._profile = base.profile
        self._openers = openers
        self._notifications = notifications
        self._account_mails = accounts.account_mails
        self._codes = codes.sender

    @property
    def is_offered(self) -> bool:
        """Whether this insurer mails encrypted letters."""
        return self._openers.is_used

    def state(self, connection: Connection, kutid: str) -> PasswordState:
        """Return what staff may know."""
        account = _account(connection, kutid)
        opener = replace(self._openers.of(connection, kutid), password="")
        return PasswordState(opener, account.mobile if account else None)

    def send(self, connection: Connection, kutid: str, by: str) -> str:
        """Send the customer's password to the account's mobile, at the wish of `by`; return the number.

        It is paid for from the customer's one allowance of codes, and counts for the asker too. Raises Refusal
        ``sms.…``, ``sms_resend.…`` or ``mobile.too_many``, DeadEnd ``codes_used_up``; OutOfTurn where there is no
        password of the customer's own, or no mobile.
        """
        now, account = self._clock.now(), _account(connection, kutid)
        if account is None or account.mobile is None or self._openers.of(connection, kutid).kind != "own":
            raise OutOfTurn
        ends_at = now + self._profile.one_time_code.lifetime
        order = CodeOrder(
            kutid, ORDER, account.mobile, language=account.language, ends_at=ends_at, message=PASSWORD, by=by
        )
        self._codes.send(connection, order, now)
        self._account_mails.tell(connection, "letter_password_sent", account, now)
        return account.mobile

    def reset(self, connection: Connection, kutid: str) -> int:
        """Take the customer's password away, and mail the letters of the profile's time once more (P30).

        Returns how many are mailed. Raises OutOfTurn where there is no password of the customer's own.
        """
        now, days = self._clock.now(), self._profile.letter_password.resend_days
        own = letter_passwords.c.kutid == kutid, letter_passwords.c.sealed.is_not(None)
        taken = letter_passwords.update().where(*own).values(sealed=None, set_at=None, reset_at=now)
        if connection.execute(taken).rowcount == 0:
            raise OutOfTurn
        account = _account(connection, kutid)
        if account is not None:
            self._account_mails.tell(connection, "letter_password_reset", account, now, days=str(days))
        return self._mail_again(connection, kutid, now - timedelta(days=days))

    def _mail_again(self, connection: Connection, kutid: str, since: datetime) -> int:
        opener = self._openers.of(connection, kutid)
        query = (
            select(letters.c.id, letters.c.type, letters.c.language)
            .where(letters.c.kutid == kutid, letters.c.published_at > since, rows.IS_CURRENT)
            .where(letters.c.size <= LARGEST_MAILED)
            .order_by(letters.c.published_at, letters.c.id)
        )
        found = [row for row in connection.execute(query).all() if self._openers.is_mailed(opener, row.type)]
        for row in found:
            self._notifications.mail(connection, row.id, kutid, row.language, AGAIN)
        return len(found)


def _account(connection: Connection, kutid: str) -> Account | None:
    row = connection.execute(account_of(kutid)).first()
    if row is None or row.is_waiting:
        return None
    name = connection.execute(select(customers.c.name).where(customers.c.kutid == kutid)).scalar_one()
    own = {column: row._mapping[column] for column in Account.__dataclass_fields__ if column != "name"}
    return Account(name=name, **own)
