"""Help with the password of a customer's letters: sent to the customer, or taken away (P29, S3, S4)."""

from services.base import Base
from services.letters.password_help import PasswordHelp, PasswordState
from services.refusal import OutOfTurn, Refusal
from services.staff.cases import Cases
from services.staff.deeds import Deeds
from services.staff.member import Actor


class LetterPasswordHelp:
    """Helps an identified customer with their letter password. Staff never see it. Each deed is one: see `Deeds`."""

    def __init__(self, base: Base, *, cases: Cases, deeds: Deeds, passwords: PasswordHelp) -> None:
        self._store = base.store
        self._cases = cases
        self._deeds = deeds
        self._passwords = passwords

    @property
    def is_offered(self) -> bool:
        """Whether this insurer mails encrypted letters."""
        return self._passwords.is_offered

    def state(self, by: Actor, case_id: str) -> PasswordState:
        """Return what opens an identified customer's letters, never the password. Raises OutOfTurn."""
        self._refuse_unused()
        with self._store.read() as connection:
            return self._passwords.state(connection, self._cases.hold(connection, by, case_id).kutid)

    def send(self, by: Actor, case_id: str, *, is_phone_checked: bool) -> str:
        """Send the customer their password by text message; return the number.

        Raises Refusal ``phone_checked.not_ticked``, or as `PasswordHelp.send`.
        """
        self._refuse_unused()
        with self._deeds.doing(by, case_id, "send_letter_password") as deed:
            if not is_phone_checked:
                raise Refusal("phone_checked", "not_ticked")
            mobile = self._passwords.send(deed.connection, deed.case.kutid, by.actor)
            deed.record("staff_password_sent")
        return mobile

    def reset(self, by: Actor, case_id: str) -> int:
        """Take the customer's password away (S4); return how many letters are mailed again.

        Raises OutOfTurn where the customer has none of their own.
        """
        self._refuse_unused()
        with self._deeds.doing(by, case_id, "reset_letter_password") as deed:
            count = self._passwords.reset(deed.connection, deed.case.kutid)
            deed.record("staff_password_reset")
        return count

    def _refuse_unused(self) -> None:
        if not self._passwords.is_offered:
            raise OutOfTurn
