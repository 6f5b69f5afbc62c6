"""Changing the address of an account, which a link to the new address proves."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import IntegrityError

from services import audit, randomness
from services.accounts.account import Account, DeadLink, Session
from services.accounts.addresses import TakenAddresses
from services.accounts.mails import AccountMails
from services.accounts.password_checks import PasswordChecks
from services.accounts.pending_changes import EMAIL, note_change
from services.accounts.sessions import ACCOUNT, Sessions, account_from
from services.base import Base
from services.crash_points import reach
from services.limits.allowances import Allowances
from services.refusal import Refusal
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
        self._addresses = TakenAddresses(base.profile.registration, allowances)
        self._account_mails = account_mails

    def ask_for_email(self, session: Session, password: str, address: EmailAddress) -> None:
        """Mail a link to the new address and a notice to the old one; nothing changes before the link is used.

        Raises Refusal ``current_password.…``, ``email.same``, ``email.taken`` or ``email.too_many``; SignedOut.
        """
        if address.key == session.account.email_key and address.typed == session.account.email:
            raise Refusal("email", "same")
        self._password_checks.password(session, password)
        now = self._clock.now()
        with self._store.write() as connection:
            self._sessions.hold(connection, session, now)
            self._refuse_address(connection, session.account, address, now)
            self._mail_new_address(connection, session, address, now)

    def pending_email(self, session: Session) -> str | None:
        """Return the new address that waits for its link to be opened."""
        waiting = select(account_changes.c.value).where(
            account_changes.c.account_id == session.account.id,
            account_changes.c.kind == EMAIL,
            account_changes.c.expires_at > self._clock.now(),
        )
        with self._store.read() as connection:
            email: str | None = connection.execute(waiting).scalar()
        return email

    def find_email_change(self, link_id: str) -> str | None:
        """Return the new address that a link would confirm, if it is the newest, unused and in time."""
        found = select(account_changes.c.value).where(
            account_changes.c.id == link_id,
            account_changes.c.kind == EMAIL,
            account_changes.c.expires_at > self._clock.now(),
        )
        with self._store.read() as connection:
            email: str | None = connection.execute(found).scalar()
        return email

    def confirm_email(self, link_id: str) -> str:
        """Make the new address the account's user name, once; links mailed to the old address die. Returns it.

        The old address is told.
        Raises DeadLink or Refusal ``email.taken``.
        """
        now = self._clock.now()
        try:
            with self._store.write() as connection:
                waiting = ACCOUNT.join(account_changes, account_changes.c.account_id == accounts.c.id).where(
                    account_changes.c.id == link_id
                )
                before = connection.execute(waiting.with_for_update(of=accounts)).first()
                row = connection.execute(
                    delete(account_changes)
                    .where(
                        account_changes.c.id == link_id,
                        account_changes.c.kind == EMAIL,
                        account_changes.c.expires_at > now,
                    )
                    .returning(account_changes.c.account_id, account_changes.c.value, account_changes.c.value_key)
                ).first()
                if row is not None and before is not None:
                    self._take_address(connection, account_from(before._mapping), row.value, row.value_key, now)
        except IntegrityError:
            # Another customer has opened an account with this address since it was given here.
            raise Refusal("email", "taken") from None
        if row is None:
            raise DeadLink
        reach("accounts.email_changed")
        return str(row.value)

    def _refuse_address(self, connection: Connection, account: Account, address: EmailAddress, now: datetime) -> None:
        self._addresses.refuse_taken(connection, address, kutid=account.kutid, now=now)
        # Nor do strangers, or the old address, get more mails from one account than an address may get at all.
        limit, until = self._profile.registration.mails_an_hour, None
        for purpose, subject in (("email change", account.id), ("mail", address.key)):
            until = until or self._allowances.take_within(
                connection, purpose, subject, limit=limit, window=timedelta(hours=1), now=now
            )
        if until is not None:
            raise Refusal("email", "too_many", at=until).counted()

    def _mail_new_address(self, connection: Connection, session: Session, address: EmailAddress, now: datetime) -> None:
        account, link_id = session.account, randomness.opaque_id()
        expires_at = note_change(
            connection,
            session,
            EMAIL,
            now,
            lifetime=self._profile.registration.lifetime,
            change_id=link_id,
            value=address.typed,
            key=address.key,
        )
        self._account_mails.mail_link(
            connection,
            "address_new",
            to=address.typed,
            language=account.language,
            topic=f"address_new:{account.id}",
            link_id=link_id,
            expires_at=expires_at,
        )
        self._account_mails.tell(connection, "address_old", account, now)
        audit.record(connection, "email_change_asked", kutid=account.kutid, at=now)

    def _take_address(self, connection: Connection, old: Account, email: str, email_key: str, now: datetime) -> None:
        taken = update(accounts).where(accounts.c.id == old.id).values(email=email, email_key=email_key)
        connection.execute(taken)
        connection.execute(delete(password_resets).where(password_resets.c.account_id == old.id))
        self._account_mails.drop(connection, f"reset:{old.id}")
        self._account_mails.tell(connection, "address_changed", old, now)
        audit.record(connection, "email_changed", kutid=old.kutid, at=now)
