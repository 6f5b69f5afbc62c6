"""The email address of a registration, and the link that proves it."""

from datetime import datetime
from math import ceil

from sqlalchemy import Connection, bindparam, or_, select

from services.accounts.conditions import is_taken
from services.base import Base
from services.limits.allowances import Allowances
from services.refusal import Refusal
from services.registrations.mails import RegistrationMails
from services.registrations.registration import Access, Registration
from services.registrations.rows import Rows, why_not
from services.store.tables.registrations import registrations
from services.values.email_addresses import EmailAddress

# What the steps add to the conditions of `Rows.advance`.
_KEY = bindparam("new_key", type_=registrations.c.email_key.type)
_AGAIN_BEFORE = bindparam("again_before", type_=registrations.c.mailed_at.type)
_IS_TAKEN = is_taken(_KEY)
_IS_FREE = ~_IS_TAKEN
_IS_NEW = or_(
    registrations.c.email_key.is_(None), registrations.c.email_key != _KEY, registrations.c.mailed_at <= _AGAIN_BEFORE
)
_HAS_ADDRESS = registrations.c.email.is_not(None)
_MAY_MAIL_AGAIN = registrations.c.mailed_at <= _AGAIN_BEFORE


class EmailSteps:
    """Takes and mails to an email address. Each public method is one transaction, with the mail it causes."""

    def __init__(
        self, base: Base, rows: Rows, *, registration_mails: RegistrationMails, allowances: Allowances
    ) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._rows = rows
        self._registration_mails = registration_mails
        self._allowances = allowances

    def choose_email(self, access: Access, address: EmailAddress) -> Registration:
        """Take the address and mail a new link to it (M14–M17). The hour starts again; later facts are dropped.

        A journey that does not wait for a link only takes the address. The same address again within a minute changes
        nothing: a browser may repeat a request by itself.
        Raises Refusal ``email.taken``, ``email.too_many``, DeadEnd or OutOfTurn.
        """
        now, is_link_mailed = self._clock.now(), self._rows.is_link_mailed
        with self._store.write() as connection:
            changed = self._rows.advance(
                connection, access, "email", now,
                _IS_FREE, _IS_NEW,
                new_key=address.key,
                again_before=now - self._profile.registration.mail_again,
                new_link=is_link_mailed,
                email=address.typed,
                email_key=address.key,
            )  # fmt: skip
            if changed is None:
                return self._same_again(connection, access, address, now)
            # After the last "taken" every address is refused: a different answer would be one more.
            taken = self._allowances.key("taken", changed.kutid)
            if is_link_mailed:
                return self._registration_mails.mail_link(connection, changed, now, unless=taken)
            limit = self._profile.registration.mails_an_hour
            if until := self._allowances.blocked_until(connection, taken, limit=limit, now=now):
                raise Refusal("email", "too_many", at=until)
            return changed

    def _same_again(self, connection: Connection, access: Access, address: EmailAddress, now: datetime) -> Registration:
        """Return the registration if it has this address already; else raise the reason for the refusal."""
        seen = self._rows.see(connection, access)
        if seen is None or not self._rows.is_in_turn(seen, "email", now):
            raise why_not(seen, now)
        self._refuse_taken(connection, seen, address, now)
        if seen.email_key != address.key:
            raise why_not(seen, now)
        return seen

    def resend_email(self, access: Access) -> Registration:
        """Mail a new link to the address given; the older one dies, a new hour begins (decision on M19).

        Raises Refusal ``email.resend_too_early`` or ``email.too_many``, DeadEnd or OutOfTurn.
        """
        now = self._clock.now()
        again = self._profile.registration.mail_again
        with self._store.write() as connection:
            changed = self._rows.advance(
                connection, access, "email", now,
                _HAS_ADDRESS, _MAY_MAIL_AGAIN,
                again_before=now - again,
                new_link=True,
            )  # fmt: skip
            if changed is not None:
                return self._registration_mails.mail_link(connection, changed, now)
            seen = self._rows.see(connection, access)
        if seen is not None and seen.mailed_at is not None and self._rows.is_in_turn(seen, "email", now):
            raise Refusal("email", "resend_too_early", seconds=_seconds(seen.mailed_at + again, now))
        raise why_not(seen, now)

    def _refuse_taken(self, connection: Connection, seen: Registration, address: EmailAddress, now: datetime) -> None:
        # Says that somebody has an account, so it is said a few times only (decision on M15).
        if not connection.execute(select(_IS_TAKEN), {"new_key": address.key}).scalar():
            return
        rules = self._profile.registration
        blocked_until = self._allowances.take(
            connection,
            self._allowances.key("taken", seen.kutid),
            limit=rules.mails_an_hour,
            quiet=rules.lifetime,
            now=now,
        )
        if blocked_until:
            raise Refusal("email", "too_many", at=blocked_until)
        raise Refusal("email", "taken").counted()


def _seconds(until: datetime, now: datetime) -> int:
    return max(1, ceil((until - now).total_seconds()))
