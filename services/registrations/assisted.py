"""What staff may do with customers' registrations, in the caller's transaction, which also records who and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, or_, select, update

from services.accounts.conditions import is_registered, is_taken
from services.base import Base
from services.codes.one_time_codes import OneTimeCodes
from services.figures.observations import REFUSED, Observations
from services.limits.allowances import Allowances
from services.messages.outbox import Outbox
from services.refusal import Refusal
from services.register.policyholders import PolicyHolder
from services.registrations.mails import RegistrationMails
from services.registrations.registration import EMAIL_CONFIRMED, Access, Registration
from services.registrations.rows import Rows, why_not
from services.store.tables.registrations import registrations
from services.values.email_addresses import EmailAddress

_KEY = bindparam("new_key", type_=registrations.c.email_key.type)
_IS_FREE = ~is_taken(_KEY)
_IS_LONG_AGO = or_(
    registrations.c.mailed_at.is_(None),
    registrations.c.mailed_at <= bindparam("again_before", type_=registrations.c.mailed_at.type),
)
_HAS_ADDRESS = registrations.c.email.is_not(None)


@dataclass(frozen=True)
class Progress:
    """How far a registration has come, as staff see it: moments, and what the customer gave."""

    id: str
    begun_by: str
    created_at: datetime
    expires_at: datetime
    email: str | None
    mailed_at: datetime | None
    email_confirmed_at: datetime | None
    mobile: str | None
    mobile_confirmed_at: datetime | None
    terms_version: str | None
    terms_accepted_at: datetime | None
    ended_at: datetime | None

    def is_open(self, now: datetime) -> bool:
        """Tell whether the customer can still go on with it."""
        return self.expires_at > now


class AssistedRegistrations:
    """Begins, mails again and ends registrations for staff, by the same statements as the customer's own steps."""

    def __init__(
        self,
        base: Base,
        facts: Sequence[str],
        *,
        allowances: Allowances,
        codes: OneTimeCodes,
        outbox: Outbox,
        observations: Observations,
    ) -> None:
        """`facts` are those of the profile's journey, in its order."""
        self._observations = observations
        self._rows = Rows(facts, base.profile.registration, codes)
        self._rules = base.profile.registration
        self._registration_mails = RegistrationMails(base.profile.registration, allowances, outbox)
        self._outbox = outbox
        # Staff replace the steps before the mailed link (M5): the journey needs one, right after identification.
        self.is_possible = tuple(facts[:3]) == ("identifier", "email", EMAIL_CONFIRMED)

    def begin(
        self,
        connection: Connection,
        *,
        kutid: str,
        identifier: str,
        address: EmailAddress,
        language: str,
        by: str,
        now: datetime,
    ) -> Registration:
        """Begin a registration and mail its link, from which the customer goes on (M28).

        Raises Refusal ``email.taken`` or ``email.too_many``, or DeadEnd ``already_registered``.
        """
        holder = PolicyHolder(kutid, has_mobile=True, has_account=False)
        begun = self._rows.begin(connection, holder, identifier, language, now, begun_by=by)
        changed = self._rows.advance(
            connection, Access(begun.id), "email", now,
            _IS_FREE, _IS_LONG_AGO,
            new_key=address.key,
            again_before=now,
            new_link=True,
            email=address.typed,
            email_key=address.key,
        )  # fmt: skip
        if changed is None:
            seen = self._rows.see(connection, Access(begun.id))
            raise why_not(seen, now) if seen is not None and seen.has_account else Refusal("email", "taken")
        mailed = self._registration_mails.mail_link(connection, changed, now)
        self._observations.count_assisted(by)
        return mailed

    def count_refused(self, by: str, refusal: Refusal) -> None:
        """Count for the figures what was refused while staff or a program began a registration."""
        step = {"email": "email", "mobile": "mobile"}.get(refusal.field, "sms-code")
        self._observations.count(step, REFUSED, begun_by=by, error=f"{refusal.field}.{refusal.reason}")

    def mail_again(self, connection: Connection, registration_id: str, now: datetime) -> Registration:
        """Mail a new link; the older one dies and a new hour begins.

        Raises Refusal ``email.resend_too_early`` or ``email.too_many``, DeadEnd or OutOfTurn.
        """
        # Where the mobile is proved before the mail, this was done; the browser that opens the link proves it again.
        access, again = Access(registration_id, is_staff=True), self._rules.mail_again
        changed = self._rows.advance(
            connection, access, "email", now, _HAS_ADDRESS, _IS_LONG_AGO, again_before=now - again, new_link=True
        )
        if changed is not None:
            return self._registration_mails.mail_link(connection, changed, now)
        seen = self._rows.see(connection, access)
        if seen is not None and seen.mailed_at is not None and self._rows.is_in_turn(seen, "email", now):
            seconds = max(1, -int(-(seen.mailed_at + again - now).total_seconds() // 1))
            raise Refusal("email", "resend_too_early", seconds=seconds)
        raise why_not(seen, now)

    def end(self, connection: Connection, registration_id: str, now: datetime) -> bool:
        """End a registration for good; tell whether it was open. A mail that has not left stays here."""
        has_account = is_registered(registrations.c.kutid)
        ended = connection.execute(
            update(registrations)
            .where(registrations.c.id == registration_id, registrations.c.expires_at > now, ~has_account)
            .values(ended_at=now, expires_at=now)
            .returning(registrations.c.id)
        ).first()
        if ended is not None:
            self._outbox.replace(connection, f"confirm:{registration_id}")
        return ended is not None

    def of_customer(self, connection: Connection, kutid: str) -> list[Progress]:
        """Return the customer's registrations that are still kept, newest first."""
        columns = [registrations.c[name] for name in Progress.__dataclass_fields__]
        rows = connection.execute(
            select(*columns)
            .where(registrations.c.kutid == kutid)
            .order_by(registrations.c.created_at.desc(), registrations.c.id)
        )
        return [Progress(*row) for row in rows]
