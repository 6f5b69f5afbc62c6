"""Help with a registration that got stuck: another mail, another allowance of codes, or its end (M29)."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, exists, select

from services import audit
from services.base import Base
from services.codes.group import CodeServices
from services.limits.allowances import Allowances
from services.refusal import OutOfTurn, Refusal
from services.registrations.assisted import AssistedRegistrations
from services.staff.cases import Case, Cases
from services.staff.denials import Denials
from services.staff.member import Actor
from services.staff.reasons import refuse_reason, require_supervisor_reason
from services.store.tables.accounts import accounts

_BUDGETS_A_DAY = 2
"""So many new allowances of codes a customer may get in a day: each is nine guesses more."""


class StuckRegistrations:
    """Helps an identified customer go on. Each public method is one transaction with its audit row.

    All of them raise OutOfTurn when the case is not the actor's, or the customer was not identified.
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
    ) -> None:
        self._store = base.store
        self._clock = base.clock
        self._cases = cases
        self._denials = denials
        self._registrations = registrations
        self._codes = codes.one_time_codes
        self._allowances = allowances

    def mail_again(self, by: Actor, case_id: str) -> datetime:
        """Mail a new link for the customer's open registration; return until when it is good.

        Raises Refusal ``email.resend_too_early`` or ``email.too_many``, DeadEnd or OutOfTurn.
        """
        now = self._clock.now()
        with self._denials.noting(by, case_id, "mail_again"), self._store.write() as connection:
            case, registration_id = self._open_registration(connection, by, case_id, now)
            changed = self._registrations.mail_again(connection, registration_id, now)
            audit.record(connection, "mailed_again", kutid=case.kutid, at=now, actor=by.actor)
        return changed.expires_at

    def end(self, by: Actor, case_id: str, reason: str) -> None:
        """End the customer's open registration. Raises Refusal ``reason.…`` or OutOfTurn."""
        now = self._clock.now()
        with self._denials.noting(by, case_id, "end"), self._store.write() as connection:
            refuse_reason(reason)
            case, registration_id = self._open_registration(connection, by, case_id, now)
            if not self._registrations.end(connection, registration_id, now):
                raise OutOfTurn
            audit.record(connection, "ended", kutid=case.kutid, at=now, actor=by.actor, reason=reason)

    def give_new_budget(self, by: Actor, case_id: str, reason: str) -> None:
        """Let the customer's allowance of codes begin anew; supervisors alone, twice a day for one customer.

        Raises Refusal ``reason.…``: ``not_supervisor``, ``too_often`` with `at`, ``empty`` and others; or OutOfTurn
        when there is nothing to renew.
        """
        now = self._clock.now()
        with self._denials.noting(by, case_id, "give_new_budget"), self._store.write() as connection:
            require_supervisor_reason(by, reason)
            case = self._cases.hold(connection, by, case_id)
            if not self._codes.renew_budget(connection, case.kutid, now):
                raise OutOfTurn
            blocked = self._allowances.take_within(
                connection, "new budget", case.kutid, limit=_BUDGETS_A_DAY, window=timedelta(days=1), now=now
            )
            if blocked:
                raise Refusal("reason", "too_often", at=blocked)
            audit.record(connection, "budget_renewed", kutid=case.kutid, at=now, actor=by.actor, reason=reason)

    def _open_registration(self, connection: Connection, by: Actor, case_id: str, now: datetime) -> tuple[Case, str]:
        case = self._cases.hold(connection, by, case_id)
        has_account = connection.execute(select(exists().where(accounts.c.kutid == case.kutid))).scalar()
        newest = next(iter(self._registrations.of_customer(connection, case.kutid)), None)
        if has_account or newest is None or not newest.is_open(now):
            raise OutOfTurn
        return case, newest.id
