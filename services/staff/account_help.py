"""Help with a customer's account: the link for a new password, or the account's end (M30)."""

from services.accounts.group import AccountServices
from services.refusal import OutOfTurn
from services.staff.deeds import Deeds
from services.staff.member import Actor


class AccountHelp:
    """Helps an identified customer with their account. Each public method is one deed: see `Deeds`.

    `ask_for_reset` with `identified_by`, one of `cases.METHODS`, also records the identification, in the same
    transaction.
    """

    def __init__(self, deeds: Deeds, accounts: AccountServices) -> None:
        self._deeds = deeds
        self._activations = accounts.activations
        self._account_details = accounts.details
        self._password_changes = accounts.password_changes

    def end_account(self, by: Actor, case_id: str, reason: str) -> None:
        """End an account that was not activated because its address was wrong; the customer can register again (A7).

        Raises Refusal ``reason.…``, or OutOfTurn when there is no such account or the customer has activated it.
        """
        with self._deeds.doing(by, case_id, "end_account", reason=reason) as deed:
            if not self._activations.end(deed.connection, deed.case.kutid):
                raise OutOfTurn
            deed.record("account_ended")

    def end_active_account(self, by: Actor, case_id: str, reason: str) -> None:
        """End an account that somebody else has taken over; the customer registers again. Only supervisors may.

        A link for a new password would go to the intruder if they changed the address. Raises Refusal ``reason.…``,
        also ``reason.not_supervisor``, or OutOfTurn when there is no activated account.
        """
        with self._deeds.doing(by, case_id, "end_active_account", reason=reason, is_for_supervisors=True) as deed:
            if not self._account_details.end(deed.connection, deed.case.kutid, deed.now):
                raise OutOfTurn
            deed.record("active_account_ended")

    def ask_for_reset(self, by: Actor, case_id: str, *, identified_by: str | None = None) -> None:
        """Mail the customer the link for a new password (M30); only the customer chooses it (ASVS 6.4.6).

        Raises Refusal ``email.too_many``, or OutOfTurn when there is no activated account.
        """
        with self._deeds.doing(by, case_id, "ask_for_reset", identified_by=identified_by) as deed:
            self._password_changes.send_reset(deed.connection, deed.case.kutid, deed.now)
            deed.identify()
            deed.record("reset_asked")
