"""The end of a registration: the password, and the account that it opens."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Insert, Row, update
from sqlalchemy.exc import IntegrityError

from services import randomness
from services.accounts.activations import Activations
from services.accounts.opening import opening
from services.base import Base
from services.crash_points import reach
from services.passwords import Hasher, Rule, judge
from services.refusal import Refusal
from services.registrations.mails import HAS_LINK_WAITING, RegistrationMails
from services.registrations.registration import COMPLETE, Access, Registration
from services.registrations.rows import IS_SAME_BROWSER, Rows, binds, why_not
from services.store.tables.registrations import registrations


class Completion:
    """Opens accounts. The password's hash is made between two transactions, never inside one."""

    def __init__(
        self, base: Base, rows: Rows, *, registration_mails: RegistrationMails, hasher: Hasher, activations: Activations
    ) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._rows = rows
        self._registration_mails = registration_mails
        self._hasher = hasher
        self._activations = activations
        self._completing = _completing((*rows.conditions(COMPLETE), IS_SAME_BROWSER))

    def complete(self, access: Access, password: str) -> Registration:
        """Open the account, exactly once (M25, M27).

        Raises Refusal ``password.…`` or ``email.taken``, DeadEnd or OutOfTurn.
        The hash is made between the transactions; the database's unique keys decide between two at once.
        """
        seen = self._find(access)
        now = self._clock.now()
        if seen is not None and seen.is_complete:
            return seen
        if seen is None or not self._rows.is_in_turn(seen, COMPLETE, now):
            raise why_not(seen, now)
        if len(password) > self._profile.password.max_length:
            raise Refusal("password", "too_long", length=self._profile.password.max_length)
        for rule in self.judge(seen, password):
            if not rule.is_met:
                raise Refusal("password", rule.reason, length=self._profile.password.min_length)
        hashed = self._hasher.hash(password)
        reach("registrations.hashed")
        try:
            return self._open_account(access, seen, hashed)
        except IntegrityError:
            return self._after_conflict(access, seen)

    def judge(self, registration: Registration, password: str) -> list[Rule]:
        """Return every rule for the password with its verdict on `password`."""
        return judge(
            password,
            self._profile.password,
            email=registration.email or "",
            name=registration.holder_name,
            identifiers=[registration.identifier],
        )

    def _find(self, access: Access) -> Registration | None:
        with self._store.read() as connection:
            return self._rows.see(connection, access)

    def _open_account(self, access: Access, seen: Registration, hashed: str) -> Registration:
        now = self._clock.now()
        with self._store.write() as connection:
            new = {"account_id": randomness.opaque_id(), "hashed": hashed, "spoken": seen.language}
            opened = connection.execute(self._completing, {**binds(access, now), **new}).first()
            if opened is not None:
                # Another window may have given another address while the hash was made.
                seen = replace(seen, email=opened.email, mobile=opened.mobile, is_complete=True)
                self._mail(connection, seen, opened, now)
        if opened is not None:
            reach("registrations.opened")
            return seen
        found = self._find(access)
        if found is not None and found.is_complete:
            return found
        raise why_not(found, now)

    def _mail(self, connection: Connection, seen: Registration, opened: Row[Any], now: datetime) -> None:
        """Mail that the account is open, or its activation code; links that wait to leave are dead."""
        if opened.has_link_waiting:
            self._registration_mails.withdraw_links(connection, seen.kutid)
        reach("registrations.opening")
        if self._activations.is_wanted:
            self._activations.begin(connection, opened.id, opened.email, seen.language, now)
        else:
            self._registration_mails.mail_success(connection, seen, now)

    def _after_conflict(self, access: Access, tried: Registration) -> Registration:
        """Another request opened this account, or one for the same customer, or one with the same address."""
        now = self._clock.now()
        seen = self._find(access)
        if seen is not None and seen.is_complete:
            return seen
        if seen is None or seen.has_account:
            raise why_not(seen, now)
        with self._store.write() as connection:
            connection.execute(
                update(registrations)
                .where(registrations.c.id == tried.id, registrations.c.email_key == tried.email_key)
                .values({**self._rows.dropped(), **self._rows.dropped_answers(), "email": None, "email_key": None})
            )
        raise Refusal("email", "taken")


def _completing(conditions: Sequence[ColumnElement[bool]]) -> Insert:
    """Return the statement that opens an account from the registration, if it meets the conditions.

    It also returns whether a link that dies with this still waits in the outbox. It locks the registration: staff end
    it before this or not at all.
    """
    facts = {
        "kutid": registrations.c.kutid,
        "registration_id": registrations.c.id,
        "email": registrations.c.email,
        "email_key": registrations.c.email_key,
        "mobile": registrations.c.mobile,
        "terms_version": registrations.c.terms_version,
        "terms_hash": registrations.c.terms_hash,
        "terms_accepted_at": registrations.c.terms_accepted_at,
        "answers": registrations.c.answers,
    }
    return opening(facts, *conditions, holding=registrations, returning=HAS_LINK_WAITING)
