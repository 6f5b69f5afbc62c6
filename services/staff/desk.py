"""What a member of staff does together with a customer: recording contact data, the read-back of the code, and help
with what got stuck (M28–M30).

Staff see neither code nor link nor password: what they start, the customer ends on the same pages as everybody.
"""

import re
from datetime import datetime, timedelta

from sqlalchemy import Connection, exists, insert, select, true, update

from services import audit
from services.accounts import PasswordChanges
from services.allowances import Allowances
from services.clock import Clock
from services.email_addresses import EmailAddress
from services.messages.outbox import Outbox
from services.one_time_codes import CodeState, OneTimeCodes
from services.profiles import Profile
from services.refusal import DeadEnd, OutOfTurn, Refusal
from services.registrations.assisted import AssistedRegistrations
from services.staff.cases import Case, Cases
from services.staff.member import StaffSession
from services.store import tables
from services.store.engine import Store
from services.store.statements import queue_for

_k, _a, _p = tables.staff_cases.c, tables.accounts.c, tables.policies.c
_n = tables.contact_changes.c
_BUDGETS_A_DAY = 2
"""So many new allowances of codes a customer may get in a day: each is nine guesses more."""
_LONGEST_REASON = 200
_PERSONAL = re.compile(r"@|\d(?:[ ./-]?\d){4}")
"""An address, or five digits in a row: a number of some kind."""


class Desk:
    """The verbs of helping a customer who was identified. Each public method is one transaction with its audit row.

    All of them raise OutOfTurn when the case is not the session's, or the customer was not identified.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        profile: Profile,
        *,
        cases: Cases,
        registrations: AssistedRegistrations,
        password_changes: PasswordChanges,
        codes: OneTimeCodes,
        allowances: Allowances,
        outbox: Outbox,
    ) -> None:
        self._store = store
        self._clock = clock
        self._profile = profile
        self._cases = cases
        self._registrations = registrations
        self._password_changes = password_changes
        self._codes = codes
        self._allowances = allowances
        self._outbox = outbox

    @property
    def can_register(self) -> bool:
        """Whether the profile's journey is one that staff can begin."""
        return self._registrations.is_possible

    # --- Registering with the customer ---------------------------------------------------------------------------

    def record(self, session: StaffSession, case_id: str, address: EmailAddress, mobile: str, language: str) -> None:
        """Take the address and the mobile, and send a code to it from the customer's one budget (M29).

        The same number again within the wait sends nothing. Raises Refusal ``email.taken`` or
        ``sms_resend.too_early``, or DeadEnd ``codes_used_up``.
        """
        now = self._clock.now()
        with self._store.write() as connection:
            case = self._cases.hold(connection, session, case_id)
            if case.confirmed_at is not None or not self._may_register(connection, case.kutid):
                raise OutOfTurn
            if connection.execute(select(exists().where(_a.email_key == address.key))).scalar():
                raise Refusal("email", "taken")
            connection.execute(
                update(tables.staff_cases)
                .where(_k.id == case.id)
                .values(email=address.typed, email_key=address.key, mobile=mobile, language=language)
            )
            code = self._code(connection, case)
            is_sent = code is not None and code.mobile == mobile and code.is_usable(now) and code.again_at > now
            if not is_sent:
                self._send_code(connection, case, mobile, language, now)
                audit.record(connection, "code_sent", kutid=case.kutid, at=now, actor=session.member.id)

    def resend_code(self, session: StaffSession, case_id: str) -> None:
        """Send a new code to the mobile that was recorded; the older one dies.

        Raises Refusal ``sms_resend.too_early`` or ``sms_resend.used_up``, or DeadEnd ``codes_used_up``.
        """
        now = self._clock.now()
        with self._store.write() as connection:
            case = self._cases.hold(connection, session, case_id)
            if case.confirmed_at is not None or case.mobile is None or case.language is None:
                raise OutOfTurn
            code = self._code(connection, case)
            if code and code.is_usable(now) and code.codes_left <= 0 and not code.is_undelivered:
                raise Refusal("sms_resend", "used_up", at=code.expires_at)
            if code and self._outbox.replace(connection, _topic(case)):
                self._codes.give_back(connection, case.kutid)
            self._send_code(connection, case, case.mobile, case.language, now)
            audit.record(connection, "code_sent", kutid=case.kutid, at=now, actor=session.member.id)

    def change_record(self, session: StaffSession, case_id: str) -> None:
        """Go back to what was recorded, as long as no code was read back: the customer misspoke."""
        with self._store.write() as connection:
            case = self._cases.hold(connection, session, case_id)
            connection.execute(
                update(tables.staff_cases).where(_k.id == case.id, _k.confirmed_at.is_(None)).values(mobile=None)
            )

    def check_code(self, session: StaffSession, case_id: str, code: str) -> None:
        """Check the code that the customer reads back; if it is right, the contact data count and the mail leaves.

        Raises Refusal ``sms_code.…``, ``email.taken`` or ``email.too_many``, or DeadEnd ``codes_used_up`` or
        ``already_registered``.
        """
        now = self._clock.now()
        refusal: Exception | None = None
        with self._store.write() as connection:
            case = self._cases.hold(connection, session, case_id)
            if case.confirmed_at is not None or case.mobile is None:
                raise OutOfTurn
            try:
                is_right = self._codes.redeem(connection, code, registration_id=case.id, now=now, only_if=true())
                refusal = None if is_right else self._wrong(connection, case, now)
            except (Refusal, DeadEnd) as nothing_to_try:
                refusal = nothing_to_try
            if refusal is None:
                self._begin(connection, session, case, now)
            elif isinstance(refusal, Refusal):
                what = f"{refusal.field}.{refusal.reason}"
                audit.record(connection, "refused", kutid=case.kutid, at=now, actor=session.member.id, what=what)
        # Only now, with the count of the try committed, is the answer given.
        if refusal is not None:
            raise refusal

    def code_of(self, case: Case) -> CodeState | None:
        """Return what may be known of the code that was sent for this case; never the code."""
        with self._store.read() as connection:
            return self._code(connection, case)

    # --- What got stuck ------------------------------------------------------------------------------------------

    def mail_again(self, session: StaffSession, case_id: str) -> datetime:
        """Mail a new link for the customer's open registration; return until when it is good.

        Raises Refusal ``email.resend_too_early`` or ``email.too_many``, DeadEnd or OutOfTurn.
        """
        now = self._clock.now()
        with self._store.write() as connection:
            case, registration_id = self._open_registration(connection, session, case_id, now)
            changed = self._registrations.mail_again(connection, registration_id, now)
            audit.record(connection, "mailed_again", kutid=case.kutid, at=now, actor=session.member.id)
        return changed.expires_at

    def end(self, session: StaffSession, case_id: str, reason: str) -> None:
        """End the customer's open registration. Raises Refusal ``reason.…`` or OutOfTurn."""
        self._refuse_reason(reason)
        now = self._clock.now()
        with self._store.write() as connection:
            case, registration_id = self._open_registration(connection, session, case_id, now)
            if not self._registrations.end(connection, registration_id, now):
                raise OutOfTurn
            audit.record(connection, "ended", kutid=case.kutid, at=now, actor=session.member.id, reason=reason)

    def give_new_budget(self, session: StaffSession, case_id: str, reason: str) -> None:
        """Let the customer's allowance of codes begin anew; supervisors alone, twice a day for one customer.

        Raises Refusal ``reason.…``: ``not_supervisor``, ``too_often`` with `at`, ``empty`` and others; or OutOfTurn
        when there is nothing to renew.
        """
        if not session.member.is_supervisor:
            raise Refusal("reason", "not_supervisor")
        self._refuse_reason(reason)
        now = self._clock.now()
        with self._store.write() as connection:
            case = self._cases.hold(connection, session, case_id)
            if not self._codes.renew_budget(connection, case.kutid, now):
                raise OutOfTurn
            blocked = self._allowances.take_within(
                connection, "new budget", case.kutid, limit=_BUDGETS_A_DAY, window=timedelta(days=1), now=now
            )
            if blocked:
                raise Refusal("reason", "too_often", at=blocked)
            audit.record(connection, "budget_renewed", kutid=case.kutid, at=now, actor=session.member.id, reason=reason)

    # --- The forgotten password ------------------------------------------------------------------------------------

    def ask_for_reset(self, session: StaffSession, case_id: str) -> None:
        """Mail the customer the link for a new password (M30): they alone choose it (ASVS 6.4.6).

        Raises Refusal ``email.too_many``, or OutOfTurn when there is no account.
        """
        now = self._clock.now()
        with self._store.write() as connection:
            case = self._cases.hold(connection, session, case_id)
            self._password_changes.send_reset(connection, case.kutid, now)
            audit.record(connection, "reset_asked", kutid=case.kutid, at=now, actor=session.member.id)

    # --- Inside ----------------------------------------------------------------------------------------------------

    def _may_register(self, connection: Connection, kutid: str) -> bool:
        live = exists().where(_p.kutid == kutid, _p.status == "live")
        may = select(live & ~exists().where(_a.kutid == kutid))
        return self.can_register and bool(connection.execute(may).scalar())

    def _begin(self, connection: Connection, session: StaffSession, case: Case, now: datetime) -> None:
        """Do what the right code stands for, in the transaction that counted it."""
        actor = session.member.id
        number = connection.execute(
            select(_p.policy_number).where(_p.kutid == case.kutid, _p.status == "live").order_by(_p.policy_number)
        ).scalar()
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
            update(tables.staff_cases).where(_k.id == case.id).values(confirmed_at=now, registration_id=registration.id)
        )
        self._note_change(connection, case.kutid, "email", case.email, actor=actor, now=now)
        self._note_change(connection, case.kutid, "mobile", case.mobile, actor=actor, now=now)
        audit.record(connection, "registered_with", kutid=case.kutid, at=now, actor=actor)

    def _note_change(
        self, connection: Connection, kutid: str, kind: str, after: str, *, actor: str, now: datetime
    ) -> None:
        """Keep, as an event for the insurer's system, what differs from what was known before."""
        # One after the other, so that whoever reads on from a number misses none that is written later.
        queue_for(connection, "contact_changes")
        learnt = (
            select(_n.after).where(_n.kutid == kutid, _n.kind == kind, _n.settled_at.is_(None)).order_by(_n.id.desc())
        )
        known = list(connection.execute(learnt).scalars())
        if kind == "mobile":
            held = tables.phones.c
            known += connection.execute(
                select(held.number).where(held.kutid == kutid).distinct().order_by(held.number)
            ).scalars()
        elif known:
            known = known[:1]  # one address at a time
        if after in known:
            return
        connection.execute(
            insert(tables.contact_changes).values(
                kutid=kutid, kind=kind, before=", ".join(known)[:1000], after=after, actor=actor, at=now
            )
        )
        audit.record(connection, f"{kind}_recorded", kutid=kutid, at=now, actor=actor)

    def _open_registration(
        self, connection: Connection, session: StaffSession, case_id: str, now: datetime
    ) -> tuple[Case, str]:
        case = self._cases.hold(connection, session, case_id)
        has_account = connection.execute(select(exists().where(_a.kutid == case.kutid))).scalar()
        newest = next(iter(self._registrations.of_customer(connection, case.kutid)), None)
        if has_account or newest is None or not newest.is_open(now):
            raise OutOfTurn
        return case, newest.id

    def _send_code(self, connection: Connection, case: Case, mobile: str, language: str, now: datetime) -> None:
        issued = self._codes.issue(
            connection,
            kutid=case.kutid,
            registration_id=case.id,
            mobile=mobile,
            now=now,
            ends_at=now + self._profile.registration.lifetime,
        )
        self._outbox.replace(connection, _topic(case))
        self._outbox.put(
            connection,
            kind="sms",
            recipient=mobile,
            message="code",
            language=language,
            topic=_topic(case),
            expires_at=issued.state.expires_at,
            facts={"code": issued.code},
        )

    def _code(self, connection: Connection, case: Case) -> CodeState | None:
        codes = tables.one_time_codes
        own = select(codes).where(codes.c.kutid == case.kutid, codes.c.registration_id == case.id)
        row = connection.execute(own).first()
        return self._codes.state(row._mapping) if row else None

    def _wrong(self, connection: Connection, case: Case, now: datetime) -> Exception:
        state = self._code(connection, case)
        if state is None:
            return OutOfTurn()
        if state.is_dead_end(now):
            return DeadEnd("codes_used_up", kutid=case.kutid, again_at=state.budget_ends_at)
        return Refusal("sms_code", "wrong", tries=state.tries_left)

    @staticmethod
    def _refuse_reason(reason: str) -> None:
        if not reason.strip():
            raise Refusal("reason", "empty")
        if len(reason) > _LONGEST_REASON:
            raise Refusal("reason", "too_long", length=_LONGEST_REASON)
        if _PERSONAL.search(reason):
            raise Refusal("reason", "personal")


def _topic(case: Case) -> str:
    return f"code:{case.kutid}"
