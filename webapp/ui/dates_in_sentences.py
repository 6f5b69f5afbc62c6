"""Dates with the ending that a Hungarian sentence gives them, as “2026. november 20-ig”; elsewhere as they are."""

from datetime import date

from markupsafe import Markup

from webapp.ui.formats import date_in_words
from webapp.ui.language import language

_WITH_A = frozenset({2, 3, 6, 8, 13, 16, 18, 20, 23, 26, 28, 30})
"""The days whose word takes endings with *a*, as in *huszadikától*; all others take *e*."""


def date_until(day: date) -> Markup:
    """Return the date as the last day of something: -ig."""
    return _ending(day, "éig" if day.day == 1 else "ig")


def date_from(day: date) -> Markup:
    """Return the date as the first day of something: -ától, -étől."""
    return _ending(day, "ától" if day.day in _WITH_A else "étől")


def _ending(day: date, ending: str) -> Markup:
    words = date_in_words(day)
    if language() != "hu":
        return Markup('<span class="day">{}</span>').format(words)
    between = "-j" if day.day == 1 else "-"
    # A line would break at the hyphen.
    return Markup('<span class="day">{}{}{}</span>').format(words.removesuffix("."), between, ending)
