"""What mails and text messages about letters get only when they leave: the encrypted file, the password (P25, P28)."""

from datetime import datetime

from services.base import Base
from services.codes import one_time_codes
from services.letters import rows
from services.letters.archive import Archive
from services.letters.openers import Openers
from services.messages.composer import Attachment, Enclosure
from services.messages.outbox import Message
from services.pdf import encrypted
from services.values import spoken_dates

FIRST, AGAIN = "encrypted", "encrypted_again"
PASSWORD = "letter_password"  # noqa: S105 (the name of a text message)
ORDER = "letter-password"
"""In place of a registration: the code that a text message with the password is paid for with opens nothing."""
_FILE_NAMES = {"hu": "level.pdf", "en": "letter.pdf", "sk": "list.pdf"}


class Enclosing:
    """Encloses what the outbox must not hold."""

    def __init__(self, base: Base, archive: Archive, openers: Openers) -> None:
        self._store = base.store
        self._profile = base.profile
        self._archive = archive
        self._openers = openers

    def __call__(self, message: Message) -> Enclosure:
        """Return what a message gets now; most get nothing.

        Raises StorageUnavailable while the letter cannot be read, LookupError when nothing opens it any more. Either
        way the message waits.
        """
        if message.message in (FIRST, AGAIN):
            return self._letter(message)
        if message.kind == "sms" and message.message == PASSWORD:
            return self._password(message)
        return Enclosure()

    def _letter(self, message: Message) -> Enclosure:
        with self._store.read() as connection:
            letter = rows.letter(connection, message.facts["letter_id"])
            opener = self._openers.of(connection, letter.kutid)
        if not opener.password:
            raise LookupError("nothing opens the customer's letters")
        content = encrypted(b"".join(self._archive.read(letter).chunks), opener.password)
        facts = {"is_encrypted": "yes", f"password_{opener.kind}": "yes"}
        if opener.set_at is not None:
            facts["set_on"] = facts["date_on"] = self._day_on(opener.set_at, message.language)
        else:
            facts["is_default"] = "yes"
        if message.message == AGAIN:
            facts["date_on"] = self._day_on(letter.published_at, message.language)
        name = _FILE_NAMES.get(message.language, _FILE_NAMES["en"])
        return Enclosure(facts, (Attachment(name, "application/pdf", content),))

    def _day_on(self, at: datetime, language: str) -> str:
        return spoken_dates.day_on(at.astimezone(self._profile.zone).date(), language)

    def _password(self, message: Message) -> Enclosure:
        kutid = one_time_codes.whose(message.topic) or ""
        with self._store.read() as connection:
            opener = self._openers.of(connection, kutid)
        if opener.kind != "own":
            raise LookupError("the customer has no password of their own any more")
        return Enclosure({"password": opener.password})
