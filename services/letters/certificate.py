"""The certificate of delivery: what happened to a letter, and what that proves (P18).

"Provided" means what it means in C-375/15: an active notice has reached a mailbox that the customer really uses.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from babel.units import format_unit
from sqlalchemy import Connection, select

from services.accounts import Session
from services.base import Base
from services.gateways.storage import StorageUnavailable
from services.letters import consents, rows
from services.letters.archive import Archive
from services.letters.letter import Letter, LetterEvent
from services.letters.notifications import topic_of
from services.letters.readers import spoken_number
from services.pdf import Block, Events, Fine, Heading, Items, Letterhead, Paper, Text, typeset
from services.profiles import Profile
from services.refusal import OutOfTurn
from services.store.tables.letters import letter_consents, letters
from services.store.tables.messages import outbox
from services.values import masking, spoken_dates

_GROUP = 8
_PROVES_NOT = ("person", "understood", "mailbox", "copies", "qualified")


@dataclass(frozen=True)
class Certificate:
    """What is certified of a letter in one language; it is certified `at` this moment."""

    language: str
    title: str
    at: datetime
    issued: str
    facts: tuple[str, ...]
    """Who issues it, of which letter and which file."""
    events: tuple[tuple[str, str], ...]
    """When, and what happened."""
    proves: tuple[str, ...]
    provided: str
    """What "provided" means, and since when the letter is."""
    proves_not: tuple[str, ...]
    notes: tuple[str, ...]


class Certificates:
    """Certifies how letters were delivered."""

    def __init__(self, base: Base, archive: Archive) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._archive = archive

    def of(self, session: Session, letter_id: str, language: str) -> Certificate:
        """Return the certificate of a letter of the customer's. Raises OutOfTurn for any other."""
        return self._issue(letter_id, language, session.account.kutid)

    def for_insurer(self, letter_id: str, language: str) -> Certificate:
        """Return the certificate of any letter. Raises OutOfTurn when there is none."""
        return self._issue(letter_id, language, None)

    def number(self, session: Session, language: str) -> str:
        """Return the customer number, or else the KÜTID, with the word for it."""
        with self._store.read() as connection:
            return spoken_number(connection, self._profile, session.account.kutid, language)

    def pdf(self, certificate: Certificate) -> bytes:
        """Return a certificate as a PDF/UA-1 file."""
        return typeset(self._paper(certificate), certificate.at)

    def _issue(self, letter_id: str, language: str, kutid: str | None) -> Certificate:
        with self._store.read() as connection:
            letter = rows.letter(connection, letter_id)
            if kutid not in (None, letter.kutid):
                raise OutOfTurn
            events = rows.events(connection, letter_id)
            number = spoken_number(connection, self._profile, letter.kutid, language)
            address, consent = _address(connection, letter_id), _consent(connection, letter)
        words = _Words(self._profile, letter, events, language)
        at, is_unchanged = self._clock.now(), self._is_unchanged(letter)
        return Certificate(
            language=language,
            title=words.say("certificate.title"),
            at=at,
            issued=words.say("certificate.issued", datetime=words.moment(at), customer_number=number),
            facts=words.facts(),
            events=words.events(),
            proves=tuple(words.proves(address, consent, is_unchanged=is_unchanged)),
            provided=words.provided(),
            proves_not=tuple(words.say(f"certificate.not.{what}") for what in _PROVES_NOT),
            notes=(
                words.say("certificate.time", what=self._profile.timezone),
                words.say("certificate.check", reference=letter.id),
            ),
        )

    def _is_unchanged(self, letter: Letter) -> bool:
        """Tell whether the stored file is the one that was published; False also while the storage is away."""
        try:
            for _ in self._archive.read(letter).chunks:
                pass
        except StorageUnavailable:
            return False
        return True

    def _paper(self, certificate: Certificate) -> Paper:
        def say(key: str) -> str:
            return self._profile.texts.say(key, certificate.language)

        blocks: tuple[Block, ...] = (
            *map(Text, certificate.facts),
            Heading(say("delivery.heading")),
            Events(certificate.events),
            Heading(say("certificate.proves.heading")),
            Items(certificate.proves),
            Heading(say("certificate.provided.heading")),
            Text(certificate.provided),
            Heading(say("certificate.not.heading")),
            Items(certificate.proves_not),
            *map(Fine, certificate.notes),
        )
        head = Letterhead.of(self._profile, certificate.language)
        return Paper(certificate.language, certificate.title, head, blocks, aside=(certificate.issued,))


class _Words:
    """What there is to say of one letter in one language."""

    def __init__(self, profile: Profile, letter: Letter, events: tuple[LetterEvent, ...], language: str) -> None:
        self._profile = profile
        self._letter = letter
        self._events = events
        self._language = language

    def say(self, key: str, **facts: str) -> str:
        return self._profile.texts.say(key, self._language, **facts)

    def moment(self, at: datetime) -> str:
        return spoken_dates.moment(at, self._profile.zone, self._language)

    def facts(self) -> tuple[str, ...]:
        letter = self._letter
        kind = f"letter.type.{letter.type}"
        known = self._profile.texts.has(kind, self._language)
        size = format_unit(letter.size, "digital-byte", locale=self._language)
        return (
            self.say("certificate.issuer"),
            self.say(
                "certificate.letter",
                document_type=self.say(kind) if known else letter.title,
                date=spoken_dates.day(letter.issued_on, self._language),
            ),
            self.say("certificate.file", file_type="PDF", file_size=size, hash=_grouped(letter.sha256)),
        )

    def events(self) -> tuple[tuple[str, str], ...]:
        return tuple((self.moment(event.at), self.say(f"letter.state.{event.type}")) for event in self._events)

    def proves(self, address: str | None, consent: Any, *, is_unchanged: bool) -> Iterator[str]:
        """Yield what is certified, and what has not happened yet."""
        yield self._proved("published")
        if notified := self._first("notified"):
            masked = {"email_masked": masking.email(address)} if address else {}
            key = f"certificate.proves.notified{'' if address else '.plain'}"
            yield self.say(key, datetime=self.moment(notified.at), **masked)
        else:
            yield self.say("certificate.bounced" if self._first("bounced") else "certificate.not_yet.notified")
        if consent is not None:
            yield self.say("certificate.proves.consent", datetime=self.moment(consent.at), version=consent.version)
        yield self._proved("opened") if self._first("opened") else self.say("certificate.not_yet.opened")
        if self._first("confirmed"):
            yield self._proved("confirmed")
        if printed := self._first("printed"):
            on = printed.at.astimezone(self._profile.zone).date()
            yield self.say("certificate.proves.printed", date_on=spoken_dates.day_on(on, self._language))
        for what in ("withdrawn", "replaced"):
            if event := self._first(what):
                yield self.say(f"certificate.{what}", datetime=self.moment(event.at))
        if is_unchanged:
            yield self.say("certificate.proves.unchanged")

    def provided(self) -> str:
        """Return what "provided" means, and when the letter was: when a notification reached the mailbox."""
        notified = self._first("notified")
        if notified is None:
            return self.say("certificate.provided.not_yet")
        return self.say("certificate.provided.text", datetime=self.moment(notified.at))

    def _proved(self, what: str) -> str:
        event = self._first(what)
        assert event is not None
        return self.say(f"certificate.proves.{what}", datetime=self.moment(event.at))

    def _first(self, what: str) -> LetterEvent | None:
        return next((event for event in self._events if event.type == what), None)


def _grouped(sha256: str) -> str:
    """Return a hash in groups of eight."""
    return " ".join(sha256[start : start + _GROUP] for start in range(0, len(sha256), _GROUP))


def _consent(connection: Connection, letter: Letter) -> Any:
    """Return the customer's consent to electronic letters as it was when this one was published; None without one."""
    before = consents.newest(letter.kutid).where(letter_consents.c.at <= letter.published_at)
    row = connection.execute(before).first()
    return row if row is not None and row.is_agreed else None


def _address(connection: Connection, letter_id: str) -> str | None:
    """Return the address to which a letter's notification went, as long as that is kept."""
    known = select(letters.c.notification_id).where(letters.c.id == letter_id)
    notification_id: str | None = connection.execute(known).scalar()
    if notification_id is None:
        return None
    sent = select(outbox.c.recipient).where(outbox.c.topic == topic_of(notification_id)).limit(1)
    address: str | None = connection.execute(sent).scalar()
    return address
