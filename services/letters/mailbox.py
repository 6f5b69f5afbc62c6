"""The customer's letters: finding, reading and confirming them (P15–P18, P21, P22)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Connection, Select, and_, extract, func, or_, select, update

from services.accounts import Session
from services.base import Base
from services.gateways.storage import StoredFile
from services.letters import rows
from services.letters.archive import Archive, LetterDamaged
from services.letters.letter import EventType, Letter, LetterEvent
from services.refusal import OutOfTurn
from services.store.tables.letters import letters
from services.store.tables.register import policies
from services.values.spelling import fold

PAGE = 20
"""Letters on one page of the list."""
MANY = 100
"""Unread letters are counted up to here: more cost no more."""
_LOOKED_AT = 500
"""Filters offer the types and years of this number of newest letters: a full box costs no more (P15)."""
_MOST_WORDS = 8
_TYPE = "letter.type."


@dataclass(frozen=True)
class LetterFilter:
    """What a customer looks for. Empty values find every letter."""

    words: str = ""
    """Words of the letter's type, or a part of the contract's number (P15)."""
    type: str = ""
    policy_number: str = ""
    year: int | None = None
    """Of the letter's own date."""
    is_unread: bool = False
    is_due: bool = False
    """Unread with a latest day, or to be confirmed."""
    since: datetime | None = None
    """The earliest moment of publication."""


@dataclass(frozen=True)
class LetterPage:
    """One page of the list, newest letters first."""

    letters: tuple[Letter, ...]
    older: str | None
    """The id of the last letter here if there are older ones: the next page begins after it."""
    found: int | None = None
    """How many letters there are in all; None where nothing was looked for, as counting a full box is slow."""


@dataclass(frozen=True)
class LetterChoices:
    """What a customer can filter by."""

    types: tuple[str, ...]
    policy_numbers: tuple[str, ...]
    years: tuple[int, ...]


class Mailbox:
    """Shows customers their own letters. Another customer's letter raises OutOfTurn, as one that never was."""

    def __init__(self, base: Base, archive: Archive) -> None:
        self._store = base.store
        self._clock = base.clock
        self._archive = archive
        self._type_words = _type_words(base)

    def unread(self, session: Session) -> int:
        """Return how many letters the customer has not opened, and `MANY` where there are more."""
        some = select(letters.c.id).where(_is_own(session), letters.c.opened_at.is_(None), _IS_VALID).limit(MANY)
        with self._store.read() as connection:
            return int(connection.execute(select(func.count()).select_from(some.subquery())).scalar_one())

    def page(self, session: Session, looked_for: LetterFilter, after: str | None = None) -> LetterPage:
        """Return a page of the letters that are looked for; `after` is the last letter of the page before.

        The page is found by key, not by counting rows (P15). Raises OutOfTurn where `after` is none of the customer's.
        """
        conditions = [_is_own(session), *self._conditions(looked_for)]
        query = rows.LETTER.where(*conditions)
        with self._store.read() as connection:
            if after is not None:
                query = query.where(rows.is_older(connection, session.account.kutid, after))
            newest = query.order_by(letters.c.published_at.desc(), letters.c.id.desc()).limit(PAGE + 1)
            shown = [Letter(**row._mapping) for row in connection.execute(newest)]
            found = None
            if looked_for != LetterFilter():
                found = int(connection.execute(select(func.count()).where(*conditions)).scalar_one())
        return LetterPage(tuple(shown[:PAGE]), shown[PAGE - 1].id if len(shown) > PAGE else None, found)

    def choices(self, session: Session) -> LetterChoices:
        """Return what the customer's letters can be filtered by: types, contracts of the register, years."""
        own = select(letters.c.type, extract("year", letters.c.issued_on).label("year")).where(_is_own(session))
        newest, oldest = (
            own.order_by(letters.c.published_at.desc()).limit(_LOOKED_AT).subquery(),
            own.order_by(letters.c.published_at).limit(1).subquery(),
        )
        kinds = select(newest).union(select(oldest))
        numbers = select(policies.c.policy_number).where(policies.c.kutid == session.account.kutid)
        with self._store.read() as connection:
            seen = connection.execute(kinds).all()
            contracts = connection.execute(numbers.order_by(policies.c.policy_number)).scalars().all()
        years = [int(row.year) for row in seen]
        return LetterChoices(
            types=tuple(sorted({row.type for row in seen})),
            policy_numbers=tuple(contracts),
            years=tuple(range(max(years), min(years) - 1, -1)) if years else (),
        )

    def find(self, session: Session, letter_id: str) -> Letter:
        """Return a letter of the customer's. Raises OutOfTurn."""
        with self._store.read() as connection:
            return _found(connection, session, letter_id)

    def is_of_another(self, session: Session, letter_id: str) -> bool:
        """Tell whether the letter is another customer's; nothing else is told of it (P3)."""
        query = select(letters.c.id).where(letters.c.id == letter_id, ~_is_own(session))
        with self._store.read() as connection:
            return connection.execute(query).first() is not None

    def events(self, session: Session, letter_id: str) -> tuple[LetterEvent, ...]:
        """Return what happened to a letter, oldest first. Raises OutOfTurn."""
        with self._store.read() as connection:
            _found(connection, session, letter_id)
            return rows.events(connection, letter_id)

    def open(self, session: Session, letter_id: str) -> Letter:
        """Note that the customer has opened a letter, the first time, and return it. Raises OutOfTurn."""
        with self._store.write() as connection:
            self._once(connection, session, letter_id, "opened")
            return _found(connection, session, letter_id)

    def confirm(self, session: Session, letter_id: str) -> Letter:
        """Note that the customer confirms having read a letter, the first time, and return it.

        Raises OutOfTurn where it is not to be confirmed, or was not opened before (P21).
        """
        with self._store.write() as connection:
            letter = _found(connection, session, letter_id)
            if letter.is_unread or letter.confirm_by is None:
                raise OutOfTurn
            self._once(connection, session, letter_id, "confirmed")
            return _found(connection, session, letter_id)

    def file(self, session: Session, letter_id: str, *, is_saved: bool = False) -> StoredFile:
        """Return a letter's bytes, and note that the customer opened it and, where it `is_saved`, downloaded it.

        The bytes are checked before any of them leaves (P12). Raises OutOfTurn, also for a withdrawn letter, or
        StorageUnavailable, of which LetterDamaged is a kind; then the letter was not opened.
        """
        letter = self.find(session, letter_id)
        if letter.is_withdrawn:
            raise OutOfTurn
        found = self._archive.read(letter)
        with self._store.write() as connection:
            self._once(connection, session, letter_id, "opened")
            if is_saved:
                rows.note(connection, letter_id, "downloaded", self._clock.now(), "customer")
        return found

    def archive(self, session: Session, since: datetime | None) -> Iterator[tuple[Letter, StoredFile | None]]:
        """Yield the customer's letters, newest first, with their bytes; those published `since` where it is given.

        A withdrawn or damaged letter comes without bytes. Raises StorageUnavailable. Nothing counts as opened.
        """
        after = None
        while True:
            page = self.page(session, LetterFilter(since=since), after)
            for letter in page.letters:
                yield letter, self._content(letter)
            after = page.older
            if after is None:
                return

    def _content(self, letter: Letter) -> StoredFile | None:
        if letter.is_withdrawn:
            return None
        try:
            return self._archive.read(letter)
        except LetterDamaged:
            return None

    def _once(self, connection: Connection, session: Session, letter_id: str, event: EventType) -> None:
        now = self._clock.now()
        moment = letters.c.opened_at if event == "opened" else letters.c.confirmed_at
        first = (
            update(letters)
            .where(letters.c.id == letter_id, _is_own(session), moment.is_(None), _IS_VALID)
            .values({moment.name: now})
        )
        if connection.execute(first).rowcount:
            rows.note(connection, letter_id, event, now, "customer")

    def _conditions(self, looked_for: LetterFilter) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = [
            self._has_word(word) for word in looked_for.words.split()[:_MOST_WORDS]
        ]
        if looked_for.type:
            conditions.append(letters.c.type == looked_for.type)
        if looked_for.policy_number:
            conditions.append(letters.c.policy_number == looked_for.policy_number)
        if looked_for.year:
            conditions.append(letters.c.issued_on.between(date(looked_for.year, 1, 1), date(looked_for.year, 12, 31)))
        if looked_for.is_unread:
            conditions += [letters.c.opened_at.is_(None), _IS_VALID]
        if looked_for.is_due:
            conditions += [_IS_DUE, _IS_VALID, letters.c.replaced_by.is_(None)]
        if looked_for.since is not None:
            conditions.append(letters.c.published_at >= looked_for.since)
        return conditions

    def _has_word(self, word: str) -> ColumnElement[bool]:
        types = [type_ for type_, words in self._type_words.items() if fold(word) in words]
        return or_(letters.c.type.in_(types), letters.c.policy_number.icontains(word, autoescape=True))


_IS_VALID = letters.c.withdrawn_at.is_(None)
_IS_DUE = or_(
    and_(letters.c.latest_on.is_not(None), letters.c.opened_at.is_(None)),
    and_(letters.c.confirm_by.is_not(None), letters.c.confirmed_at.is_(None)),
)


def _is_own(session: Session) -> ColumnElement[bool]:
    return letters.c.kutid == session.account.kutid


def _found(connection: Connection, session: Session, letter_id: str) -> Letter:
    own: Select[tuple[object, ...]] = rows.LETTER.where(letters.c.id == letter_id, _is_own(session))
    row = connection.execute(own).first()
    if row is None:
        raise OutOfTurn
    return Letter(**row._mapping)


def _type_words(base: Base) -> dict[str, str]:
    """Return the words of each type of letter in all the insurer's languages, without case and accents."""
    found: dict[str, str] = {}
    for language in base.profile.languages:
        for key, words in base.profile.texts.spoken(language).items():
            if key.startswith(_TYPE):
                type_ = key.removeprefix(_TYPE)
                found[type_] = f"{found.get(type_, '')}\n{fold(words)}"
    return found
