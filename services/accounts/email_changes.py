"""Changing the address of an account: a link to the new address proves it."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, update
from sqlalchemy.exc import IntegrityError

from services import audit
from services.accounts.account import Account, DeadLink, Session
from services.accounts.addresses import TakenAddresses
from services.accounts.mails import AccountMails
from services.accounts.password_checks import PasswordChecks
from services.accounts.pending_changes import EMAIL, Change, PendingChanges
from services.accounts.sessions import ACCOUNT, Sessions, account_from
from services.base import Base
from services.crash_points import reach
from services.limits.allowances import Allowances
from services.refusal import Refusal
from services.register import contact_changes
from services.store.tables.accounts import account_changes, accounts, password_resets
from services.values.email_addresses import EmailAddress


class EmailChanges:
    """The verbs of a new address. Each public method is one transaction, with the mails it causes."""

    def __init__(
        self,
        base: Base,
        *,
        sessions: Sessions,
        password_checks: PasswordChecks,
        allowances: Allowances,
        account_mails: AccountMails,
    ) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._sessions = sessions
        self._password_checks = password_checks
        self._allowances = allowances
        self._pending = PendingChanges(EMAIL, base.profile.registration.lifetime)
        self._addresses = TakenAddresses(base.profile.registration, allowances)
        self._account_mails = account_mails

    def ask_for_email(self, session: Session, password: str, address: EmailAddress) -> None:
        """Mail a link to the new address and a notice to the old one; nothing changes before the link is used.

        Raises Refusal ``current_password.…``, ``email.same``, ``email.taken`` or ``email.too_many``; SignedOut.
        """
        if address.key == session.account.email_key and address.typed == session.account.email:
            raise Refusal("email", "same")
        self._password_checks.password(session, password)
        with self._sessions.holding(session) as (connection, now):
            self._refuse_address(connection, session.account, address, now)
            self._mail_new_address(connection, session, address, now)

    def pending_email(self, session: Session) -> str | None:
        """Return the new address that waits for its link to be opened."""
        with self._store.read() as connection:
            change = self._pending.of_account(connection, session.account.id, self._clock.now())
        return change.value if change else None

    def find_email_change(self, link_id: str) -> str | None:
        """Return the new address that a link would confirm, if it is the newest, unused and in time."""
        with self._store.read() as connection:
            change = self._pending.with_id(connection, link_id, self._clock.now())
        return change.value if change else None

    def confirm_email(self, link_id: str) -> str:
        """Make the new address the account's user name, once; links mailed to the old address die. Returns it.

        The old address gets a mail.
        Raises DeadLink or Refusal ``email.taken``.
        """
        now = self._clock.now()
        try:
            with self._store.write() as connection:
                # The account's row first, as in every change of an account.
                own = ACCOUNT.join(account_changes, account_changes.c.account_id == accounts.c.id)
                held = own.where(account_changes.c.id == link_id).with_for_update(of=accounts)
                before = connection.execute(held).first()
                change = self._pending.take(connection, link_id, now)
                if change is None or before is None:
                    raise DeadLink
                self._take_address(connection, account_from(before._mapping), change, now)
        except IntegrityError:
            # Another customer has opened an account with this address since it was given here.
            raise Refusal("email", "taken") from None
        reach("accounts.email_changed")
        return change.value

    def _refuse_address(self, connection: Connection, account: Account, address: EmailAddress, now: datetime) -> None:
        self._addresses.refuse_taken(connection, address, kutid=account.kutid, now=now)
        # One account sends a stranger's address, or its old one, no more mails than an address may get.
        limit, until = self._profile.registration.mails_an_hour, None
        for purpose, subject in (("email change", account.id), ("mail", address.key)):
            until = until or self._allowances.take_within(
                connection, purpose, subject, limit=limit, window=timedelta(hours=1), now=now
            )
        if until is not None:
            raise Refusal("email", "too_many", at=until).counted()

    def _mail_new_address(self, connection: Connection, session: Session, address: EmailAddress, now: datetime) -> None:
        account = session.account
        change = self._pending.put(connection, account.id, address.typed, address.key, now)
        self._account_mails.mail_link(
            connection,
            "address_new",
            to=change.value,
            language=account.language,
            topic=f"address_new:{account.id}",
            link_id=change.id,
            expires_at=change.expires_at,
        )
        self._account_mails.tell(connection, "address_old", account, now)
        audit.record(connection, "email_change_asked", kutid=account.kutid, at=now)

    def _take_address(self, connection: Connection, old: Account, change: Change, now: datetime) -> None:
        new = {"email": change.value, "email_key": change.value_key}
        connection.execute(update(accounts).where(accounts.c.id == old.id).values(new))
        connection.execute(delete(password_resets).where(password_resets.c.account_id == old.id))
        self._account_mails.drop(connection, f"reset:{old.id}")
        contact_changes.note_own(connection, old.kutid, "email", before=old.email, after=change.value, now=now)
        self._account_mails.tell(connection, "address_changed", old, now)
        audit.record(connection, "email_changed", kutid=old.kutid, at=now)
