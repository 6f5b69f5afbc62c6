"""Help with a registration that got stuck: another mail, another allowance of codes, or its end (M29)."""

from datetime import datetime, timedelta

from sqlalchemy import select

from services.accounts.conditions import is_registered
from services.codes.group import CodeServices
from services.limits.allowances import Allowances
from services.refusal import OutOfTurn, Refusal
from services.registrations.assisted import AssistedRegistrations
from services.staff.deeds import Deed, Deeds
from services.staff.member import Actor

_BUDGETS_A_DAY = 2
"""New allowances of codes that a customer may get in a day: each is nine more guesses."""


class StuckRegistrations:
    """Helps an identified customer go on. Each public method is one deed: see `Deeds`."""

    def __init__(
        self, deeds: Deeds, *, registrations: AssistedRegistrations, codes: CodeServices, allowances: Allowances
    ) -> None:
        self._deeds = deeds
        self._registrations = registrations
        self._codes = codes.one_time_codes
        self._allowances = allowances

    def mail_again(self, by: Actor, case_id: str) -> datetime:
        """Mail a new link for the customer's open registration; return until when it is good.

        Raises Refusal ``email.resend_too_early`` or ``email.too_many``, DeadEnd or OutOfTurn.
        """
        with self._deeds.doing(by, case_id, "mail_again") as deed:
            changed = self._registrations.mail_again(deed.connection, self._open_registration(deed), deed.now)
            deed.record("mailed_again")
        return changed.expires_at

    def end(self, by: Actor, case_id: str, reason: str) -> None:
        """End the customer's open registration. Raises Refusal ``reason.…`` or OutOfTurn."""
        with self._deeds.doing(by, case_id, "end", reason=reason) as deed:
            if not self._registrations.end(deed.connection, self._open_registration(deed), deed.now):
                raise OutOfTurn
            deed.record("ended")

    def give_new_budget(self, by: Actor, case_id: str, reason: str) -> None:
        """Give the customer a new allowance of codes. Only supervisors may, twice a day for one customer.

        Raises Refusal ``reason.…``: ``not_supervisor``, ``too_often`` with `at`, ``empty`` and others; or OutOfTurn
        when there is nothing to renew.
        """
        with self._deeds.doing(by, case_id, "give_new_budget", reason=reason, is_for_supervisors=True) as deed:
            kutid, now = deed.case.kutid, deed.now
            if not self._codes.renew_budget(deed.connection, kutid, now):
                raise OutOfTurn
            blocked = self._allowances.take_within(
                deed.connection, "new budget", kutid, limit=_BUDGETS_A_DAY, window=timedelta(days=1), now=now
            )
            if blocked:
                raise Refusal("reason", "too_often", at=blocked)
            deed.record("budget_renewed")

    def _open_registration(self, deed: Deed) -> str:
        kutid = deed.case.kutid
        has_account = deed.connection.execute(select(is_registered(kutid))).scalar()
        newest = next(iter(self._registrations.of_customer(deed.connection, kutid)), None)
        if has_account or newest is None or not newest.is_open(deed.now):
            raise OutOfTurn
        return newest.id
