"""The mails that tell customers of their letters (P14, T4), and what became of them (P13).

A notification waits for a minute: letters that come meanwhile join it. Its topic is its own id, and each letter knows
its notification. So what it says follows from the letters, and what became of the mail is written to each of them.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from services import randomness
from services.accounts.conditions import is_registered
from services.base import Base
from services.letters import rows
from services.letters.enclosing import FIRST
from services.letters.letter import Letter
from services.letters.openers import Openers
from services.letters.readers import Reader, reader_of
from services.messages.outbox import Outbox
from services.refusal import OutOfTurn, Refusal
from services.register.conditions import has_live_policy
from services.register.prefill import Prefill, number_of
from services.store.statements import queue_for
from services.store.tables.letters import letters
from services.store.tables.register import customers

GATHERING = timedelta(minutes=1)
"""How long a notification waits for further letters of the same customer."""
AGAIN_AFTER = timedelta(minutes=10)
"""How long staff wait after a notification before they have another one sent."""
_WORTH_SENDING = timedelta(days=7)
_TOPIC = "letters:"
_OF_MAILED = "pdf."
"""With this begins the id of a mail that brings its letter: no other letter joins it."""
LARGEST_MAILED = 10 * 1024 * 1024
"""Bytes of the largest letter that is mailed: many mailboxes take no mail above some 25 MB, and base64 adds a third."""
_FIRST = {"payment_request": 0, "policy": 1}
"""Which letter a notification of several names first (portal.md, 9a); the others follow by date."""
NO_ADDRESS = "no address"
"""The actor of `bounced` where a customer has no address: there was nowhere to mail to."""

_Words = tuple[str, dict[str, str]]
"""The name of a mail's text, and what fills it."""


def topic_of(notification_id: str) -> str:
    """Return the topic under which a notification is in the outbox."""
    return f"{_TOPIC}{notification_id}"


class Notifications:
    """Writes notifications in the transaction that publishes, and notes what the mail server said."""

    def __init__(self, base: Base, outbox: Outbox, openers: Openers) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._outbox = outbox
        self._openers = openers

    def tell(self, connection: Connection, letter_id: str, kutid: str, language: str) -> None:
        """Have a mail tell of a new letter, in `language` where the customer has no account.

        A customer without an address gets none: the letter's states say that it bounced.
        """
        now, reader = self._clock.now(), reader_of(connection, self._profile, kutid, language)
        if reader.address is None:
            rows.note(connection, letter_id, "bounced", now, NO_ADDRESS)
            return
        if self._is_mailed(connection, letter_id, kutid):
            self.mail(connection, letter_id, kutid, language)
            return
        queue_for(connection, f"notification {kutid}")
        is_joined = letters.c.notification_id.is_not(None), letters.c.notification_id.not_like(f"{_OF_MAILED}%")
        newest = (
            select(letters.c.notification_id)
            .where(letters.c.kutid == kutid, *is_joined)
            .order_by(letters.c.published_at.desc(), letters.c.id.desc())
            .limit(1)
        )
        waiting: str | None = connection.execute(newest).scalar()
        if waiting is not None:
            _belongs(connection, letter_id, waiting)
            if self._reword(connection, waiting, reader):
                return
        notification_id = randomness.opaque_id()
        _belongs(connection, letter_id, notification_id)
        words = self._words(connection, notification_id, reader)
        self._put(connection, notification_id, reader, words, now + GATHERING)

    def mail(self, connection: Connection, letter_id: str, kutid: str, language: str, message: str = FIRST) -> None:
        """Mail a letter as an encrypted PDF, by a mail of its own (P25); nothing of the file is in the outbox."""
        reader = reader_of(connection, self._profile, kutid, language)
        if reader.address is None:
            return
        notification_id = f"{_OF_MAILED}{randomness.opaque_id()}"
        _belongs(connection, letter_id, notification_id)
        _, facts = self._words(connection, notification_id, reader)
        self._put(connection, notification_id, reader, (message, facts))

    def again(self, connection: Connection, letter: Letter) -> str:
        """Have a mail tell of a letter once more, at staff's wish (P23); return its address.

        Raises Refusal ``notification.no_address``, or ``notification.wait`` with `at` shortly after another mail;
        OutOfTurn for a letter that was withdrawn or replaced.
        """
        now, reader = self._clock.now(), reader_of(connection, self._profile, letter.kutid, letter.language)
        mine = select(letters.c.notification_id).where(letters.c.id == letter.id, rows.IS_CURRENT).with_for_update()
        row = connection.execute(mine).first()
        if row is None:
            raise OutOfTurn
        if reader.address is None:
            raise Refusal("notification", "no_address")
        last = self._outbox.written_at(connection, topic_of(row.notification_id)) if row.notification_id else None
        if last is not None and last + AGAIN_AFTER > now:
            raise Refusal("notification", "wait", at=last + AGAIN_AFTER)
        if self._is_mailed(connection, letter.id, letter.kutid):
            self.mail(connection, letter.id, letter.kutid, letter.language)
            return reader.address
        notification_id = randomness.opaque_id()
        _belongs(connection, letter.id, notification_id)
        self._put(connection, notification_id, reader, self._words(connection, notification_id, reader))
        return reader.address

    def _is_mailed(self, connection: Connection, letter_id: str, kutid: str) -> bool:
        """Tell whether a letter also comes with the mail: it is not too large, and something opens it."""
        if not self._openers.is_used:
            return False
        row = connection.execute(select(letters.c.type, letters.c.size).where(letters.c.id == letter_id)).one()
        return row.size <= LARGEST_MAILED and self._openers.is_mailed(self._openers.of(connection, kutid), row.type)

    def forget(self, connection: Connection, notification_id: str | None, kutid: str, language: str) -> None:
        """Keep a notification that waits from telling of letters that were taken back or replaced."""
        if notification_id is None:
            return
        if connection.execute(_told_of(notification_id).limit(1)).first() is None:
            self._outbox.replace(connection, topic_of(notification_id))
        else:
            self._reword(connection, notification_id, reader_of(connection, self._profile, kutid, language))

    def delivered(self, connection: Connection, topic: str) -> None:
        """Note at each letter of a notification that the mail server has taken the mail over."""
        self._note(connection, topic, "notified")

    def undelivered(self, connection: Connection, topic: str) -> None:
        """Note at each letter of a notification that the mail was refused for good, or did not leave in time."""
        self._note(connection, topic, "bounced")

    def prefill(self, letter_id: str) -> Prefill | None:
        """Return the number that a mail's link fills into the registration; None where nobody can register by it."""
        kind = next(iter(self._profile.identification.identifiers))
        whose = select(customers.c.kutid, number_of(kind).label("number")).join(letters)
        can_register = has_live_policy(customers.c.kutid), ~is_registered(customers.c.kutid)
        with self._store.read() as connection:
            found = connection.execute(whose.where(letters.c.id == letter_id, *can_register)).first()
        return Prefill(found.kutid, kind, found.number) if found is not None and found.number else None

    def _put(
        self,
        connection: Connection,
        notification_id: str,
        reader: Reader,
        words: _Words,
        due_at: datetime | None = None,
    ) -> None:
        message, facts = words
        self._outbox.put(
            connection,
            kind="email",
            recipient=reader.address or "",
            message=message,
            language=reader.language,
            topic=topic_of(notification_id),
            due_at=due_at,
            expires_at=self._clock.now() + _WORTH_SENDING,
            facts=facts,
        )

    def _note(self, connection: Connection, topic: str, event: Any) -> None:
        if not topic.startswith(_TOPIC):
            return
        for row in connection.execute(_told_of(topic.removeprefix(_TOPIC))).all():
            rows.note(connection, row.id, event, self._clock.now(), "mail")

    def _reword(self, connection: Connection, notification_id: str, reader: Reader) -> bool:
        """Say in a notification what its letters are now; return False when it has been taken to the mail server."""
        message, facts = self._words(connection, notification_id, reader)
        return self._outbox.reword(
            connection, topic_of(notification_id), recipient=reader.address or "", message=message, facts=facts
        )

    def _words(self, connection: Connection, notification_id: str, reader: Reader) -> _Words:
        """Return the mail's text and what fills it: types, the customer's number, and nothing else of them (T4)."""
        told = sorted(connection.execute(_told_of(notification_id)).all(), key=_place)
        types = [self._profile.texts.say(f"letter.type.{row.type}", reader.language) for row in told]
        facts = {"document_type": types[0], "customer_number": reader.number, "letter_id": told[0].id}
        if not reader.has_account:
            facts["is_unregistered"] = "yes"
        if len(told) == 1:
            return "document", facts
        return "documents", {**facts, "what": ", ".join(dict.fromkeys(types)), "count": str(len(told) - 1)}


def _told_of(notification_id: str) -> Any:
    told = select(letters.c.id, letters.c.type, letters.c.published_at)
    return told.where(letters.c.notification_id == notification_id, rows.IS_CURRENT)


def _place(row: Any) -> tuple[int, datetime, str]:
    return _FIRST.get(row.type, len(_FIRST)), row.published_at, row.id


def _belongs(connection: Connection, letter_id: str, notification_id: str) -> None:
    connection.execute(update(letters).where(letters.c.id == letter_id).values(notification_id=notification_id))
