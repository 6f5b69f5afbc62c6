"""Letters in words, as lists and pages show them."""

import re
from dataclasses import dataclass, replace
from datetime import date

from flask import url_for

from services.letters.letter import Letter
from services.values.spelling import fold
from webapp.parts import current_parts
from webapp.ui.formats import date_in_words, date_on, date_until, day
from webapp.ui.language import language, say

_OTHER = "other"


@dataclass(frozen=True)
class Badge:
    """What a line says of a letter's state: its colour, its picture, its words."""

    tone: str
    icon: str
    words: str


def today() -> date:
    """Return the day that it is at the insurer."""
    parts = current_parts()
    return parts.clock.now().astimezone(parts.profile.zone).date()


def type_in_words(letter_type: str) -> str:
    """Return a type of letter in words; one without words of its own is another letter."""
    key = f"letter.type.{letter_type}"
    known = current_parts().profile.texts.has(key, language())
    return say().plain(key if known else f"letter.type.{_OTHER}")


def file_name(letter: Letter) -> str:
    """Return the name under which a letter is saved: type and date, nothing of the customer's (P17)."""
    words = re.sub(r"[^a-z0-9]+", "-", fold(type_in_words(letter.type))).strip("-") or "level"
    return f"{words}-{letter.issued_on.isoformat()}.pdf"


def line(letter: Letter) -> dict[str, object]:
    """Return what a line of a list shows of a letter."""
    words = type_in_words(letter.type)
    return {
        "id": letter.id,
        "href": url_for("letter.show", letter_id=letter.id),
        "type": words,
        "title": letter.title if fold(letter.title) != fold(words) else "",
        "date": date_in_words(letter.issued_on),
        "contract": letter.policy_number,
        "is_unread": letter.is_unread and not letter.is_withdrawn,
        "is_withdrawn": letter.is_withdrawn,
        "badge": badge(letter),
    }


def badge(letter: Letter) -> Badge | None:
    """Return the state that a list shows of a letter; None for one that is simply there."""
    shown = _badge(letter)
    # At large text a badge breaks, also inside of its date.
    return shown and replace(shown, words=shown.words.replace("\u00a0", " "))


def _badge(letter: Letter) -> Badge | None:
    t = say()
    if letter.withdrawn_at is not None:
        return Badge("plain", "undo", f"{t.plain('letter.list.withdrawn')}: {day(letter.withdrawn_at)}")
    if letter.replaced_by is not None:
        return Badge("plain", "document", t.plain("letter.list.replaced"))
    if letter.latest_on is not None and letter.is_unread:
        return Badge("warn", "clock", t.plain("letter.list.by_day", date_until=date_until(letter.latest_on)))
    if letter.confirm_by is not None and letter.is_to_confirm:
        return Badge("warn", "clock", t.plain("letter.list.confirm_by", date_until=date_until(letter.confirm_by)))
    return Badge("ok", "tick", t.plain("letter.list.confirmed")) if letter.confirmed_at is not None else None


def due_day(letter: Letter) -> date:
    """Return the day by which a letter is to be read or confirmed."""
    day_ = letter.latest_on if letter.is_unread and letter.latest_on else letter.confirm_by
    return day_ or date.max


def due_in_words(letter: Letter) -> tuple[str, bool]:
    """Return what the customer is to do with a letter, by when, and whether that day is over."""
    words, now, by = type_in_words(letter.type), today(), due_day(letter)
    t = say()
    if not (letter.is_unread and letter.latest_on):
        return t.plain("home.todo.confirm", date_until=date_until(by), document_type=words), by < now
    if by < now:
        return t.plain("home.todo.letter.late", date_on=date_on(by), document_type=words), True
    if by == now:
        return t.plain("home.todo.letter.today", document_type=words), False
    return t.plain("home.todo.letter", date_until=date_until(by), document_type=words), False
