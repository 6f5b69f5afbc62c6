"""Reads what was typed as the answer to a question, by the question's type (P34).

What comes out is what JSON can hold: a date is text as 2026-11-30, a time as 14:30, an amount of money a whole number
of the currency's smallest unit, a bank account an IBAN, a statement true; files are their count. A contract is its
policy number; only `services.requests.drafts` knows which there are.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

from stdnum import iban
from stdnum.exceptions import InvalidChecksum, ValidationError

from services.profiles.request_kinds import Page, Question
from services.refusal import Refusal
from services.requests.request import LONGEST_TEXT
from services.values import email_addresses, identifiers, money, written_dates
from services.values.spelling import plain

LONGEST_LINE = 300
_EARLIEST, _LATEST = 1900, 2200
_TIME = re.compile(r"(\d{1,2})[:. ]?(\d{2})")
_PLATE = re.compile(r"(?=.*\d)(?=.*[A-Z])[A-Z0-9]{4,9}")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_WEIGHTS = (9, 7, 3, 1)


@dataclass(frozen=True)
class Reader:
    """What answers are read by: the insurer's country, its languages, and the moment there."""

    country: str
    languages: tuple[str, ...]
    now: datetime
    """In the insurer's zone."""

    @property
    def today(self) -> date:
        """The day that it is at the insurer's."""
        return self.now.date()

    def read(self, question: Question, typed: str, parts: tuple[str, str, str] = ("", "", "")) -> Any:
        """Return the answer to a question, or None where it may be left empty and was.

        `parts` are year, month and day of a date that was given in three fields. Raises Refusal by the type:
        ``<type>.empty``, ``<type>.malformed`` and what else that type can be wrong in.
        """
        whole = _joined(parts) if not typed.strip() else typed
        if not whole.strip():
            if question.is_optional:
                return None
            field = _NAMED_AS.get(question.type, question.type)
            raise Refusal(field, "empty", **({"parts": frozenset(_PARTS)} if field == "date" else {}))
        if question.type in _DATES:
            return self._date(question.type, typed, parts)
        if question.type == "choice":
            if whole not in question.options:
                raise Refusal("choice", "unknown")
            return whole
        return _READERS[question.type](self, whole)

    def check(self, page: Page, answers: Mapping[str, Any]) -> Iterator[tuple[str, Refusal]]:
        """Yield what the answers to one page cannot be together, each with the name of its question.

        Of two days the second is not before the first: ``date.before``. A time of a day that cannot be in the future
        is not to come: ``time.future``.
        """
        given = [one for one in page.questions if answers.get(one.name) is not None]
        days = [one for one in given if one.is_date]
        for first, second in pairwise(days):
            if answers[second.name] < answers[first.name]:
                yield second.name, Refusal("date", "before", parts=frozenset(_PARTS))
        now = f"{self.now:%Y-%m-%d %H:%M}"
        for one in given:
            past = [day for day in days if day.type == "date_until_today"]
            if one.type == "time" and past and f"{answers[past[0].name]} {answers[one.name]}" > now:
                yield one.name, Refusal("time", "future")

    def _date(self, kind: str, typed: str, parts: tuple[str, str, str]) -> str:
        found = self._day(typed, parts)
        if kind == "date_from_today" and found < self.today:
            raise Refusal("date", "past", parts=frozenset(_PARTS))
        if kind == "date_until_today" and found > self.today:
            raise Refusal("date", "future", parts=frozenset(_PARTS))
        return found.isoformat()

    def _day(self, typed: str, parts: tuple[str, str, str]) -> date:
        if not typed.strip() and all(part.strip() for part in parts):
            return _of_parts(parts)
        if not typed.strip() and any(part.strip() for part in parts[1:]):
            missing = [name for name, part in zip(_PARTS, parts, strict=True) if not part.strip()]
            raise Refusal("date", missing[0], parts=frozenset(missing))
        found, rest = written_dates.find(typed.strip() or parts[0], self.languages)
        if found is None and not rest.strip():
            raise Refusal("date", "impossible", parts=frozenset(_PARTS))
        if found is None or rest.strip() or not _EARLIEST <= found.year <= _LATEST:
            raise Refusal("date", "malformed", parts=frozenset(_PARTS))
        return found


_PARTS = ("year", "month", "day")
_DATES = frozenset({"date", "date_from_today", "date_until_today"})
_NAMED_AS = {
    **dict.fromkeys(_DATES, "date"),
    "long_text": "text",
    "bank_account": "account",
    "year": "date",
}
"""How refusals call a type that shares its words with another."""


def _joined(parts: tuple[str, str, str]) -> str:
    return " ".join(parts).strip()


def _of_parts(parts: tuple[str, str, str]) -> date:
    given = [plain(part).rstrip(".") for part in parts]
    wrong = [name for name, part in zip(_PARTS, given, strict=True) if not part.isdecimal()]
    if wrong:
        raise Refusal("date", "malformed", parts=frozenset(wrong))
    year, month, day = given
    if len(year) != 4 or not _EARLIEST <= int(year) <= _LATEST:
        raise Refusal("date", "year", parts=frozenset({"year"}))
    if not 0 < len(month) <= 2 or not 1 <= int(month) <= 12:
        raise Refusal("date", "impossible", parts=frozenset({"month"}))
    try:
        return date(int(year), int(month), int(day) if len(day) <= 2 else 0)
    except ValueError:
        raise Refusal("date", "impossible", parts=frozenset({"day"})) from None


def _line(_: Reader, typed: str) -> str:
    return " ".join(typed.split())


def _long_text(_: Reader, typed: str) -> str:
    text = typed.replace("\r\n", "\n").replace("\r", "\n").strip()
    if (over := len(text) - LONGEST_TEXT) > 0:
        raise Refusal("long_text", "too_long", count=over)
    return text


def _year(reader: Reader, typed: str) -> str:
    year = plain(typed).rstrip(".")
    if len(year) != 4 or not year.isdecimal():
        raise Refusal("date", "year", parts=frozenset({"year"}))
    if not _EARLIEST <= int(year) <= reader.today.year:
        raise Refusal("date", "future" if int(year) > reader.today.year else "year", parts=frozenset({"year"}))
    return year


def _time(_: Reader, typed: str) -> str:
    match = _TIME.fullmatch(plain(typed))
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        raise Refusal("time", "malformed")
    return f"{int(match[1]):02}:{match[2]}"


def _money(reader: Reader, typed: str) -> int:
    currency = money.currency_of(reader.country)
    bare = plain(typed)
    try:
        # What people type is the main unit: 120 are a hundred and twenty euros, not cents.
        decimals = money.digits(currency)
        has_cents = decimals and re.search(r"[.,]\d+$", bare)
        units = money.parse(bare if has_cents else f"{bare}{'.' + '0' * decimals if decimals else ''}", currency)
    except Refusal:
        raise Refusal("money", "malformed") from None
    if units == 0:
        raise Refusal("money", "zero")
    return units


def _plate(_: Reader, typed: str) -> str:
    plate = re.sub(r"[\s-]+", "", plain(typed)).upper()
    if not _PLATE.fullmatch(plate):
        raise Refusal("plate", "malformed")
    return plate


def _bank_account(_: Reader, typed: str) -> str:
    """Return an IBAN; a Hungarian number of 2×8 or 3×8 digits becomes one."""
    compact = re.sub(r"[\s-]+", "", plain(typed)).upper()
    if compact.isdecimal():
        if len(compact) not in (16, 24):
            raise Refusal("account", "malformed")
        digits = compact.ljust(24, "0")
        if not all(_is_checked(part) for part in (digits[:8], digits[8:])):
            raise Refusal("account", "check")
        return f"HU{iban.calc_check_digits(f'HU00{digits}')}{digits}"
    if not _IBAN.fullmatch(compact):
        raise Refusal("account", "malformed")
    try:
        return str(iban.validate(compact))
    except InvalidChecksum:
        raise Refusal("account", "check") from None
    except ValidationError:
        raise Refusal("account", "malformed") from None


def _is_checked(digits: str) -> bool:
    """Tell whether the last digit of a part of a Hungarian account number checks it (MNB's rule 9-7-3-1)."""
    return sum(int(digit) * _WEIGHTS[place % 4] for place, digit in enumerate(digits)) % 10 == 0


def _yes_no(_: Reader, typed: str) -> str:
    if typed not in ("yes", "no"):
        raise Refusal("yes_no", "empty")
    return typed


_READERS: Mapping[str, Callable[[Reader, str], Any]] = {
    **dict.fromkeys(("text", "town", "street", "name"), _line),
    "contract": lambda _, typed: typed.strip(),
    "long_text": _long_text,
    "year": _year,
    "time": _time,
    "money": _money,
    "plate": _plate,
    "postal_code": lambda reader, typed: identifiers.postal_code(typed, reader.country),
    "bank_account": _bank_account,
    "phone": lambda reader, typed: identifiers.phone(typed, reader.country),
    "email": lambda _, typed: email_addresses.parse(typed).typed,
    "yes_no": _yes_no,
    "statement": lambda *_: True,
}
ASKED = frozenset(_READERS) | _DATES | {"choice"}
"""The types of questions that a form's field answers: all but `files`, whose answers are uploads."""
