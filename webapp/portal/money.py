"""Money and days in words, in the request's language."""

from datetime import date

from babel import Locale
from babel.numbers import format_currency

from services.payments.money import PLACES, decimal
from webapp.ui.formats import date_in_words
from webapp.ui.language import language

_NO_BREAK = "\u00a0"
_BACK = (2, 3, 6, 8, 13, 16, 18, 20, 23, 26, 28, 30)
"""The days whose Hungarian number has back vowels, and so has its ending."""


def money(amount: int, currency: str) -> str:
    """Return an amount of the smallest unit such as “24 900 Ft”; it does not break across lines (P52)."""
    locale = "en_GB" if language() == "en" else language()
    pattern = str(Locale.parse(locale).currency_formats["standard"].pattern)
    if not PLACES[currency]:
        pattern = pattern.replace(".00", "")
    words = format_currency(decimal(amount, currency), currency, pattern, locale=locale, currency_digits=False)
    return words.replace(" ", _NO_BREAK)


def date_until(day: date) -> str:
    """Return a day as the last one of a time: “2026. november 20-ig”."""
    return _with_ending(day, "ig", "ig", "ig")


def date_on(day: date) -> str:
    """Return a day as the one on which something happens: “2026. november 20-án”."""
    return _with_ending(day, "én", "án", "jén")


def date_from(day: date) -> str:
    """Return a day as the first one of a time: “2026. november 20-ától”."""
    return _with_ending(day, "étől", "ától", "jétől")


def _with_ending(day: date, front: str, back: str, first: str) -> str:
    words = date_in_words(day)
    if language() != "hu":
        return words
    ending = first if day.day == 1 else back if day.day in _BACK else front
    return f"{words.removesuffix('.')}\u2011{ending}"
