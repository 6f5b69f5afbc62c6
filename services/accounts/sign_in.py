"""Signing in and out, and what a signed-in browser may do with its sessions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, bindparam, exists, update

from services import audit
from services.accounts.account import Account, Device, Session
from services.accounts.notices import Notices
from services.accounts.sessions import ACCOUNT, ELSEWHERE, SIGNED_OUT, Sessions, SignedInDevice, account_from
from services.base import Base
from services.crash_points import reach
from services.limits.group import LimitServices
from services.limits.waits import CUSTOMER, PROVED
from services.passwords import Hasher
from services.refusal import Refusal
from services.store.tables.accounts import accounts
from services.store.tables.accounts import sessions as sessions_table
from services.terms import Terms, TermsVersions

_LAST_SIGN_INS = 5

# Built once: every sign-in asks.
_ASKED_FOR = ACCOUNT.add_columns(
    exists()
    .where(sessions_table.c.account_id == accounts.c.id, sessions_table.c.device_hash == bindparam("of_device"))
    .label("is_known")
).where(accounts.c.email_key == bindparam("of_email"))


@dataclass(frozen=True)
class Places:
    """Where an account is signed in, and its last sign-ins."""

    open: list[SignedInDevice]
    last: list[SignedInDevice]


class SignIns:
    """The verbs of signing in and out. Each public method is one transaction, except around the password's hash."""

    def __init__(
        self,
        base: Base,
        *,
        sessions: Sessions,
        limits: LimitServices,
        terms: TermsVersions,
        notices: Notices,
        hasher: Hasher,
    ) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._sessions = sessions
        self._tries = limits.failed_attempts
        self._allowances = limits.allowances
        self._terms = terms
        self._notices = notices
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
            row = connection.execute(_ASKED_FOR, {"of_email": email_key, "of_device": device.hash}).first()
            account = account_from(row._mapping) if row else None
            is_known = bool(row and row.is_known)
            is_own = account is not None and (registered_here == account.registration_id or reset_here == account.id)
            browser = device.hash if is_known else PROVED if is_own else ""
            key = self._tries.key(CUSTOMER, email_key, browser)
            source = self._tries.source_key(device.source)
            wait = None if browser else self._tries.waits_until(connection, source, now)
            # Counted before the comparison and committed, so that of tries at once no more than the free ones are made.
            wait = wait or self._tries.count(connection, key, now)
            if wait is not None:
                raise Refusal("login", "wait", at=wait)
        reach("accounts.tried")
        is_right = len(password) <= self._profile.password.max_length and self._hasher.is_password(
            password, account.password_hash if account else None
        )
        now = self._clock.now()
        with self._store.write() as connection:
            token = None
            if is_right and account is not None:
                # Not if the password has changed since: whoever resets it ends every session that the old one opened.
                unchanged = accounts.c.password_hash == account.password_hash
                token = self.admit(
                    connection, account, device, now, unchanged,
                    is_known=is_known or registered_here == account.registration_id, held=held, kept=kept,
                )  # fmt: skip
            if token is None:
                self.turn_away(connection, device, now)
                raise Refusal("login", "failed").counted()
            self._tries.forget(connection, key)
        reach("accounts.signed_in")
        return token

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
        """In the transaction of whichever way of signing in: open a session and return what its browser is to hold.

        The session that it held before ends (ASVS 7.2.4), and a device that is not known to the account is told of
        by mail. None when the conditions on the account fail.
        """
        token = self._sessions.open(connection, account, device, now, kept, *conditions)
        if token is None:
            return None
        if held:
            self._sessions.end_held(connection, held, now)
        if not is_known:
            self._tell_of_device(connection, account, device, now)
        return token

    def turn_away(self, connection: Connection, device: Device, now: datetime) -> None:
        """In such a transaction: count a failure for the network that it came from."""
        self._tries.count(connection, self._tries.source_key(device.source), now, is_source=True)

    def resume(self, token: str, *, is_activity: bool = True) -> Session | None:
        """Return the session of a browser, over or not; `is_activity` prolongs one that lasts."""
        now = self._clock.now()
        with self._store.read() as connection:
            session = self._sessions.see(connection, token, now)
        if session is None or session.ended_by or not is_activity or not self._sessions.is_stale(session, now):
            return session
        with self._store.write() as connection:
            self._sessions.touch(connection, session, now)
            return self._sessions.see(connection, token, now)

    def speak(self, session: Session, language: str) -> None:
        """Have the account's messages follow a language in which the customer goes on. Raises SignedOut."""
        with self._store.write() as connection:
            self._sessions.hold(connection, session, self._clock.now())
            connection.execute(update(accounts).where(accounts.c.id == session.account.id).values(language=language))

    def sign_out(self, session: Session) -> None:
        """End the session."""
        with self._store.write() as connection:
            self._sessions.end(connection, session.id, session.account.id, SIGNED_OUT, self._clock.now())

    def end(self, session: Session, session_id: str) -> None:
        """End another session of the same account. Raises SignedOut."""
        now = self._clock.now()
        with self._store.write() as connection:
            self._sessions.hold(connection, session, now)
            if self._sessions.end(connection, session_id, session.account.id, ELSEWHERE, now):
                audit.record(connection, "session_ended", kutid=session.account.kutid, at=now)

    def end_others(self, session: Session) -> None:
        """End every other session of the same account. Raises SignedOut."""
        now = self._clock.now()
        with self._store.write() as connection:
            self._sessions.hold(connection, session, now)
            self._sessions.end_all(connection, session.account.id, now, but=session.id)
            audit.record(connection, "sessions_ended", kutid=session.account.kutid, at=now)

    def places(self, session: Session) -> Places:
        """Return where the account is signed in and its last sign-ins."""
        now = self._clock.now()
        with self._store.read() as connection:
            return Places(
                self._sessions.open_ones(connection, session.account.id, now),
                self._sessions.last_ones(connection, session.account.id, _LAST_SIGN_INS),
            )

    # --- Changed terms -----------------------------------------------------------------------------------------

    def terms_due(self, session: Session) -> Terms | None:
        """Return the terms that this session must accept before anything else (M24), or None.

        Asked at the first sign-in after they came into force: a session that was open then goes on undisturbed.
        """
        accepted, accepted_at = session.account.terms_version, session.account.terms_accepted_at
        if accepted is None or accepted_at is None:
            return None
        # Another session may have accepted since this one was opened: that was the account's answer.
        asked = self._terms.in_force(max(session.created_at, accepted_at))
        return None if accepted == asked.version else self._terms.in_force(self._clock.now())

    def open_terms(self, session: Session, version: str) -> None:
        """Record that this session opened a version of the terms."""
        if session.terms_opened == version:
            return
        with self._store.write() as connection:
            live = self._sessions.is_live(session, self._clock.now())
            connection.execute(update(sessions_table).where(live).values(terms_opened=version))

    def accept_terms(self, session: Session) -> str:
        """Accept the terms in force, once they were opened; return what the browser is to hold from now on.

        Raises Refusal ``terms.not_opened`` or ``terms.replaced``, or SignedOut.
        """
        now = self._clock.now()
        terms = self._terms.in_force(now)
        opened = exists().where(sessions_table.c.id == session.id, sessions_table.c.terms_opened == terms.version)
        with self._store.write() as connection:
            self._sessions.hold(connection, session, now)
            accepted = connection.execute(
                update(accounts)
                .where(accounts.c.id == session.account.id, opened)
                .values(terms_version=terms.version, terms_hash=terms.hash, terms_accepted_at=now)
                .returning(accounts.c.id)
            ).first()
            if accepted is not None:
                audit.record(connection, "terms_accepted", kutid=session.account.kutid, at=now, version=terms.version)
                return self._sessions.renew(connection, session, now)
        raise Refusal("terms", "replaced" if session.terms_opened else "not_opened")

    # --- Inside ------------------------------------------------------------------------------------------------

    def _tell_of_device(self, connection: Connection, account: Account, device: Device, now: datetime) -> None:
        """Tell of a new device, within what an address may get in an hour (security.md, Email).

        The last mail of the hour is left to a registration's success, which is not counted, and the one before to a
        link for a new password: whoever has the old one does not keep that away.
        """
        limit = max(1, self._profile.registration.mails_an_hour - 2)
        blocked = self._allowances.take_within(
            connection, "mail", account.email_key, limit=limit, window=timedelta(hours=1), now=now
        )
        if blocked is None:
            self._notices.tell(connection, "new_device", account, now, device=device.name)
