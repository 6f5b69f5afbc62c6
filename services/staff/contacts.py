"""Registering together with a customer: recording contact data, and the read-back of the code (M28, M29).

Staff see neither code nor link: what they begin, the customer ends on the same pages as everybody.
"""

import unicodedata
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, select, update

from services import audit
from services.accounts.addresses import TakenAddresses
from services.accounts.conditions import is_registered
from services.base import Base
from services.codes.group import CodeServices
from services.codes.one_time_codes import CodeState
from services.codes.sending import READ_BACK, CodeOrder
from services.limits.allowances import Allowances
from services.messages.outbox import Outbox
from services.refusal import OutOfTurn, Refusal
from services.register.conditions import has_live_policy, live_policy_numbers
from services.register.contact_changes import learn
from services.registrations.assisted import AssistedRegistrations
from services.staff.cases import Case, Cases
from services.staff.denials import Denials
from services.staff.member import Actor
from services.store.tables.staff import staff_cases
from services.values import identifiers
from services.values.email_addresses import EmailAddress

_FORMULA_SIGNS = frozenset("=+-@")
"""With these a cell begins that a spreadsheet works out instead of showing it."""


class CustomerContacts:
    """Takes an identified customer's address and mobile. Each public method is one transaction with its audit row.

    All of them raise OutOfTurn when the case is not the actor's, or the customer was not identified. `record` with
    `identified_by`, one of `cases.METHODS`, records the identification itself, and only with what it was for.
    """

    def __init__(
        self,
        base: Base,
        *,
        cases: Cases,
        denials: Denials,
        registrations: AssistedRegistrations,
        codes: CodeServices,
        allowances: Allowances,
        outbox: Outbox,
    ) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._cases = cases
        self._denials = denials
        self._registrations = registrations
        self._codes = codes.one_time_codes
        self._code_sender = codes.sender
        self._addresses = TakenAddresses(base.profile.registration, allowances)
        self._outbox = outbox

    @property
    def can_register(self) -> bool:
        """Whether the profile's journey is one that staff can begin."""
        return self._registrations.is_possible

    def record(
        self,
        by: Actor,
        case_id: str,
        address: EmailAddress,
        mobile: str,
        language: str,
        *,
        identified_by: str | None = None,
    ) -> None:
        """Take the address and the mobile, and send a code to it from the customer's one budget (M29).

        The same number again from this case within the wait sends nothing. What was read back in this case may be
        recorded anew once its registration is over: the address may have been mistyped. Raises Refusal ``email.taken``,
        ``email.first_sign``, ``email.too_many`` or, except for supervisors, ``email.unanswered``; or as `resend_code`.
        """
        now = self._clock.now()
        with self._denials.noting(by, case_id, "record", is_step=True), self._store.write() as connection:
            case = self._cases.hold(connection, by, case_id, needs_identification=identified_by is None)
            if self._is_under_way(connection, case, now) or not self._may_register(connection, case.kutid):
                raise OutOfTurn
            # The insurer's system gets addresses as they are, and somebody may open the export in a spreadsheet.
            if unicodedata.normalize("NFKC", address.typed)[0] in _FORMULA_SIGNS:
                raise Refusal("email", "first_sign")
            asker = None if by.is_supervisor else by.actor
            self._addresses.refuse_taken(connection, address, kutid=case.kutid, by=asker, now=now)
            if identified_by is not None:
                self._cases.record_identification(connection, by, case, identified_by, now)
            given = replace(case, email=address.typed, email_key=address.key, mobile=mobile, language=language)
            self._record(connection, by, given, now)

    def resend_code(self, by: Actor, case_id: str) -> None:
        """Send a new code to the mobile that was recorded; the older one dies.

        Raises Refusal ``sms.paused``, ``sms_resend.too_early``, ``sms_resend.used_up``, ``mobile.too_many`` or
        ``sms.share_used``, or DeadEnd ``codes_used_up``.
        """
        now = self._clock.now()
        with self._denials.noting(by, case_id, "resend_code", is_step=True), self._store.write() as connection:
            case = self._cases.hold(connection, by, case_id)
            if case.confirmed_at is not None or case.mobile is None:
                raise OutOfTurn
            last = self._codes.sent_for(connection, case.kutid, case.id)
            self._code_sender.send_again(connection, self._order(by, case, now), last, now)
            audit.record(connection, "code_sent", kutid=case.kutid, at=now, actor=by.actor)

    def change_record(self, by: Actor, case_id: str) -> None:
        """Go back to what was recorded, as long as no code was read back: the customer misspoke."""
        now = self._clock.now()
        with self._denials.noting(by, case_id, "change_record"), self._store.write() as connection:
            case = self._cases.hold(connection, by, case_id)
            recorded = (
                staff_cases.c.id == case.id,
                staff_cases.c.mobile.is_not(None),
                staff_cases.c.confirmed_at.is_(None),
            )
            taken_back = update(staff_cases).where(*recorded).values(mobile=None).returning(staff_cases.c.id)
            if connection.execute(taken_back).first():
                audit.record(connection, "record_changed", kutid=case.kutid, at=now, actor=by.actor)

    def check_code(self, by: Actor, case_id: str, code: str) -> None:
        """Check the code that the customer reads back; if it is right, the contact data count and the mail leaves.

        Raises Refusal ``sms_code.…``, ``email.taken`` or ``email.too_many``, or DeadEnd ``codes_used_up`` or
        ``already_registered``.
        """
        now = self._clock.now()
        with self._denials.noting(by, case_id, "check_code", is_step=True), self._store.write() as connection:
            case = self._cases.hold(connection, by, case_id)
            if case.confirmed_at is not None or case.mobile is None:
                raise OutOfTurn
            self._codes.check(connection, code, kutid=case.kutid, registration_id=case.id, now=now)
            self._begin(connection, by, case, now)

    def code_of(self, case: Case) -> CodeState | None:
        """Return what may be known of the code that was sent for this case; never the code."""
        with self._store.read() as connection:
            return self._codes.sent_for(connection, case.kutid, case.id)

    def _may_register(self, connection: Connection, kutid: str) -> bool:
        may = select(has_live_policy(kutid) & ~is_registered(kutid))
        return self.can_register and bool(connection.execute(may).scalar())

    def _is_under_way(self, connection: Connection, case: Case, now: datetime) -> bool:
        """Tell whether the customer can still go on with the registration that was begun in this case."""
        begun = self._registrations.of_customer(connection, case.kutid)
        return any(one.id == case.registration_id and one.is_open(now) for one in begun)

    def _record(self, connection: Connection, by: Actor, case: Case, now: datetime) -> None:
        given = {name: getattr(case, name) for name in ("email", "email_key", "mobile", "language")}
        anew = {"confirmed_at": None, "registration_id": None}
        connection.execute(update(staff_cases).where(staff_cases.c.id == case.id).values({**given, **anew}))
        code = self._codes.sent_for(connection, case.kutid, case.id)
        is_sent = code is not None and code.mobile == case.mobile and code.is_usable(now) and code.again_at > now
        if not is_sent:
            self._code_sender.send(connection, self._order(by, case, now), now)
            audit.record(connection, "code_sent", kutid=case.kutid, at=now, actor=by.actor)

    def _begin(self, connection: Connection, by: Actor, case: Case, now: datetime) -> None:
        """Do what the right code stands for, in the transaction that counted it."""
        actor = by.actor
        number = connection.execute(live_policy_numbers(case.kutid)).scalar()
        if number is None or case.email is None or case.email_key is None or case.mobile is None:
            raise OutOfTurn
        registration = self._registrations.begin(
            connection,
            kutid=case.kutid,
            identifier=number,
            address=EmailAddress(case.email, case.email_key),
            language=case.language or self._profile.languages[0],
            by=actor,
            now=now,
        )
        self._codes.spend(connection, case.kutid, now)
        connection.execute(
            update(staff_cases)
            .where(staff_cases.c.id == case.id)
            .values(confirmed_at=now, registration_id=registration.id)
        )
        for kind, value in (("email", case.email), ("mobile", case.mobile)):
            for known in learn(connection, case.kutid, kind, value, actor=actor, now=now):
                self._tell(connection, case, kind, known, now)
        audit.record(connection, "registered_with", kutid=case.kutid, at=now, actor=actor)

    def _tell(self, connection: Connection, case: Case, kind: str, known: str, now: datetime) -> None:
        """Tell an address or a mobile on record that another counts from now on (ASVS 6.3.7)."""
        if kind == "mobile" and not identifiers.is_mobile(known, self._profile.country):
            return
        self._outbox.put(
            connection,
            kind="sms" if kind == "mobile" else "email",
            recipient=known,
            message="other_contact",
            language=self._profile.languages[0],  # not the asker's choice: they may be who it warns of
            topic=f"other_contact:{kind}:{case.id}",
            expires_at=now + self._profile.registration.longest,
            facts={},
        )

    def _order(self, by: Actor, case: Case, now: datetime) -> CodeOrder:
        return CodeOrder(
            case.kutid,
            case.id,
            case.mobile or "",
            language=case.language or self._profile.languages[0],
            ends_at=now + self._profile.registration.lifetime,
            message=READ_BACK,
            by=by.actor,
        )
