"""Publishing a letter: its row, its bytes and the customer's notification at once (P10–P12)."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from io import BytesIO
from typing import IO, Any

from sqlalchemy import Connection, bindparam, exists, insert, select, update

from services.base import Base
from services.crash_points import reach
from services.letters import consents, pdf, rows, unread
from services.letters.archive import Archive, Kept
from services.letters.letter import Letter, LetterEvent
from services.letters.notifications import NO_ADDRESS, Notifications
from services.randomness import opaque_id, reference
from services.refusal import OutOfTurn, Refusal
from services.store.statements import queue_for
from services.store.tables.letters import letter_events, letters
from services.store.tables.register import customers, policies

LONGEST_TITLE = 200
LONGEST_REASON = 300
"""Characters of the reason for which a letter is withdrawn: the customer reads it."""


@dataclass(frozen=True)
class NewLetter:
    """What the insurer's system says of a letter."""

    kutid: str
    type: str
    title: str
    issued_on: date
    language: str
    policy_number: str | None = None
    latest_on: date | None = None
    confirm_by: date | None = None
    replaces: str | None = None
    data: Mapping[str, Any] | None = None
    once: str | None = None
    """What makes it the same letter as another: a repetition publishes nothing. At most 64 signs; see `once`."""


_SAME = select(letters.c.id).where(letters.c.once == bindparam("what"))


def once(*parts: str) -> str:
    """Return what makes letters the same that were sent with the same parts."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


class Publishing:
    """Takes letters from the insurer, and takes them back."""

    def __init__(self, base: Base, archive: Archive, notifications: Notifications) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._archive = archive
        self._notifications = notifications

    def publish(self, letter: NewLetter, content: bytes | IO[bytes], *, actor: str) -> str:
        """Publish a letter, a PDF of at most 20 MB, and return its id; a repetition returns the first one's.

        Its bytes are kept first: without the row nobody can reach them. The row, its event and the notification are one
        transaction (P11). Raises Refusal ``document.<reason>`` or ``customer.unknown``; StorageUnavailable, and then
        nothing is published.
        """
        file = BytesIO(content) if isinstance(content, bytes) else content
        pdf.judge(file)
        kept = self._archive.keep(file)
        reach("letters.kept")
        letter_id, now = opaque_id(), self._clock.now()
        with self._store.write() as connection:
            if letter.once is not None:
                queue_for(connection, f"letter {letter.once}")  # of two at once, the second finds the first one's
                if first := connection.execute(_SAME, {"what": letter.once}).scalar():
                    return str(first)
            letter = self._judged(connection, letter)
            if letter.replaces is not None:
                self._replace(connection, letter, letter_id, actor, now)
            is_on_paper = self._add(connection, letter_id, letter, kept, now)
            rows.note(connection, letter_id, "published", now, actor)
            if not is_on_paper:
                self._notifications.tell(connection, letter_id, letter.kutid, letter.language)
            reach("letters.writing")
        reach("letters.written")
        return letter_id

    def published(self, what: str) -> str | None:
        """Return the id of the letter that `once` names, or None when it was not published yet."""
        with self._store.read() as connection:
            found: str | None = connection.execute(_SAME, {"what": what}).scalar()
        return found

    def is_without_address(self, letter_id: str) -> bool:
        """Tell whether no mail tells of a letter because no address of its customer was known."""
        bounced = exists().where(letter_events.c.letter_id == letter_id, letter_events.c.actor == NO_ADDRESS)
        with self._store.read() as connection:
            return bool(connection.execute(select(bounced)).scalar())

    def withdraw(self, letter_id: str, reason: str, *, actor: str) -> Letter:
        """Take a letter back, once, for a reason that the customer reads; return it with a code for staff.

        Raises Refusal ``document.reason`` without a reason or with one that is too long, OutOfTurn when the letter is
        withdrawn already or was never there.
        """
        with self._store.write() as connection:
            return self.take_back(connection, letter_id, reason, actor=actor)

    def take_back(self, connection: Connection, letter_id: str, reason: str, *, actor: str) -> Letter:
        """Take a letter back in a caller's transaction, as `withdraw`."""
        reason, now = " ".join(reason.split()), self._clock.now()
        if not reason or len(reason) > LONGEST_REASON:
            raise Refusal("document", "reason")
        taken_back = (
            update(letters)
            .where(letters.c.id == letter_id, letters.c.withdrawn_at.is_(None))
            .values(withdrawn_at=now, withdrawn_reason=reason, withdrawn_code=reference())
            .returning(letters.c.notification_id, letters.c.kutid, letters.c.language)
        )
        row = connection.execute(taken_back).first()
        if row is None:
            raise OutOfTurn
        rows.note(connection, letter_id, "withdrawn", now, actor)
        self._notifications.forget(connection, row.notification_id, row.kutid, row.language)
        return rows.letter(connection, letter_id)

    def find(self, letter_id: str) -> tuple[Letter, tuple[LetterEvent, ...]]:
        """Return any customer's letter, for the insurer, and what happened to it. Raises OutOfTurn."""
        with self._store.read() as connection:
            return rows.letter(connection, letter_id), rows.events(connection, letter_id)

    def _judged(self, connection: Connection, letter: NewLetter) -> NewLetter:
        """Return a letter that fits the register, with the latest day that the profile gives it (P20)."""
        if not self._profile.texts.has(f"letter.type.{letter.type}", self._profile.languages[0]):
            raise Refusal("document", "type")
        if not letter.title.strip() or len(letter.title) > LONGEST_TITLE or not letter.title.isprintable():
            raise Refusal("document", "title")
        if letter.language not in self._profile.languages:
            raise Refusal("document", "language")
        if not connection.execute(select(exists().where(customers.c.kutid == letter.kutid))).scalar():
            raise Refusal("customer", "unknown")
        today = self._clock.now().astimezone(self._profile.zone).date()
        if letter.latest_on is not None and letter.latest_on < today:
            raise Refusal("document", "latest")
        if letter.policy_number is None:
            return letter
        is_theirs = policies.c.policy_number == letter.policy_number, policies.c.kutid == letter.kutid
        policy = connection.execute(select(policies.c.anniversary).where(*is_theirs)).first()
        if policy is None:
            raise Refusal("document", "policy")
        latest_on = letter.latest_on or unread.latest_day(self._profile, letter.type, policy.anniversary, today)
        return replace(letter, latest_on=latest_on)

    def _add(self, connection: Connection, letter_id: str, letter: NewLetter, kept: Kept, now: datetime) -> bool:
        """Add a letter's row; tell whether it goes by post, as its customer wants (P19)."""
        midnight = datetime.combine(now.astimezone(self._profile.zone).date(), time(), self._profile.zone)
        is_on_paper = consents.is_on_paper(connection, letter.kutid, letter.policy_number, midnight)
        given = {name: getattr(letter, name) for name in NewLetter.__dataclass_fields__}
        connection.execute(
            insert(letters).values(
                id=letter_id,
                **given,
                sha256=kept.sha256,
                size=kept.size,
                published_at=now,
                remind_at=None if is_on_paper else self._remind_at(letter, now),
                is_on_paper=is_on_paper,
            )
        )
        return is_on_paper

    def _remind_at(self, letter: NewLetter, now: datetime) -> datetime | None:
        return min(unread.reminders(self._profile, letter.type, now, letter.latest_on).values(), default=None)

    def _replace(self, connection: Connection, letter: NewLetter, letter_id: str, actor: str, now: datetime) -> None:
        own = letters.c.id == letter.replaces, letters.c.kutid == letter.kutid
        replaced = (
            update(letters)
            .where(*own, letters.c.replaced_by.is_(None), letters.c.withdrawn_at.is_(None))
            .values(replaced_by=letter_id)
            .returning(letters.c.id, letters.c.notification_id, letters.c.language)
        )
        row = connection.execute(replaced).first()
        if row is None:
            is_known = connection.execute(select(exists().where(*own))).scalar()
            raise Refusal("document", "replaced" if is_known else "replaces")
        rows.note(connection, row.id, "replaced", now, actor)
        self._notifications.forget(connection, row.notification_id, letter.kutid, row.language)
