"""What staff see and do of a customer's letters (P23), in the transactions of their own services."""

from dataclasses import dataclass

from sqlalchemy import Connection

from services.base import Base
from services.gateways.storage import StoredFile
from services.letters import rows
from services.letters.archive import Archive
from services.letters.letter import EventType, Letter, LetterEvent
from services.letters.notifications import Notifications
from services.letters.publishing import Publishing
from services.refusal import OutOfTurn
from services.store.tables.letters import letters

PAGE = 20
"""Letters on one page of a customer's."""
_WEIGHT: tuple[EventType, ...] = (
    "withdrawn", "replaced", "confirmed", "opened", "printed", "reminded_sms", "reminded", "bounced", "notified",
)  # fmt: skip
"""What says most of a letter comes first."""


@dataclass(frozen=True)
class DeskLetter:
    """A letter with what happened to it, oldest first."""

    letter: Letter
    events: tuple[LetterEvent, ...]

    @property
    def state(self) -> EventType:
        """What says most of it now: a mail that left after one that bounced counts more than that."""
        happened = {event.type: event.at for event in self.events}
        if "bounced" in happened and happened.get("notified", happened["bounced"]) > happened["bounced"]:
            del happened["bounced"]
        return next((event for event in _WEIGHT if event in happened), "published")


@dataclass(frozen=True)
class DeskPage:
    """A page of a customer's letters, newest first; the next one begins after the letter `older`."""

    letters: tuple[DeskLetter, ...]
    older: str | None


class LetterDesk:
    """Reads and changes the letters of one customer."""

    def __init__(self, base: Base, *, archive: Archive, notifications: Notifications, publishing: Publishing) -> None:
        self._clock = base.clock
        self._can_read = base.profile.staff_read_letters
        self._archive = archive
        self._notifications = notifications
        self._publishing = publishing

    @property
    def can_read(self) -> bool:
        """Whether the profile lets customer service read letters."""
        return self._can_read

    def page(self, connection: Connection, kutid: str, after: str | None = None) -> DeskPage:
        """Return a page of the customer's letters. Raises OutOfTurn where `after` is none of them."""
        query = rows.LETTER.where(letters.c.kutid == kutid)
        if after is not None:
            query = query.where(rows.is_older(connection, kutid, after))
        newest = query.order_by(letters.c.published_at.desc(), letters.c.id.desc()).limit(PAGE + 1)
        found = [Letter(**row._mapping) for row in connection.execute(newest)]
        shown = tuple(DeskLetter(one, rows.events(connection, one.id)) for one in found[:PAGE])
        return DeskPage(shown, found[PAGE - 1].id if len(found) > PAGE else None)

    def notify_again(self, connection: Connection, kutid: str, letter_id: str) -> str:
        """Have a mail tell of a letter once more, and return its address; raises as `Notifications.again`."""
        return self._notifications.again(connection, _of(connection, kutid, letter_id))

    def take_back(self, connection: Connection, kutid: str, letter_id: str, reason: str, actor: str) -> None:
        """Withdraw a letter; raises as `Publishing.withdraw`."""
        _of(connection, kutid, letter_id)
        self._publishing.take_back(connection, letter_id, reason, actor=actor)

    def find(self, connection: Connection, kutid: str, letter_id: str) -> Letter:
        """Return a letter of the customer's. Raises OutOfTurn, also for a withdrawn one."""
        letter = _of(connection, kutid, letter_id)
        if letter.is_withdrawn:
            raise OutOfTurn
        return letter

    def content(self, letter: Letter) -> StoredFile:
        """Return a letter's bytes, outside of any transaction. Raises StorageUnavailable."""
        return self._archive.read(letter)

    def note_read(self, connection: Connection, letter: Letter, event: EventType, actor: str) -> None:
        """Note who has read a letter: `staff` or `adviser`. The customer sees it."""
        rows.note(connection, letter.id, event, self._clock.now(), actor)


def _of(connection: Connection, kutid: str, letter_id: str) -> Letter:
    letter = rows.letter(connection, letter_id)
    if letter.kutid != kutid:
        raise OutOfTurn
    return letter
