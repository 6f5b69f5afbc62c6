"""The code that is mailed when the account is opened, and closes the registration at the first sign-in (A7, B3).

In such a journey no link has proved the address. Until the code is given, the account can do nothing, and no mail can
set a new password: the owner of a mistyped address could take the account. An account that waits too long ends
(`services.retention`); then the address is free, and a customer who forgot the password can register again.
"""

from datetime import datetime, timedelta
from math import ceil

from sqlalchemy import Connection, delete, select, update

from services import audit
from services.accounts.account import Session, SignedOut
from services.accounts.closing import erase
from services.accounts.sessions import Sessions
from services.base import Base
from services.codes.one_time_codes import CodeGenerator
from services.limits.allowances import Allowances
from services.messages.outbox import Outbox
from services.refusal import Refusal
from services.store.tables.accounts import accounts, activations

_WORTH_SENDING = timedelta(days=1)


class Activations:
    """Mails and checks activation codes; `is_wanted` where the profile's journey ends with one."""

    def __init__(
        self,
        base: Base,
        *,
        is_wanted: bool,
        sessions: Sessions,
        code_generator: CodeGenerator,
        allowances: Allowances,
        outbox: Outbox,
    ) -> None:
        self.is_wanted = is_wanted
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._sessions = sessions
        self._code_generator = code_generator
        self._allowances = allowances
        self._outbox = outbox

    def begin(self, connection: Connection, account_id: str, email: str, language: str, now: datetime) -> None:
        """Mail a new account's code, and let the account wait for it."""
        code, seal = self._code_generator.new()
        connection.execute(activations.insert().values(account_id=account_id, mailed_at=now, **seal))
        self._mail(connection, account_id, email, language=language, code=code, now=now)

    def is_due(self, session: Session) -> bool:
        """Tell whether this session's account waits for the code."""
        if not self.is_wanted:
            return False
        with self._store.read() as connection:
            waits = connection.execute(
                select(activations.c.account_id).where(activations.c.account_id == session.account.id)
            ).first()
        return waits is not None

    def activate(self, session: Session, code: str) -> str:
        """Take the code, or its last characters; return what the browser is to hold from now on.

        A try is counted before it is compared. Raises Refusal ``activation_code.wrong`` or
        ``activation_code.too_many`` with `at`, or SignedOut.
        """
        account, rules = session.account, self._profile.one_time_code
        key = self._allowances.key("activation", account.id)
        with self._sessions.holding(session) as (connection, now):
            blocked = self._allowances.take(connection, key, limit=rules.guesses, quiet=rules.budget, now=now)
            if blocked is not None:
                raise Refusal("activation_code", "too_many", at=blocked)
            own = activations.c.account_id == account.id
            row = connection.execute(select(activations).where(own)).first()
            if row is None:
                raise SignedOut  # activated or closed meanwhile: the page shows the present state
            used = delete(activations).where(own, activations.c.serial == row.serial)
            is_right = self._code_generator.fits(code, row)
            if not is_right or connection.execute(used.returning(activations.c.account_id)).first() is None:
                raise Refusal("activation_code", "wrong").counted()
            self._allowances.give_back(connection, key)
            audit.record(connection, "account_activated", kutid=account.kutid, at=now)
            return self._sessions.renew(connection, session, now)

    def mail_again(self, session: Session) -> None:
        """Mail a new code; the older one dies.

        Raises Refusal ``email.resend_too_early`` or ``email.too_many``.
        """
        now, account, rules = self._clock.now(), session.account, self._profile.registration
        code, seal = self._code_generator.new()
        with self._store.write() as connection:
            blocked = self._allowances.take_mail(connection, account.email_key, limit=rules.mails_an_hour, now=now)
            if blocked:
                raise Refusal("email", "too_many", at=blocked)
            renewed = connection.execute(
                update(activations)
                .where(activations.c.account_id == account.id, activations.c.mailed_at <= now - rules.mail_again)
                .values(mailed_at=now, **seal)
                .returning(activations.c.account_id)
            ).first()
            if renewed is None:
                raise _too_early(connection, account.id, now - rules.mail_again)
            self._mail(connection, account.id, account.email, language=account.language, code=code, now=now)

    def end(self, connection: Connection, kutid: str) -> bool:
        """End a customer's account in a caller's transaction if it still waits for the code; tell whether it did.

        No mail leaves: the address may be a stranger's.
        """
        # The account's row first, as in every change of an account: this waits for a code that is being typed.
        account_id = connection.execute(
            select(accounts.c.id).where(accounts.c.kutid == kutid).with_for_update()
        ).scalar()
        waited = delete(activations).where(activations.c.account_id == account_id).returning(activations.c.account_id)
        if account_id is None or connection.execute(waited).first() is None:
            return False
        erase(connection, self._outbox, account_id, kutid)
        return True

    def _mail(
        self, connection: Connection, account_id: str, email: str, *, language: str, code: str, now: datetime
    ) -> None:  # fmt: skip
        self._outbox.replace(connection, f"activation:{account_id}")
        self._outbox.put(
            connection,
            kind="email",
            recipient=email,
            message="activation",
            language=language,
            topic=f"activation:{account_id}",
            expires_at=now + _WORTH_SENDING,
            facts={
                "code": code,
                "typed": str(self._profile.one_time_code.typed),
                # The last whole day: the account ends during the next one.
                "deadline": (now + self._profile.retention.unactivated - timedelta(days=1)).isoformat(),
            },
        )


def _too_early(connection: Connection, account_id: str, rested: datetime) -> Refusal:
    """Return the refusal of a mail whose last one left after `rested`."""
    own = select(activations.c.mailed_at).where(activations.c.account_id == account_id)
    mailed_at = connection.execute(own).scalar()
    wait = mailed_at - rested if mailed_at else timedelta()
    return Refusal("email", "resend_too_early", seconds=max(1, ceil(wait.total_seconds())))
