"""Passkeys: what a browser and its device prove by a key of their own, in place of the password (WebAuthn 3)."""

import base64
import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sqlalchemy import Connection, bindparam, delete, func, insert, literal, or_, select, update
from sqlalchemy.exc import IntegrityError

from services import audit
from services.accounts.account import Account, Session
from services.accounts.challenges import ANSWERED_WITHIN, Challenges, milliseconds
from services.accounts.mails import AccountMails
from services.accounts.password_checks import PasswordChecks
from services.accounts.sessions import ACCOUNT, IS_KNOWN, Sessions, account_from
from services.accounts.sign_in import SignIns
from services.base import Base
from services.crash_points import reach
from services.refusal import Refusal
from services.sessions import Device
from services.store.tables.accounts import accounts, passkeys

if TYPE_CHECKING:
    from services.accounts.ceremonies import PasskeyUse


_ASKED_FOR = (
    ACCOUNT.add_columns(passkeys.c.public_key, passkeys.c.sign_count, IS_KNOWN)
    .join(passkeys, passkeys.c.account_id == accounts.c.id)
    .where(passkeys.c.id == bindparam("of_passkey"))
)
_MOST = 20
"""Passkeys that an account may have at most."""


@dataclass(frozen=True)
class Passkey:
    """One line of an account's passkeys. `used_at` is None until it has signed somebody in."""

    id: str
    name: str
    created_at: datetime
    used_at: datetime | None


class Passkeys:
    """The verbs around passkeys."""

    def __init__(
        self,
        base: Base,
        *,
        origin: str,
        challenges: Challenges,
        sessions: Sessions,
        sign_ins: SignIns,
        password_checks: PasswordChecks,
        account_mails: AccountMails,
    ) -> None:
        """`origin` is scheme, host and port of the pages; the passkeys belong to its host."""
        self.origin = origin
        self.host = urlsplit(origin).hostname or ""
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._challenges = challenges
        self._sessions = sessions
        self._sign_ins = sign_ins
        self._password_checks = password_checks
        self._account_mails = account_mails

    @property
    def are_possible(self) -> bool:
        """Whether browsers make passkeys for the host: they do for names, not for addresses in numbers."""
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return True
        return False

    # --- Signing in --------------------------------------------------------------------------------------------

    def options(self, browser: str) -> str:
        """Return the options with which `browser`, a lasting secret of its own, asks its passkeys, as JSON."""
        challenge = base64.urlsafe_b64encode(self._challenges.new("in", browser).encode()).decode().rstrip("=")
        return json.dumps(
            {
                "challenge": challenge,
                "timeout": milliseconds(ANSWERED_WITHIN),
                "rpId": self.host,
                "allowCredentials": [],
                "userVerification": "required",
            }
        )

    def sign_in(
        self,
        answer: str,
        browser: str,
        device: Device,
        *,
        registered_here: str | None = None,
        held: str | None = None,
        kept: Mapping[str, str] | None = None,
    ) -> str:
        """Open a session by a passkey's answer (JSON) and return what its browser is to hold.

        It works like `SignIns.sign_in`. A passkey cannot be guessed, so nobody waits; failures still count for their
        network. Raises Refusal ``login.passkey`` for every failure.
        """
        found = self._verify(answer, browser, device)
        now = self._clock.now()
        token = None
        with self._store.write() as connection:
            if found is not None:
                account, is_known, use, sign_count = found
                # The account's row first, as in every change: this waits for a request that closes the account.
                connection.execute(select(accounts.c.id).where(accounts.c.id == account.id).with_for_update(read=True))
                if self._challenges.use(connection, use.challenge, now) and self._use(connection, use, sign_count, now):
                    token = self._sign_ins.admit(
                        connection, account, device, now,
                        is_known=is_known or registered_here == account.registration_id, held=held, kept=kept,
                    )  # fmt: skip
            if token is None:
                self._sign_ins.turn_away(connection, device, now)
                raise Refusal("login", "passkey").counted()
        reach("accounts.signed_in")
        return token

    # --- Adding and removing -----------------------------------------------------------------------------------

    def ask_to_add(self, session: Session, password: str) -> str:
        """Return the challenge for a new passkey if the password is right.

        Raises Refusal ``current_password.…`` or ``passkey.too_many``.
        """
        self._password_checks.password(session, password)
        with self._store.read() as connection:
            count = select(func.count()).select_from(passkeys).where(passkeys.c.account_id == session.account.id)
            if connection.execute(count).scalar_one() >= _MOST:
                raise Refusal("passkey", "too_many", count=_MOST)
        return self._challenges.new("new", session.id)

    def options_to_add(self, session: Session, challenge: str) -> str | None:
        """Return the options from which the browser makes a passkey, as JSON; None when the challenge is over."""
        from services.accounts.ceremonies import options_to_make  # noqa: PLC0415 (see there)

        if not self._challenges.is_fresh(challenge, "new", session.id):
            return None
        return options_to_make(
            session.account,
            str(self._profile.texts.facts(session.account.language)["insurer"]),
            host=self.host,
            challenge=challenge,
            milliseconds=milliseconds(ANSWERED_WITHIN),
            others=[passkey.id for passkey in self.all(session)],
        )

    def add(self, session: Session, challenge: str, answer: str, name: str) -> str:
        """Keep the passkey that a browser has made (JSON); return what the browser is to hold from now on.

        Raises Refusal ``passkey.stopped`` for whatever is wrong with the answer, or SignedOut.
        """
        from services.accounts.ceremonies import read_made  # noqa: PLC0415 (see there)

        is_fresh = self._challenges.is_fresh(challenge, "new", session.id)
        made = read_made(answer, challenge, self.host, self.origin) if is_fresh else None
        if made is None:
            raise Refusal("passkey", "stopped")
        account = session.account
        try:
            with self._sessions.holding(session) as (connection, now):
                if not self._challenges.use(connection, challenge, now):
                    raise Refusal("passkey", "stopped")
                new = insert(passkeys).values(account_id=account.id, name=name, created_at=now, **vars(made))
                connection.execute(new)
                self._account_mails.tell(connection, "passkey_added", account, now, device=session.device)
                audit.record(connection, "passkey_added", kutid=account.kutid, at=now)
                token = self._sessions.renew(connection, session, now)
        except IntegrityError:
            # A passkey with this id exists already: a device copies another's.
            raise Refusal("passkey", "stopped") from None
        reach("accounts.passkey_added")
        return token

    def all(self, session: Session) -> list[Passkey]:
        """Return the account's passkeys, oldest first."""
        found = select(passkeys.c.id, passkeys.c.name, passkeys.c.created_at, passkeys.c.used_at).where(
            passkeys.c.account_id == session.account.id
        )
        with self._store.read() as connection:
            return [Passkey(*row) for row in connection.execute(found.order_by(passkeys.c.created_at, passkeys.c.id))]

    def remove(self, session: Session, passkey_id: str) -> str | None:
        """Remove a passkey of the account and mail a notice; return what the browser holds from now on.

        Returns None if there was no such passkey. Raises SignedOut.
        """
        with self._sessions.holding(session) as (connection, now):
            gone = delete(passkeys).where(passkeys.c.id == passkey_id, passkeys.c.account_id == session.account.id)
            if connection.execute(gone.returning(passkeys.c.id)).first() is None:
                return None
            self._account_mails.tell(connection, "passkey_removed", session.account, now, device=session.device)
            audit.record(connection, "passkey_removed", kutid=session.account.kutid, at=now)
            return self._sessions.renew(connection, session, now)

    # --- Inside ------------------------------------------------------------------------------------------------

    def _use(self, connection: Connection, use: "PasskeyUse", sign_count: int, now: datetime) -> bool:
        """Note the use, unless the passkey has gone or has been used since (7.2, on the signature counter)."""
        used = (
            update(passkeys)
            .where(
                passkeys.c.id == use.passkey_id,
                or_(passkeys.c.sign_count < sign_count, (passkeys.c.sign_count == 0) & (literal(sign_count) == 0)),
            )
            .values(sign_count=sign_count, used_at=now)
            .returning(passkeys.c.id)
        )
        return connection.execute(used).first() is not None

    def _verify(self, answer: str, browser: str, device: Device) -> "tuple[Account, bool, PasskeyUse, int] | None":
        """Return the account, whether the device has signed in to it before, the answer, and the passkey's counter.

        Returns None when the answer proves nothing (7.2).
        """
        from services.accounts.ceremonies import read_use  # noqa: PLC0415 (see there)

        use = read_use(answer)
        if use is None or not self._challenges.is_fresh(use.challenge, "in", browser):
            return None
        asked = {"of_passkey": use.passkey_id, "of_device": device.hash}
        with self._store.read() as connection:
            row = connection.execute(_ASKED_FOR, asked).first()
        # No list of passkeys was sent along, so the device must name the account (7.2, step 6).
        if row is None or use.user_handle != row.id.encode():
            return None
        sign_count = use.new_sign_count(self.host, self.origin, row.public_key, row.sign_count)
        return None if sign_count is None else (account_from(row._mapping), row.is_known, use, sign_count)
