"""Help with a customer's account: the link for a new password, or the account's end (M30)."""

from services.accounts.group import AccountServices
from services.refusal import OutOfTurn
from services.staff.deeds import Deeds
from services.staff.member import Actor


class AccountHelp:
    """Helps an identified customer with their account. Each public method is one deed: see `Deeds`.

    `ask_for_reset` with `identified_by`, one of `cases.METHODS`, records the identification itself, and only with
    what it was for.
    """

    def __init__(self, deeds: Deeds, accounts: AccountServices) -> None:
        self._deeds = deeds
        self._activations = accounts.activations
        self._account_details = accounts.details
        self._password_changes = accounts.password_changes

    def end_account(self, by: Actor, case_id: str, reason: str) -> None:
        """End an account that was not activated, so that the customer can register anew (A7): the address was wrong.

        Raises Refusal ``reason.…``, or OutOfTurn when there is none, or the customer has activated it meanwhile.
        """
        with self._deeds.doing(by, case_id, "end_account", reason=reason) as deed:
            if not self._activations.end(deed.connection, deed.case.kutid):
                raise OutOfTurn
            deed.record("account_ended")

    def end_active_account(self, by: Actor, case_id: str, reason: str) -> None:
        """End an account that is in somebody else's hands, so that the customer registers anew; supervisors alone.

        Whoever has changed its address would get the link for a new password. Raises Refusal ``reason.…``,
        ``not_supervisor`` among them, or OutOfTurn when there is none that was activated, or it was closed meanwhile.
        """
        with self._deeds.doing(by, case_id, "end_active_account", reason=reason, is_for_supervisors=True) as deed:
            if not self._account_details.end(deed.connection, deed.case.kutid, deed.now):
                raise OutOfTurn
            deed.record("active_account_ended")

    def ask_for_reset(self, by: Actor, case_id: str, *, identified_by: str | None = None) -> None:
        """Mail the customer the link for a new password (M30): they alone choose it (ASVS 6.4.6).

        Raises Refusal ``email.too_many``, or OutOfTurn when there is no account, or none that was activated.
        """
        with self._deeds.doing(by, case_id, "ask_for_reset", identified_by=identified_by) as deed:
            self._password_changes.send_reset(deed.connection, deed.case.kutid, deed.now)
            deed.identify()
            deed.record("reset_asked")
