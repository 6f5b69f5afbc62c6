"""The letters of an identified customer, as staff see them (P23): states, and contents where the profile allows it."""

from services.base import Base
from services.gateways.storage import StoredFile
from services.letters.desk import DeskPage, LetterDesk
from services.letters.letter import Letter
from services.refusal import OutOfTurn
from services.staff.cases import Cases
from services.staff.deeds import Deeds
from services.staff.member import Actor


class CustomerLetters:
    """Shows an identified customer's letters. What it changes is a deed each: see `Deeds`."""

    def __init__(self, base: Base, *, cases: Cases, deeds: Deeds, desk: LetterDesk) -> None:
        self._store = base.store
        self._cases = cases
        self._deeds = deeds
        self._desk = desk

    def can_read(self, by: Actor) -> bool:
        """Tell whether they may open letters: customer service, where the profile allows it."""
        return self._desk.can_read and by.adviser is None

    def page(self, by: Actor, case_id: str, after: str | None = None) -> DeskPage:
        """Return a page of the letters, newest first. Raises OutOfTurn unless the customer was identified."""
        with self._store.read() as connection:
            case = self._cases.hold(connection, by, case_id)
            return self._desk.page(connection, case.kutid, after)

    def notify_again(self, by: Actor, case_id: str, letter_id: str) -> str:
        """Have a mail tell of a letter once more; return the address it goes to.

        Raises Refusal ``notification.…``, or OutOfTurn.
        """
        with self._deeds.doing(by, case_id, "notify_again") as deed:
            address = self._desk.notify_again(deed.connection, deed.case.kutid, letter_id)
            deed.record("letter_notified")
        return address

    def withdraw(self, by: Actor, case_id: str, letter_id: str, reason: str) -> None:
        """Withdraw a letter that was sent in error, for a reason that the customer reads; supervisors alone.

        Raises Refusal ``reason.…``, ``not_supervisor`` among them, or OutOfTurn.
        """
        with self._deeds.doing(by, case_id, "withdraw_letter", reason=reason, is_for_supervisors=True) as deed:
            self._desk.take_back(deed.connection, deed.case.kutid, letter_id, reason, by.actor)
            deed.record("letter_withdrawn")

    def read(self, by: Actor, case_id: str, letter_id: str) -> tuple[Letter, StoredFile]:
        """Return a letter with its bytes; the audit trail and the customer see that it was read.

        Raises OutOfTurn, also where they may not read letters, and StorageUnavailable.
        """
        if not self.can_read(by):
            raise OutOfTurn
        with self._store.read() as connection:
            case = self._cases.hold(connection, by, case_id)
            letter = self._desk.find(connection, case.kutid, letter_id)
        content = self._desk.content(letter)
        with self._deeds.doing(by, case_id, "read_letter") as deed:
            self._desk.note_read(deed.connection, letter, "staff", by.actor)
            deed.record("letter_read")
        return letter, content
