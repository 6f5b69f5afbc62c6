"""Changing the mobile of an account: a code to the new number proves it."""

from datetime import datetime

from sqlalchemy import Connection, update

from services import audit
from services.accounts.account import Account, Session
from services.accounts.mails import AccountMails
from services.accounts.password_checks import PasswordChecks
from services.accounts.pending_changes import MOBILE, Change, PendingChanges
from services.accounts.sessions import Sessions
from services.base import Base
from services.codes.group import CodeServices
from services.codes.one_time_codes import CodeState
from services.codes.sending import CodeOrder
from services.refusal import OutOfTurn, Refusal
from services.register import contact_changes
from services.store.tables.accounts import accounts


class MobileChanges:
    """The verbs of a new mobile. Each public method is one transaction, with the message it causes."""

    def __init__(
        self,
        base: Base,
        *,
        sessions: Sessions,
        password_checks: PasswordChecks,
        codes: CodeServices,
        account_mails: AccountMails,
    ) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._sessions = sessions
        self._password_checks = password_checks
        self._pending = PendingChanges(MOBILE, base.profile.registration.lifetime)
        self._codes = codes.one_time_codes
        self._code_sender = codes.sender
        self._account_mails = account_mails

    def ask_for_mobile(self, session: Session, password: str, mobile: str) -> None:
        """Send a code to the new number, from the customer's one budget of codes (M21).

        Raises Refusal ``current_password.…``, ``mobile.same``, ``mobile.too_many``, ``sms.paused`` or
        ``sms_resend.…``, DeadEnd ``codes_used_up``; SignedOut.
        """
        if mobile == session.account.mobile:
            raise Refusal("mobile", "same")
        self._password_checks.password(session, password)
        with self._sessions.holding(session) as (connection, now):
            change = self._pending.put(connection, session.account.id, mobile, mobile, now)
            self._code_sender.send(connection, self._order(session.account, change, now), now)

    def resend_code(self, session: Session) -> None:
        """Send a new code to the new number; the older one dies.

        Raises Refusal ``sms_resend.…``, ``mobile.too_many`` or ``sms.paused``, DeadEnd ``codes_used_up``, SignedOut,
        or OutOfTurn when no number waits.
        """
        with self._sessions.holding(session) as (connection, now):
            change = self._waiting(connection, session, now)
            last = self._codes.sent_for(connection, session.account.kutid, change.id)
            order = self._order(session.account, change, now)
            self._code_sender.send_again(connection, order, last, now)

    def mobile_change(self, session: Session) -> tuple[str, CodeState | None] | None:
        """Return the new number that waits for its code, and what may be known of the code; None when none waits."""
        now = self._clock.now()
        with self._store.read() as connection:
            change = self._pending.of_account(connection, session.account.id, now)
            if change is None:
                return None
            return change.value, self._codes.sent_for(connection, session.account.kutid, change.id)

    def confirm_mobile(self, session: Session, code: str) -> None:
        """Check the code and take the new number.

        Raises Refusal ``sms_code.…``, DeadEnd ``codes_used_up``, SignedOut, or OutOfTurn when no number waits.
        """
        account = session.account
        with self._sessions.holding(session) as (connection, now):
            change = self._waiting(connection, session, now)
            self._codes.check(connection, code, kutid=account.kutid, registration_id=change.id, now=now)
            self._pending.drop(connection, account.id)
            connection.execute(update(accounts).where(accounts.c.id == account.id).values(mobile=change.value))
            before = account.mobile or ""
            contact_changes.note_own(connection, account.kutid, "mobile", before=before, after=change.value, now=now)
            self._account_mails.tell(connection, "mobile_changed", account, now)
            audit.record(connection, "mobile_changed", kutid=account.kutid, at=now)

    def drop_mobile_change(self, session: Session) -> None:
        """Forget the new number that waits for its code. Raises SignedOut."""
        with self._sessions.holding(session) as (connection, _):
            self._pending.drop(connection, session.account.id)

    def _waiting(self, connection: Connection, session: Session, now: datetime) -> Change:
        change = self._pending.of_account(connection, session.account.id, now)
        if change is None:
            raise OutOfTurn
        return change

    def _order(self, account: Account, change: Change, now: datetime) -> CodeOrder:
        ends_at = now + self._profile.registration.lifetime
        return CodeOrder(account.kutid, change.id, change.value, language=account.language, ends_at=ends_at)
