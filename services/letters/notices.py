"""The mails that tell customers of their letters (P14, T4), and what became of them (P13).

A notice waits for a minute: letters that come meanwhile join it. Its topic is its own id, and each letter knows its
notice, so that what it says follows from the letters, and what became of the mail is written to each of them.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from services import randomness
from services.accounts.conditions import account_of, is_registered
from services.base import Base
from services.letters import rows
from services.letters.enclosing import FIRST
from services.letters.openers import Openers
from services.messages.outbox import Outbox
from services.register.conditions import address, has_live_policy
from services.register.prefill import Prefill, number_of
from services.store.statements import queue_for
from services.store.tables.letters import letters
from services.store.tables.register import customers

GATHERING = timedelta(minutes=1)
"""How long a notice waits for further letters of the same customer."""
_WORTH_SENDING = timedelta(days=7)
_TOPIC = "letters:"
_OF_MAILED = "pdf."
"""With this begins the id of a mail that brings its letter: no other letter joins it."""
LARGEST_MAILED = 10 * 1024 * 1024
"""Bytes of the largest letter that is mailed: many mailboxes take no mail above some 25 MB, and base64 adds a third."""
_FIRST = {"payment_request": 0, "policy": 1}
"""Which letter a notice of several names first (portal.md, 9a); the others follow by date."""
NO_ADDRESS = "no address"
"""The actor of `bounced` where a customer has no address: there was nowhere to mail to."""


def topic_of(notice_id: str) -> str:
    """Return the topic under which a notice is in the outbox."""
    return f"{_TOPIC}{notice_id}"


@dataclass(frozen=True)
class _Reader:
    """Whom a notice goes to, and how it speaks to them."""

    address: str | None
    language: str
    number: str
    has_account: bool


class Notices:
    """Writes notices in the transaction that publishes, and notes what the mail server said."""

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
        now, reader = self._clock.now(), self._reader(connection, kutid, language)
        if reader.address is None:
            rows.note(connection, letter_id, "bounced", now, NO_ADDRESS)
            return
        if self._is_mailed(connection, letter_id, kutid):
            self.mail(connection, letter_id, kutid, language)
            return
        queue_for(connection, f"notice {kutid}")
        is_joined = letters.c.notice_id.is_not(None), letters.c.notice_id.not_like(f"{_OF_MAILED}%")
        newest = (
            select(letters.c.notice_id)
            .where(letters.c.kutid == kutid, *is_joined)
            .order_by(letters.c.published_at.desc(), letters.c.id.desc())
            .limit(1)
        )
        waiting: str | None = connection.execute(newest).scalar()
        if waiting is not None:
            _belongs(connection, letter_id, waiting)
            if self._reword(connection, waiting, reader):
                return
        notice_id = randomness.opaque_id()
        _belongs(connection, letter_id, notice_id)
        message, facts = self._words(connection, notice_id, reader)
        self._outbox.put(
            connection,
            kind="email",
            recipient=reader.address,
            message=message,
            language=reader.language,
            topic=f"{_TOPIC}{notice_id}",
            due_at=now + GATHERING,
            expires_at=now + _WORTH_SENDING,
            facts=facts,
        )

    def mail(self, connection: Connection, letter_id: str, kutid: str, language: str, message: str = FIRST) -> None:
        """Mail a letter as an encrypted PDF, by a mail of its own (P25); nothing of the file is in the outbox."""
        now, reader = self._clock.now(), self._reader(connection, kutid, language)
        if reader.address is None:
            return
        notice_id = f"{_OF_MAILED}{randomness.opaque_id()}"
        _belongs(connection, letter_id, notice_id)
        _, facts = self._words(connection, notice_id, reader)
        self._outbox.put(
            connection,
            kind="email",
            recipient=reader.address,
            message=message,
            language=reader.language,
            topic=topic_of(notice_id),
            expires_at=now + _WORTH_SENDING,
            facts=facts,
        )

    def _is_mailed(self, connection: Connection, letter_id: str, kutid: str) -> bool:
        """Tell whether a letter also comes with the mail: it is not too large, and something opens it."""
        if not self._openers.is_used:
            return False
        row = connection.execute(select(letters.c.type, letters.c.size).where(letters.c.id == letter_id)).one()
        return row.size <= LARGEST_MAILED and self._openers.is_mailed(self._openers.of(connection, kutid), row.type)

    def forget(self, connection: Connection, notice_id: str | None, kutid: str, language: str) -> None:
        """Keep a notice that waits from telling of letters that were taken back or replaced."""
        if notice_id is None:
            return
        if connection.execute(_told_of(notice_id).limit(1)).first() is None:
            self._outbox.replace(connection, f"{_TOPIC}{notice_id}")
        else:
            self._reword(connection, notice_id, self._reader(connection, kutid, language))

    def delivered(self, connection: Connection, topic: str) -> None:
        """Note at each letter of a notice that the mail server has taken the mail over."""
        self._note(connection, topic, "notified")

    def undelivered(self, connection: Connection, topic: str) -> None:
        """Note at each letter of a notice that the mail was refused for good, or did not leave in time."""
        self._note(connection, topic, "bounced")

    def prefill(self, letter_id: str) -> Prefill | None:
        """Return the number that a notice's link fills into the registration; None where nobody can register by it."""
        kind = next(iter(self._profile.identification.identifiers))
        whose = select(customers.c.kutid, number_of(kind).label("number")).join(letters)
        can_register = has_live_policy(customers.c.kutid), ~is_registered(customers.c.kutid)
        with self._store.read() as connection:
            found = connection.execute(whose.where(letters.c.id == letter_id, *can_register)).first()
        return Prefill(found.kutid, kind, found.number) if found is not None and found.number else None

    def _note(self, connection: Connection, topic: str, event: Any) -> None:
        if not topic.startswith(_TOPIC):
            return
        for row in connection.execute(_told_of(topic.removeprefix(_TOPIC))).all():
            rows.note(connection, row.id, event, self._clock.now(), "mail")

    def _reword(self, connection: Connection, notice_id: str, reader: _Reader) -> bool:
        """Say in a notice what its letters are now; return False when it has been taken to the mail server."""
        message, facts = self._words(connection, notice_id, reader)
        return self._outbox.reword(
            connection, f"{_TOPIC}{notice_id}", recipient=reader.address or "", message=message, facts=facts
        )

    def _words(self, connection: Connection, notice_id: str, reader: _Reader) -> tuple[str, dict[str, str]]:
        """Return the mail's text and what fills it: types, the customer's number, and nothing else of them (T4)."""
        told = sorted(connection.execute(_told_of(notice_id)).all(), key=_place)
        types = [self._profile.texts.say(f"letter.type.{row.type}", reader.language) for row in told]
        facts = {"document_type": types[0], "customer_number": reader.number, "letter_id": told[0].id}
        if not reader.has_account:
            facts["is_unregistered"] = "yes"
        if len(told) == 1:
            return "document", facts
        return "documents", {**facts, "what": ", ".join(dict.fromkeys(types)), "count": str(len(told) - 1)}

    def _reader(self, connection: Connection, kutid: str, language: str) -> _Reader:
        known = connection.execute(
            select(address().label("address"), customers.c.customer_number).where(customers.c.kutid == kutid)
        ).one()
        number, account = known.customer_number or kutid, connection.execute(account_of(kutid)).first()
        if account is not None and not account.is_waiting:
            return _Reader(account.email, account.language, number, has_account=True)
        # The address of an account that waits for its activation code is not proved yet.
        spoken = language if language in self._profile.languages else self._profile.languages[0]
        return _Reader(known.address, spoken, number, has_account=account is not None)


def _told_of(notice_id: str) -> Any:
    valid = letters.c.withdrawn_at.is_(None), letters.c.replaced_by.is_(None)
    return select(letters.c.id, letters.c.type, letters.c.published_at).where(letters.c.notice_id == notice_id, *valid)


def _place(row: Any) -> tuple[int, datetime, str]:
    return _FIRST.get(row.type, len(_FIRST)), row.published_at, row.id


def _belongs(connection: Connection, letter_id: str, notice_id: str) -> None:
    connection.execute(update(letters).where(letters.c.id == letter_id).values(notice_id=notice_id))
