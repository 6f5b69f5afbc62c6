"""The customer's letters: finding, reading and confirming them (P15–P18, P21)."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from services.accounts import Session
from services.base import Base
from services.gateways.storage import StoredFile
from services.letters import rows
from services.letters.archive import Archive
from services.letters.letter import Letter, LetterEvent
from services.refusal import OutOfTurn
from services.store.tables.letters import letters

PAGE = 20
"""Letters on one page of the list."""


@dataclass(frozen=True)
class LetterFilter:
    """What a customer looks for. Empty values find every letter."""

    words: str = ""
    type: str = ""
    policy_number: str = ""
    year: int | None = None
    is_unread: bool = False


@dataclass(frozen=True)
class LetterPage:
    """One page of the list, newest letters first."""

    letters: tuple[Letter, ...]
    older: str | None
    """The id of the last letter here if there are older ones: the next page begins after it."""


class Mailbox:
    """Shows customers their own letters. Another customer's letter raises OutOfTurn, as one that never was."""

    def __init__(self, base: Base, archive: Archive) -> None:
        self._store = base.store
        self._clock = base.clock
        self._archive = archive

    def unread(self, session: Session) -> int:
        """Return how many letters the customer has not opened."""
        query = select(func.count()).where(_is_own(session), letters.c.opened_at.is_(None), _IS_VALID)
        with self._store.read() as connection:
            return int(connection.execute(query).scalar_one())

    def page(self, session: Session, looked_for: LetterFilter, after: str | None = None) -> LetterPage:
        """Return a page of the letters that are looked for; `after` is the last letter of the page before.

        The page is found by key, not by counting rows (P15).
        """
        query = rows.LETTER.where(_is_own(session), *_conditions(looked_for))
        with self._store.read() as connection:
            if after is not None:
                place = select(letters.c.published_at, letters.c.id).where(letters.c.id == after, _is_own(session))
                last = connection.execute(place).first()
                if last is None:
                    raise OutOfTurn
                query = query.where(
                    or_(
                        letters.c.published_at < last.published_at,
                        and_(letters.c.published_at == last.published_at, letters.c.id < last.id),
                    )
                )
            newest = query.order_by(letters.c.published_at.desc(), letters.c.id.desc()).limit(PAGE + 1)
            found = [Letter(**row._mapping) for row in connection.execute(newest)]
        return LetterPage(tuple(found[:PAGE]), found[PAGE - 1].id if len(found) > PAGE else None)

    def find(self, session: Session, letter_id: str) -> Letter:
        """Return a letter of the customer's. Raises OutOfTurn."""
        with self._store.read() as connection:
            row = connection.execute(rows.LETTER.where(letters.c.id == letter_id, _is_own(session))).first()
        if row is None:
            raise OutOfTurn
        return Letter(**row._mapping)

    def events(self, session: Session, letter_id: str) -> tuple[LetterEvent, ...]:
        """Return what happened to a letter, oldest first. Raises OutOfTurn."""
        self.find(session, letter_id)
        with self._store.read() as connection:
            return rows.events(connection, letter_id)

    def open(self, session: Session, letter_id: str) -> Letter:
        """Note that the customer has opened a letter, the first time, and return it. Raises OutOfTurn."""
        self._once(session, letter_id, "opened")
        return self.find(session, letter_id)

    def confirm(self, session: Session, letter_id: str) -> Letter:
        """Note that the customer confirms having read a letter, the first time, and return it. Raises OutOfTurn."""
        self._once(session, letter_id, "confirmed")
        return self.find(session, letter_id)

    def file(self, session: Session, letter_id: str) -> StoredFile:
        """Return a letter's bytes, and note that they were downloaded.

        They are checked against the hash first (P12). Raises OutOfTurn, or StorageUnavailable, of which LetterDamaged
        is a kind.
        """
        found = self._archive.read(self.open(session, letter_id))
        with self._store.write() as connection:
            rows.note(connection, letter_id, "downloaded", self._clock.now(), "customer")
        return found

    def _once(self, session: Session, letter_id: str, event: str) -> None:
        now = self._clock.now()
        moment = letters.c.opened_at if event == "opened" else letters.c.confirmed_at
        first = (
            update(letters)
            .where(letters.c.id == letter_id, _is_own(session), moment.is_(None), _IS_VALID)
            .values({moment.name: now})
        )
        with self._store.write() as connection:
            if connection.execute(first).rowcount:
                rows.note(connection, letter_id, "opened" if event == "opened" else "confirmed", now, "customer")


_IS_VALID = letters.c.withdrawn_at.is_(None)


def _is_own(session: Session) -> ColumnElement[bool]:
    return letters.c.kutid == session.account.kutid


def _conditions(looked_for: LetterFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if looked_for.type:
        conditions.append(letters.c.type == looked_for.type)
    if looked_for.policy_number:
        conditions.append(letters.c.policy_number == looked_for.policy_number)
    if looked_for.is_unread:
        conditions += [letters.c.opened_at.is_(None), _IS_VALID]
    return conditions
