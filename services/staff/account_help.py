"""Help with a customer's account: the link for a new password, or the account's end (M30)."""

from services import audit
from services.accounts.group import AccountServices
from services.base import Base
from services.refusal import OutOfTurn
from services.staff.cases import Cases
from services.staff.denials import Denials
from services.staff.member import Actor
from services.staff.reasons import refuse_reason, require_supervisor_reason


class AccountHelp:
    """Helps an identified customer with their account. Each public method is one transaction with its audit row.

    All of them raise OutOfTurn when the case is not the actor's, or the customer was not identified. `ask_for_reset`
    with `identified_by`, one of `cases.METHODS`, records the identification itself, and only with what it was for.
    """

    def __init__(self, base: Base, *, cases: Cases, denials: Denials, accounts: AccountServices) -> None:
        self._store = base.store
        self._clock = base.clock
        self._cases = cases
        self._denials = denials
        self._activations = accounts.activations
        self._account_details = accounts.details
        self._password_changes = accounts.password_changes

    def end_account(self, by: Actor, case_id: str, reason: str) -> None:
        """End an account that was not activated, so that the customer can register anew (A7): the address was wrong.

        Raises Refusal ``reason.…``, or OutOfTurn when there is none, or the customer has activated it meanwhile.
        """
        now = self._clock.now()
        with self._denials.noting(by, case_id, "end_account"), self._store.write() as connection:
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
        with self._denials.noting(by, case_id, "end_active_account"), self._store.write() as connection:
            require_supervisor_reason(by, reason)
            case = self._cases.hold(connection, by, case_id)
            if not self._account_details.end(connection, case.kutid, now):
                raise OutOfTurn
            audit.record(connection, "active_account_ended", kutid=case.kutid, at=now, actor=by.actor, reason=reason)

    def ask_for_reset(self, by: Actor, case_id: str, *, identified_by: str | None = None) -> None:
        """Mail the customer the link for a new password (M30): they alone choose it (ASVS 6.4.6).

        Raises Refusal ``email.too_many``, or OutOfTurn when there is no account, or none that was activated.
        """
        now = self._clock.now()
        with self._denials.noting(by, case_id, "ask_for_reset"), self._store.write() as connection:
            case = self._cases.hold(connection, by, case_id, needs_identification=identified_by is None)
            self._password_changes.send_reset(connection, case.kutid, now)
            if identified_by is not None:
                self._cases.record_identification(connection, by, case, identified_by, now)
            audit.record(connection, "reset_asked", kutid=case.kutid, at=now, actor=by.actor)
