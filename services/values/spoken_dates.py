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
    return _with_ending(day_of_month, language, ("jén", "án", "én"))


def day_until(day_of_month: date, language: str) -> str:
    """Return the last day of a span: in Hungarian “2026. november 20-ig”, else as `day`."""
    return _with_ending(day_of_month, language, ("jéig", "ig", "ig"))


def day_from(day_of_month: date, language: str) -> str:
    """Return the first day of a span: in Hungarian “2026. november 20-ától”, else as `day`."""
    return _with_ending(day_of_month, language, ("jétől", "ától", "étől"))


def short(day_of_month: date, language: str) -> str:
    """Return a day in figures, for text messages: “2026.11.20”, in other languages “20.11.2026”."""
    return f"{day_of_month:%Y.%m.%d}" if language == "hu" else f"{day_of_month:%d.%m.%Y}"


def moment(at: datetime, zone: ZoneInfo, language: str) -> str:
    """Return “2026. november 20. 9:02:11” in `zone`."""
    local = at.astimezone(zone)
    return f"{day(local.date(), language)}{_NO_BREAK}{local.hour}:{local.minute:02}:{local.second:02}"


def _with_ending(day_of_month: date, language: str, endings: tuple[str, str, str]) -> str:
    """Return a day with the ending that its number takes: of the first, of a low one, of any other."""
    words, number = day(day_of_month, language), day_of_month.day
    if language != "hu":
        return words
    ending = endings[0 if number == 1 else 1 if number in LOW else 2]
    return f"{words.removesuffix('.')}-{ending}"
