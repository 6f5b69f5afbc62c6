"""Dates and moments in words, in a language that is handed over: for mails, letters and certificates."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date

_NO_BREAK = "\N{NO-BREAK SPACE}"
_LOCALES = {"en": "en_GB"}  # "20 November 2026" (wording, rule 9); Babel's "en" would put the month first
LOW = frozenset({2, 3, 6, 8, 13, 16, 18, 20, 23, 26, 28, 30})
"""Days of the month whose Hungarian number takes the ending -án; all others but the first take -én."""


def day(day_of_month: date, language: str) -> str:
    """Return “2026. november 20.”, which does not break across lines."""
    return format_date(day_of_month, "long", locale=_LOCALES.get(language, language)).replace(" ", _NO_BREAK)


def day_on(day_of_month: date, language: str) -> str:
    """Return the day on which something happened: in Hungarian “2026. november 20-án”, else as `day`."""
    words = day(day_of_month, language)
    if language != "hu":
        return words
    number = day_of_month.day
    ending = "jén" if number == 1 else "án" if number in LOW else "én"
    return f"{words.removesuffix('.')}-{ending}"


def moment(at: datetime, zone: ZoneInfo, language: str) -> str:
    """Return “2026. november 20. 9:02:11” in `zone`."""
    local = at.astimezone(zone)
    return f"{day(local.date(), language)}{_NO_BREAK}{local.hour}:{local.minute:02}:{local.second:02}"
