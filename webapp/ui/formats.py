"""Times, dates and counts in words, in the request's language and the insurer's zone."""

from datetime import date, datetime, timedelta

from babel.dates import format_date, format_skeleton
from babel.numbers import format_decimal
from babel.units import format_unit
from flask import g

from services.values import money
from services.values.spoken_dates import LOW
from webapp.parts import current_parts
from webapp.ui.language import language

_NO_BREAK, _NO_BREAK_HYPHEN = "\u00a0", "\u2011"


def first_minute(moment: datetime) -> datetime:
    """Return the first whole minute that is not before `moment`.

    What is possible from a moment on is said without seconds: cut off, the page would send people a minute too early.
    """
    minute = moment.replace(second=0, microsecond=0)
    return minute if minute == moment else minute + timedelta(minutes=1)


def clock_time(moment: datetime) -> str:
    """Return the time of day such as 10:32 in the insurer's zone; with the date when it is not today."""
    parts = current_parts()
    local, today = moment.astimezone(parts.profile.zone), parts.clock.now().astimezone(parts.profile.zone).date()
    return f"{local:%H:%M}".removeprefix("0") if local.date() == today else date_and_time(moment)


def date_and_time(moment: datetime) -> str:
    """Return date and time such as “2026. november 20. 10:32” in the insurer's zone; a line may break between them."""
    local = moment.astimezone(current_parts().profile.zone)
    return f"{day(moment)} {f'{local:%H:%M}'.removeprefix('0')}"


def day(moment: datetime) -> str:
    """Return the date in words; it does not break across lines."""
    return date_in_words(moment.astimezone(current_parts().profile.zone).date())


def date_in_words(day_of_month: date) -> str:
    """Return a date that has no time of day; it does not break across lines."""
    locale = "en_GB" if language() == "en" else language()
    return format_date(day_of_month, "long", locale).replace(" ", _NO_BREAK)


def hours_in_words(count: int) -> str:
    """Return a number of hours, with the word for it."""
    return format_unit(count, "duration-hour", locale=language()).replace(" ", _NO_BREAK)


def time_left(until: datetime) -> int:
    """Return the whole seconds until a moment, never less than 0."""
    if "now" not in g:
        g.now = current_parts().clock.now()
    left = (until - g.now).total_seconds()
    return max(0, -int(-left // 1))


def date_until(day_of_month: date) -> str:
    """Return a date as the last day of a span: “2026. november 20-ig”; in other languages the date alone."""
    return _with_ending(day_of_month, "jéig", "ig", "ig")


def date_from(day_of_month: date) -> str:
    """Return a date as the first day of a span: “2026. november 20-ától”."""
    return _with_ending(day_of_month, "jétől", "ától", "étől")


def date_on(day_of_month: date) -> str:
    """Return a date as the day on which something happened: “2026. november 20-án”."""
    return _with_ending(day_of_month, "jén", "án", "én")


def _with_ending(day_of_month: date, first: str, low: str, high: str) -> str:
    words = date_in_words(day_of_month)
    if language() != "hu":
        return words
    ending = first if day_of_month.day == 1 else low if day_of_month.day in LOW else high
    # The sign that looks like a hyphen and does not break: “26-ig” stays in one line.
    return f"{words.removesuffix('.')}{_NO_BREAK_HYPHEN}{ending}"


def file_size(count: int) -> str:
    """Return a number of bytes as people read it: 840 B, 84 kB, 1,2 MB."""
    if count < 1000:
        return f"{count}{_NO_BREAK}B"
    if count < 1_000_000:
        return f"{round(count / 1000)}{_NO_BREAK}kB"
    return f"{format_decimal(count / 1_000_000, '#,##0.0', language())}{_NO_BREAK}MB"


def day_of_year(month: int, day_of_month: int) -> str:
    """Return a day of every year in words, as “január 15.”."""
    locale = "en_GB" if language() == "en" else language()
    return format_skeleton("MMMMd", date(2000, month, day_of_month), locale=locale).replace(" ", _NO_BREAK)


def amount(units: int, currency: str) -> str:
    """Return an amount of money in words and figures; `units` are the currency's smallest in use."""
    return money.in_words(units, currency, language())
