"""What a member of staff does together with a customer: recording contact data, the read-back of the code, and help
with what got stuck (M28–M30).

Staff see neither code nor link nor password: what they start, the customer ends on the same pages as everybody.
"""

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from services import audit
from services.accounts.addresses import TakenAddresses
from services.accounts.conditions import is_registered
from services.accounts.group import AccountServices
from services.base import Base
from services.codes.group import CodeServices
from services.codes.one_time_codes import CodeState
from services.codes.sending import READ_BACK, CodeOrder
from services.limits.allowances import Allowances
from services.messages.outbox import Outbox
from services.refusal import DeadEnd, OutOfTurn, Refusal
from services.register.conditions import has_live_policy, live_policy_numbers
from services.register.contact_changes import learn
from services.registrations.assisted import AssistedRegistrations
from services.staff.cases import Case, Cases
from services.staff.member import Actor
from services.staff.reasons import refuse_reason
from services.store.tables.staff import staff_cases
from services.values import identifiers
from services.values.email_addresses import EmailAddress

_FORMULA_SIGNS = frozenset("=+-@")
"""With these a cell begins that a spreadsheet works out instead of showing it."""
_BUDGETS_A_DAY = 2
"""So many new allowances of codes a customer may get in a day: each is nine guesses more."""


class Desk:
    """The verbs of helping a customer who was identified. Each public method is one transaction with its audit row.

    All of them raise OutOfTurn when the case is not the actor's, or the customer was not identified. Those that take
    `identified_by`, one of `cases.METHODS`, record the identification themselves, and only with what it was for.
    """

    def __init__(
        self,
        base: Base,
        *,
        cases: Cases,
        registrations: AssistedRegistrations,
        customer_accounts: AccountServices,
        codes: CodeServices,
        allowances: Allowances,
        outbox: Outbox,
    ) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._cases = cases
        self._registrations = registrations
        self._activations = customer_accounts.activations
        self._account_details = customer_accounts.details
        self._password_changes = customer_accounts.password_changes
        self._codes = codes.one_time_codes
        self._code_sender = codes.sender
        self._addresses = TakenAddresses(base.profile.registration, allowances)
        self._allowances = allowances
        self._outbox = outbox

    @property
    def can_register(self) -> bool:
        """Whether the profile's journey is one that staff can begin."""
        return self._registrations.is_possible

    # --- Registering with the customer ---------------------------------------------------------------------------

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
        with self._noting(by, case_id, "record", is_step=True), self._store.write() as connection:
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
        with self._noting(by, case_id, "resend_code", is_step=True), self._store.write() as connection:
            case = self._cases.hold(connection, by, case_id)
            if case.confirmed_at is not None or case.mobile is None:
                raise OutOfTurn
            last = self._codes.sent_for(connection, case.kutid, case.id)
            self._code_sender.send_again(connection, self._order(by, case, now), last, now)
            audit.record(connection, "code_sent", kutid=case.kutid, at=now, actor=by.actor)

    def change_record(self, by: Actor, case_id: str) -> None:
        """Go back to what was recorded, as long as no code was read back: the customer misspoke."""
        now = self._clock.now()
        with self._noting(by, case_id, "change_record"), self._store.write() as connection:
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
        with self._noting(by, case_id, "check_code", is_step=True), self._store.write() as connection:
            case = self._cases.hold(connection, by, case_id)
            if case.confirmed_at is not None or case.mobile is None:
                raise OutOfTurn
            self._codes.check(connection, code, kutid=case.kutid, registration_id=case.id, now=now)
            self._begin(connection, by, case, now)

    def code_of(self, case: Case) -> CodeState | None:
        """Return what may be known of the code that was sent for this case; never the code."""
        with self._store.read() as connection:
            return self._codes.sent_for(connection, case.kutid, case.id)

    # --- What got stuck ------------------------------------------------------------------------------------------

    def mail_again(self, by: Actor, case_id: str) -> datetime:
        """Mail a new link for the customer's open registration; return until when it is good.

        Raises Refusal ``email.resend_too_early`` or ``email.too_many``, DeadEnd or OutOfTurn.
        """
        now = self._clock.now()
        with self._noting(by, case_id, "mail_again"), self._store.write() as connection:
            case, registration_id = self._open_registration(connection, by, case_id, now)
            changed = self._registrations.mail_again(connection, registration_id, now)
            audit.record(connection, "mailed_again", kutid=case.kutid, at=now, actor=by.actor)
        return changed.expires_at

    def end(self, by: Actor, case_id: str, reason: str) -> None:
        """End the customer's open registration. Raises Refusal ``reason.…`` or OutOfTurn."""
        now = self._clock.now()
        with self._noting(by, case_id, "end"), self._store.write() as connection:
            refuse_reason(reason)
            case, registration_id = self._open_registration(connection, by, case_id, now)
            if not self._registrations.end(connection, registration_id, now):
                raise OutOfTurn
            audit.record(connection, "ended", kutid=case.kutid, at=now, actor=by.actor, reason=reason)

    def end_account(self, by: Actor, case_id: str, reason: str) -> None:
        """End an account that was not activated, so that the customer can register anew (A7): the address was wrong.

        Raises Refusal ``reason.…``, or OutOfTurn when there is none, or the customer has activated it meanwhile.
        """
        now = self._clock.now()
        with self._noting(by, case_id, "end_account"), self._store.write() as connection:
            refuse_reason(reason)
            case = self._cases.hold(connection, by, case_id)
            if not self._activations.end(connection, case.kutid):
                raise OutOfTurn
            audit.record(connection, "account_ended", kutid=case.kutid, at=now, actor=by.actor, reason=reason)

    def end_active_account(self, by: Actor, case_id: str, reason: str) -> None:
        """End an account that is in somebody else's hands, so that the customer registers anew; supervisors alone.

        Whoever has changed its address would get the link for a new password. Raises Refusal ``reason.…``,
        ``not_supervisor`` among them, or OutOfTurn when there is none that was activated, or it was closed meanwhile.
        """
        now = self._clock.now()
        with self._noting(by, case_id, "end_active_account"), self._store.write() as connection:
            _refuse_others_than_supervisors(by, reason)
            case = self._cases.hold(connection, by, case_id)
            if not self._account_details.end(connection, case.kutid, now):
                raise OutOfTurn
            audit.record(connection, "active_account_ended", kutid=case.kutid, at=now, actor=by.actor, reason=reason)

    def give_new_budget(self, by: Actor, case_id: str, reason: str) -> None:
        """Let the customer's allowance of codes begin anew; supervisors alone, twice a day for one customer.

        Raises Refusal ``reason.…``: ``not_supervisor``, ``too_often`` with `at`, ``empty`` and others; or OutOfTurn
        when there is nothing to renew.
        """
        now = self._clock.now()
        with self._noting(by, case_id, "give_new_budget"), self._store.write() as connection:
            _refuse_others_than_supervisors(by, reason)
            case = self._cases.hold(connection, by, case_id)
            if not self._codes.renew_budget(connection, case.kutid, now):
                raise OutOfTurn
            blocked = self._allowances.take_within(
                connection, "new budget", case.kutid, limit=_BUDGETS_A_DAY, window=timedelta(days=1), now=now
            )
            if blocked:
                raise Refusal("reason", "too_often", at=blocked)
            audit.record(connection, "budget_renewed", kutid=case.kutid, at=now, actor=by.actor, reason=reason)

    # --- The forgotten password ------------------------------------------------------------------------------------

    def ask_for_reset(self, by: Actor, case_id: str, *, identified_by: str | None = None) -> None:
        """Mail the customer the link for a new password (M30): they alone choose it (ASVS 6.4.6).

        Raises Refusal ``email.too_many``, or OutOfTurn when there is no account, or none that was activated.
        """
        now = self._clock.now()
        with self._noting(by, case_id, "ask_for_reset"), self._store.write() as connection:
            case = self._cases.hold(connection, by, case_id, needs_identification=identified_by is None)
            self._password_changes.send_reset(connection, case.kutid, now)
            if identified_by is not None:
                self._cases.record_identification(connection, by, case, identified_by, now)
            audit.record(connection, "reset_asked", kutid=case.kutid, at=now, actor=by.actor)

    # --- Inside ----------------------------------------------------------------------------------------------------

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

    @contextmanager
    def _noting(self, by: Actor, case_id: str, deed: str, *, is_step: bool = False) -> Iterator[None]:
        """Note what was refused, after its transaction: that left nothing else behind than what it counted.

        Refusals in a step of a registration stand in the customer's timeline and in the figures.
        """
        try:
            yield
        except Refusal as refusal:
            if is_step:
                now = self._clock.now()
                with self._store.write() as connection:
                    case = self._cases.hold(connection, by, case_id, needs_identification=False)
                    self._registrations.count_refused(by.actor, refusal)
                    what = f"{refusal.field}.{refusal.reason}"
                    audit.record(connection, "refused", kutid=case.kutid, at=now, actor=by.actor, what=what)
            else:
                self._cases.note_denied(by, deed, f"{refusal.field}.{refusal.reason}", case_id)
            raise
        except DeadEnd as dead_end:
            self._cases.note_denied(by, deed, dead_end.kind, case_id)
            raise
        except OutOfTurn:
            self._cases.note_denied(by, deed, "out_of_turn", case_id)
            raise

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

    def _open_registration(self, connection: Connection, by: Actor, case_id: str, now: datetime) -> tuple[Case, str]:
        case = self._cases.hold(connection, by, case_id)
        has_account = connection.execute(select(is_registered(case.kutid))).scalar()
        newest = next(iter(self._registrations.of_customer(connection, case.kutid)), None)
        if has_account or newest is None or not newest.is_open(now):
            raise OutOfTurn
        return case, newest.id

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


def _refuse_others_than_supervisors(by: Actor, reason: str) -> None:
    """Raise Refusal ``reason.not_supervisor``, or as `refuse_reason`."""
    if not by.is_supervisor:
        raise Refusal("reason", "not_supervisor")
    refuse_reason(reason)
