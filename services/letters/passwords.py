"""The password of electronic correspondence: set, sent, tried and taken back (P27–P31, S1–S4).

It is a secret of its own. It is kept encrypted, and no page, log or mail ever shows it.
"""

import hmac
import re
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import Connection, select

from services import audit
from services.accounts import Session
from services.accounts.account import Account
from services.accounts.group import AccountServices
from services.base import Base
from services.codes.group import CodeServices
from services.codes.sending import CodeOrder
from services.letters.enclosing import ORDER, PASSWORD
from services.letters.openers import Opener, Openers
from services.limits.group import LimitServices
from services.passwords import normal_form
from services.passwords.rules import is_common
from services.refusal import OutOfTurn, Refusal
from services.store.statements import insert_for
from services.store.tables.letters import letter_passwords
from services.store.tables.register import customers

_TYPED = re.compile(r"[!-_a-~]+")
"""ASCII without the space and the grave accent: every PDF reader and every keyboard has these, and GSM-7 too."""


_CHANGES_AN_HOUR = 3
"""Each change causes a mail."""
_HOUR = timedelta(hours=1)


class LetterPasswords:
    """The verbs of a signed-in customer. Each public method is one transaction, with the message it causes.

    All raise OutOfTurn where the insurer mails no encrypted letters, and SignedOut.
    """

    def __init__(
        self, base: Base, *, openers: Openers, accounts: AccountServices, codes: CodeServices, limits: LimitServices
    ) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._openers = openers
        self._accounts = accounts
        self._codes = codes.sender
        self._allowances = limits.allowances

    def state(self, session: Session) -> Opener:
        """Return what opens the customer's letters, without the password itself."""
        self._refuse_unused()
        with self._store.read() as connection:
            return replace(self._openers.of(connection, session.account.kutid), password="")

    def set(self, session: Session, current: str, new: str) -> None:
        """Set a password of the customer's own, which opens the letters that are mailed from now on.

        `current` is the account's password. Raises Refusal ``current_password.…`` or ``letter_password.…``.
        """
        self._refuse_unused()
        account = session.account
        self._accounts.password_checks.password(session, current)
        now = self._clock.now()
        with self._store.write() as connection:
            self._accounts.sessions.hold(connection, session, now)
            self._judge(connection, account, current, new)
            until = self._allowances.take_within(
                connection, "letter password set", account.kutid, limit=_CHANGES_AN_HOUR, window=_HOUR, now=now
            )
            if until is not None:
                raise Refusal("letter_password", "too_many", at=until)
            sealed = self._openers.sealed(account.kutid, new)
            put = insert_for(connection, letter_passwords).values(kutid=account.kutid, sealed=sealed, set_at=now)
            connection.execute(
                put.on_conflict_do_update(
                    index_elements=[letter_passwords.c.kutid], set_={"sealed": sealed, "set_at": now}
                )
            )
            self._accounts.account_mails.tell(connection, "letter_password_set", account, now)
            audit.record(connection, "letter_password_set", kutid=account.kutid, at=now)

    def is_own(self, account: Account, password: str) -> bool:
        """Tell whether `password` opens the customer's letters; no sign-in password may be one that is sent by text."""
        with self._store.read() as connection:
            opener = self._openers.of(connection, account.kutid)
        return opener.kind == "own" and hmac.compare_digest(opener.password.encode(), password.encode())

    def send(self, session: Session) -> str:
        """Send the customer's own password to the account's mobile, from the one allowance of codes; return the number.

        Raises Refusal ``sms.paused``, ``sms_resend.…`` or ``mobile.too_many``, DeadEnd ``codes_used_up``; OutOfTurn
        where there is no such password or no mobile.
        """
        self._refuse_unused()
        account, now = session.account, self._clock.now()
        with self._store.write() as connection:
            self._accounts.sessions.hold(connection, session, now)
            if account.mobile is None or self._openers.of(connection, account.kutid).kind != "own":
                raise OutOfTurn
            ends_at = now + self._profile.one_time_code.lifetime
            order = CodeOrder(
                account.kutid, ORDER, account.mobile, language=account.language, ends_at=ends_at, message=PASSWORD
            )
            self._codes.send(connection, order, now)
            self._accounts.account_mails.tell(connection, "letter_password_sent", account, now)
            audit.record(connection, "letter_password_sent", kutid=account.kutid, at=now)
        return account.mobile

    def try_out(self, session: Session, password: str) -> None:
        """Return if `password` opens the letters that are mailed now.

        Raises Refusal ``try_password.wrong``, or ``….wait`` with `at` once the tries are used up.
        """
        self._refuse_unused()
        rules, now, kutid = self._profile.letter_password, self._clock.now(), session.account.kutid
        key = self._allowances.key("letter password", kutid)
        with self._store.write() as connection:
            self._accounts.sessions.hold(connection, session, now)
            quiet = timedelta(minutes=rules.tries_minutes)
            wait = self._allowances.take(connection, key, limit=rules.tries, quiet=quiet, now=now)
        if wait is not None:
            raise Refusal("try_password", "wait", at=wait)
        with self._store.write() as connection:
            opener = self._openers.of(connection, kutid)
            is_right = bool(opener.password) and hmac.compare_digest(opener.password.encode(), password.encode())
            if is_right:
                self._allowances.give_back(connection, key)
        if not is_right:
            raise Refusal("try_password", "wrong")

    def _refuse_unused(self) -> None:
        if not self._openers.is_used:
            raise OutOfTurn

    def _judge(self, connection: Connection, account: Account, current: str, new: str) -> None:
        rules = self._profile.letter_password
        if len(new) < rules.min_length:
            raise Refusal("letter_password", "too_short", length=rules.min_length)
        if len(new) > rules.max_length:
            raise Refusal("letter_password", "too_long", length=rules.max_length)
        if not _TYPED.fullmatch(new):
            raise Refusal("letter_password", "malformed")
        if normal_form(new) == normal_form(current):
            raise Refusal("letter_password", "sign_in")
        number = connection.execute(select(customers.c.birth_number).where(customers.c.kutid == account.kutid)).scalar()
        if (digits := re.sub(r"\D", "", number or "")) and digits[-6:] in re.sub(r"\D", "", new):
            raise Refusal("letter_password", "birth_number")
        if is_common(new):
            raise Refusal("letter_password", "common")
        if new == self._openers.of(connection, account.kutid).password:
            raise Refusal("letter_password", "same")
