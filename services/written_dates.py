"""Dates in a line of text, as people type or paste them: "1948.07.22.", "1948. július 22.", "22 July 1948"."""

import re
from collections.abc import Iterable
from datetime import date
from functools import cache

from babel.dates import get_month_names

from services.spelling import fold, plain

_YEAR_FIRST = re.compile(r"(?P<y>\d{4})[-./ ]{1,2}(?P<m>\d{1,2})[-./ ]{1,2}(?P<d>\d{1,2})\b\.?")
_DAY_FIRST = re.compile(r"\b(?P<d>\d{1,2})[-./ ]{1,2}(?P<m>\d{1,2})[-./ ]{1,2}(?P<y>\d{4})\b\.?")
_TOGETHER = re.compile(r"\b(?P<y>\d{4})(?P<m>\d{2})(?P<d>\d{2})\b")
# "14-én", "1-jén", "14-i", "14-től"; "22nd"
_ENDING = re.compile(
    r"(?<=\d)(?:\.?-(?:j?[aáeé]n?|j?[aáeé]t[őo]l|j?[aáeé]ig|t[őo]l|ig|i)|st|nd|rd|th)\b", re.IGNORECASE
)
_MONTH_BETWEEN = re.compile(r"(?<=\d)[. ]{0,2}([^\W\d_]{3,})\.?(?= ?\d)")


def find(text: str, languages: Iterable[str]) -> tuple[date | None, str]:
    """Return the first date in `text` and what else it says; months may be words of `languages`.

    Endings of the day, as in "14-én" and "22nd", belong to the date. A date that is in no calendar is None, and is not
    among the rest either; without a date the rest is `text` as it is.
    """
    months = {name: number for language in languages for name, number in _months(language)}

    def numbered(match: re.Match[str]) -> str:
        number = months.get(_folded(match[1]))
        return f" {number} " if number else match[0]

    line = " ".join(_MONTH_BETWEEN.sub(numbered, _ENDING.sub("", plain(text))).split())
    for form in (_YEAR_FIRST, _DAY_FIRST, _TOGETHER):
        if match := form.search(line):
            try:
                found = date(int(match["y"]), int(match["m"]), int(match["d"]))
            except ValueError:
                found = None
            return found, form.sub(" ", line)
    return None, text


@cache
def _months(language: str) -> tuple[tuple[str, int], ...]:
    return tuple(
        (_folded(name), number)
        for width in ("wide", "abbreviated")
        for context in ("format", "stand-alone")
        for number, name in get_month_names(width, context, language).items()
    )


def _folded(word: str) -> str:
    return "".join(sign for sign in fold(word) if sign.isalnum())
