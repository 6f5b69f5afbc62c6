"""Asks for the present password again before an important change."""

from services.accounts.account import Session
from services.base import Base
from services.limits.waits import ASKED_AGAIN, FailedAttempts
from services.passwords import Hasher
from services.refusal import Refusal


class PasswordChecks:
    """Compares the password with the same growing waits as a sign-in: a stolen session guesses no faster."""

    def __init__(self, base: Base, tries: FailedAttempts, hasher: Hasher) -> None:
        self._store = base.store
        self._clock = base.clock
        self._failed_attempts = tries
        self._hasher = hasher

    def password(self, session: Session, password: str) -> None:
        """Return if `password` is the account's.

        Raises Refusal ``current_password.wrong`` or ``….wait``; Overloaded, before the try is counted.
        """
        self._hasher.refuse_overload()
        key = self._failed_attempts.key(ASKED_AGAIN, session.account.email_key, session.id)
        with self._store.write() as connection:
            wait = self._failed_attempts.count(connection, key, self._clock.now())
            if wait is not None:
                raise Refusal("current_password", "wait", at=wait)
        if not self._hasher.is_password(password, session.account.password_hash):
            raise Refusal("current_password", "wrong")
        with self._store.write() as connection:
            self._failed_attempts.forget(connection, key)
