"""Signing in and out, and what a signed-in browser may do with its sessions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, update

from services.accounts.account import Account, Session
from services.accounts.mails import AccountMails
from services.accounts.sessions import ACCOUNT, IS_KNOWN, SIGNED_OUT, Sessions, account_from
from services.base import Base
from services.crash_points import reach
from services.limits.group import LimitServices
from services.limits.waits import CUSTOMER, PROVED
from services.passwords import Hasher
from services.refusal import Refusal
from services.sessions import Device
from services.store.tables.accounts import accounts

# Built once: every sign-in asks.
_ASKED_FOR = ACCOUNT.add_columns(IS_KNOWN).where(accounts.c.email_key == bindparam("of_email"))


class SignIns:
    """The verbs of signing in and out. Each public method is one transaction, except around the password's hash."""

    def __init__(
        self,
        base: Base,
        *,
        sessions: Sessions,
        limits: LimitServices,
        account_mails: AccountMails,
        hasher: Hasher,
    ) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._sessions = sessions
        self._failed_attempts = limits.failed_attempts
        self._allowances = limits.allowances
        self._account_mails = account_mails
        self._hasher = hasher

    def sign_in(
        self,
        email_key: str,
        password: str,
        device: Device,
        *,
        registered_here: str | None = None,
        reset_here: str | None = None,
        held: str | None = None,
        kept: Mapping[str, str] | None = None,
    ) -> str:
        """Open a session and return what its browser is to hold.

        `registered_here` is the registration that this browser has completed: it is no new device then.
        `reset_here` is what `PasswordChanges.reset` returned to it. Such a browser, and one that was signed in
        before, is not kept waiting by the failures of others; it has a count of its own. `held` is what the
        browser holds of an earlier session, which ends (ASVS 7.2.4), `kept` what was typed when one ended.
        Raises Refusal ``login.failed`` for every failure, in the same time (ASVS 6.3.8), or ``login.wait`` with
        `at`; Overloaded, before the try is counted, where it could not be looked at.
        """
        self._hasher.refuse_overload()
        now = self._clock.now()
        with self._store.write() as connection:
            account, is_known = _find(connection, email_key, device)
            has_registered = account is not None and registered_here == account.registration_id
            is_own = has_registered or (account is not None and reset_here == account.id)
            browser = device.hash if is_known else PROVED if is_own else ""
            key = self._count_try(connection, email_key, browser, device, now)
        reach("accounts.tried")
        found = account if self._is_right(account, password) else None
        is_known = is_known or has_registered
        token = self._let_in(found, key, device, is_known=is_known, held=held, kept=kept)
        reach("accounts.signed_in")
        return token

    def _is_right(self, account: Account | None, password: str) -> bool:
        hashed = account.password_hash if account else None
        return len(password) <= self._profile.password.max_length and self._hasher.is_password(password, hashed)

    def _let_in(self, account: Account | None, key: str, device: Device, **session: Any) -> str:
        """Sign in to the account whose password was right, and forget the try; refuse if there is none."""
        now, token = self._clock.now(), None
        with self._store.write() as connection:
            if account is not None:
                # Not if the password has changed since: a reset ends every session that the old password opened.
                unchanged = accounts.c.password_hash == account.password_hash
                token = self.admit(connection, account, device, now, unchanged, **session)
            if token is None:
                self.turn_away(connection, device, now)
                raise Refusal("login", "failed").counted()
            self._failed_attempts.forget(connection, key)
        return token

    def _count_try(self, connection: Connection, email_key: str, browser: str, device: Device, now: datetime) -> str:
        """Count a try before its password is compared; return the key it is counted by. Raises Refusal ``login.wait``.

        The count is committed first, so parallel tries cannot exceed the limit.
        """
        key = self._failed_attempts.key(CUSTOMER, email_key, browser)
        wait = self._failed_attempts.count_sign_in(connection, key, now, source=None if browser else device.source)
        if wait is not None:
            raise Refusal("login", "wait", at=wait)
        return key

    def admit(
        self,
        connection: Connection,
        account: Account,
        device: Device,
        now: datetime,
        *conditions: ColumnElement[bool],
        is_known: bool,
        held: str | None,
        kept: Mapping[str, str] | None,
    ) -> str | None:
        """Open a session in the transaction of any way of signing in; return what its browser holds from now on.

        The browser's earlier session ends (ASVS 7.2.4). A mail reports a device that the account does not know.
        Returns None when the account does not meet the conditions.
        """
        own = {"device": device.name, "kept": kept}
        token = self._sessions.open(connection, account.id, device, now, *conditions, **own)
        if token is None:
            return None
        if held:
            self._sessions.end_held(connection, held, now, ended_by=SIGNED_OUT)
        if not is_known:
            self._tell_of_device(connection, account, device, now)
        return token

    def turn_away(self, connection: Connection, device: Device, now: datetime) -> None:
        """Count a failure for the network that it came from, in the transaction of a way of signing in."""
        self._failed_attempts.count_source(connection, device.source, now)

    def resume(self, token: str, *, is_activity: bool = True) -> Session | None:
        """Return the session of a browser, over or not; `is_activity` prolongs one that lasts."""
        return self._sessions.resume(token, is_activity=is_activity)

    def speak(self, session: Session, language: str) -> None:
        """Use the language in which the customer goes on for the account's messages. Raises SignedOut."""
        with self._sessions.holding(session) as (connection, _):
            connection.execute(update(accounts).where(accounts.c.id == session.account.id).values(language=language))

    def sign_out(self, session: Session) -> None:
        """End the session."""
        with self._store.write() as connection:
            self._sessions.end(connection, session.id, session.account.id, SIGNED_OUT, self._clock.now())

    def _tell_of_device(self, connection: Connection, account: Account, device: Device, now: datetime) -> None:
        """Mail a notice of a new device, within the hourly allowance of mails (security.md, Email).

        The last mail of the hour stays free for a registration's success, which is not counted, and the one before for
        a link for a new password: somebody who knows the old one cannot use those up.
        """
        limit = max(1, self._profile.registration.mails_an_hour - 2)
        if self._allowances.take_mail(connection, account.email_key, limit=limit, now=now) is None:
            self._account_mails.tell(connection, "new_device", account, now, device=device.name)


def _find(connection: Connection, email_key: str, device: Device) -> tuple[Account | None, bool]:
    """Return the account with this address, and whether the device has signed in there before."""
    row = connection.execute(_ASKED_FOR, {"of_email": email_key, "of_device": device.hash}).first()
    return (account_from(row._mapping), bool(row.is_known)) if row else (None, False)
