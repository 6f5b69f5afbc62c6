"""Registering together with a customer: recording contact data, and the read-back of the code (M28, M29).

Staff see neither code nor link. They begin a registration; the customer finishes it on the usual pages.
"""

import unicodedata
from dataclasses import replace
from typing import Any

from sqlalchemy import select, update

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
from services.staff.cases import Case
from services.staff.deeds import Deed, Deeds
from services.staff.member import Actor
from services.store.tables.staff import staff_cases
from services.values import identifiers
from services.values.email_addresses import EmailAddress

_FORMULA_SIGNS = frozenset("=+-@")
"""A spreadsheet runs a cell that begins with one of these as a formula."""


class CustomerContacts:
    """Takes an identified customer's address and mobile. Each public method is one deed: see `Deeds`.

    `record` with `identified_by`, one of `cases.METHODS`, also records the identification, in the same transaction.
    """

    def __init__(
        self,
        base: Base,
        *,
        deeds: Deeds,
        registrations: AssistedRegistrations,
        codes: CodeServices,
        allowances: Allowances,
        outbox: Outbox,
    ) -> None:
        self._store = base.store
        self._profile = base.profile
        self._deeds = deeds
        self._registrations = registrations
        self._codes = codes.one_time_codes
        self._code_sender = codes.sender
        self._addresses = TakenAddresses(base.profile.registration, allowances)
        self._outbox = outbox

    @property
    def can_register(self) -> bool:
        """Whether staff can begin the profile's journey."""
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

        The same number again from this case within the wait sends nothing. Once the registration is over, data that
        were read back in this case can be recorded again: the address may have been mistyped. Raises Refusal
        ``email.taken``, ``email.first_sign``, ``email.too_many`` or, except for supervisors, ``email.unanswered``;
        or as `resend_code`.
        """
        with self._deeds.doing(by, case_id, "record", identified_by=identified_by, is_step=True) as deed:
            if not self._may_register(deed):
                raise OutOfTurn
            # The insurer's system gets addresses as they are, and somebody may open the export in a spreadsheet.
            if unicodedata.normalize("NFKC", address.typed)[0] in _FORMULA_SIGNS:
                raise Refusal("email", "first_sign")
            asker = None if by.is_supervisor else by.actor
            self._addresses.refuse_taken(deed.connection, address, kutid=deed.case.kutid, by=asker, now=deed.now)
            deed.identify()
            self._take(
                deed,
                replace(deed.case, email=address.typed, email_key=address.key, mobile=mobile, language=language),
            )

    def resend_code(self, by: Actor, case_id: str) -> None:
        """Send a new code to the mobile that was recorded; the older one dies.

        Raises Refusal ``sms.paused``, ``sms_resend.too_early``, ``sms_resend.used_up``, ``mobile.too_many`` or
        ``sms.share_used``, or DeadEnd ``codes_used_up``.
        """
        with self._deeds.doing(by, case_id, "resend_code", is_step=True) as deed:
            _refuse_without_code(deed.case)
            last = self._codes.sent_for(deed.connection, deed.case.kutid, deed.case.id)
            self._code_sender.send_again(deed.connection, self._order(deed, deed.case), last, deed.now)
            deed.record("code_sent")

    def change_record(self, by: Actor, case_id: str) -> None:
        """Go back to what was recorded, as long as no code was read back: the customer misspoke."""
        with self._deeds.doing(by, case_id, "change_record") as deed:
            if deed.case.mobile is not None and deed.case.confirmed_at is None:
                _write(deed, mobile=None)
                deed.record("record_changed")

    def check_code(self, by: Actor, case_id: str, code: str) -> None:
        """Check the code that the customer reads back; if it is right, the contact data count and the mail leaves.

        Raises Refusal ``sms_code.…``, ``email.taken`` or ``email.too_many``, or DeadEnd ``codes_used_up`` or
        ``already_registered``.
        """
        with self._deeds.doing(by, case_id, "check_code", is_step=True) as deed:
            case = deed.case
            _refuse_without_code(case)
            self._codes.check(deed.connection, code, kutid=case.kutid, registration_id=case.id, now=deed.now)
            self._begin(deed)
            deed.record("registered_with")

    def code_of(self, case: Case) -> CodeState | None:
        """Return what may be known of the code that was sent for this case; never the code."""
        with self._store.read() as connection:
            return self._codes.sent_for(connection, case.kutid, case.id)

    def _may_register(self, deed: Deed) -> bool:
        """Tell whether a registration can begin, and the earlier one of this case is over."""
        kutid = deed.case.kutid
        begun = self._registrations.of_customer(deed.connection, kutid)
        if any(one.id == deed.case.registration_id and one.is_open(deed.now) for one in begun):
            return False
        may = select(has_live_policy(kutid) & ~is_registered(kutid))
        return self.can_register and bool(deed.connection.execute(may).scalar())

    def _take(self, deed: Deed, case: Case) -> None:
        """Store the contact data, and send a code unless a good one to this number already waits in this case."""
        _write(
            deed, email=case.email, email_key=case.email_key, mobile=case.mobile, language=case.language,
            confirmed_at=None, registration_id=None,
        )  # fmt: skip
        code, now = self._codes.sent_for(deed.connection, case.kutid, case.id), deed.now
        is_sent = code is not None and code.mobile == case.mobile and code.is_usable(now) and code.again_at > now
        if not is_sent:
            self._code_sender.send(deed.connection, self._order(deed, case), now)
            deed.record("code_sent")

    def _begin(self, deed: Deed) -> None:
        """Do what follows from the right code, in the transaction that counted it."""
        connection, case, now = deed.connection, deed.case, deed.now
        number = connection.execute(live_policy_numbers(case.kutid)).scalar()
        if number is None or case.email is None or case.email_key is None or case.mobile is None:
            raise OutOfTurn
        registration = self._registrations.begin(
            connection,
            kutid=case.kutid,
            identifier=number,
            address=EmailAddress(case.email, case.email_key),
            language=case.language or self._profile.languages[0],
            by=deed.by.actor,
            now=now,
        )
        self._codes.spend(connection, case.kutid, now)
        _write(deed, confirmed_at=now, registration_id=registration.id)
        self._learn(deed, "email", case.email)
        self._learn(deed, "mobile", case.mobile)

    def _learn(self, deed: Deed, kind: str, value: str) -> None:
        """Use an address or a mobile from now on, and notify the one on record before (ASVS 6.3.7)."""
        for known in learn(deed.connection, deed.case.kutid, kind, value, actor=deed.by.actor, now=deed.now):
            if kind == "mobile" and not identifiers.is_mobile(known, self._profile.country):
                continue
            self._outbox.put(
                deed.connection,
                kind="sms" if kind == "mobile" else "email",
                recipient=known,
                message="other_contact",
                language=self._profile.languages[0],  # not the asker's choice: the mail may warn of the asker
                topic=f"other_contact:{kind}:{deed.case.id}",
                expires_at=deed.now + self._profile.registration.longest,
                facts={},
            )

    def _order(self, deed: Deed, case: Case) -> CodeOrder:
        return CodeOrder(
            case.kutid,
            case.id,
            case.mobile or "",
            language=case.language or self._profile.languages[0],
            ends_at=deed.now + self._profile.registration.lifetime,
            message=READ_BACK,
            by=deed.by.actor,
        )


def _refuse_without_code(case: Case) -> None:
    """Raise OutOfTurn unless a code waits to be read back in this case."""
    if case.confirmed_at is not None or case.mobile is None:
        raise OutOfTurn


def _write(deed: Deed, **columns: Any) -> None:
    deed.connection.execute(update(staff_cases).where(staff_cases.c.id == deed.case.id).values(columns))
