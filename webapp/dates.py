"""Dates as people type them: whole or in parts, with digits of any script."""

import re
from datetime import date

from services.refusal import Refusal
from services.spelling import plain

_EARLIEST_YEAR = 1900
_PARTS = ("year", "month", "day")


def read_date(whole: str, parts: tuple[str, str, str], today: date) -> date:
    """Return the date of birth in `whole` (ISO, 1985.03.14., 1985 03 14), or in `parts` (year, month, day).

    A whole date in the first part is taken apart. Raises Refusal ``birth_date.…``; its fact `parts` names the
    parts in error.
    """
    year, month, day = (plain(part) for part in parts)
    for text in (plain(whole), year if not (month or day) else ""):
        pieces = [piece for piece in re.split(r"[\s./\-]+", text) if piece]
        if len(pieces) == 1 and len(pieces[0]) == 8 and pieces[0].isdecimal():
            pieces = [pieces[0][:4], pieces[0][4:6], pieces[0][6:]]
        if len(pieces) == 3:
            year, month, day = pieces
            break
        if text and text is not year:
            raise _refusal("malformed", *_PARTS)
    return _checked(year, month.rstrip("."), day.rstrip("."), today)


def _checked(year: str, month: str, day: str, today: date) -> date:
    given = dict(zip(_PARTS, (year.rstrip("."), month, day), strict=True))
    missing = [part for part in _PARTS if not given[part]]
    if len(missing) == 3:
        raise _refusal("empty", *_PARTS)
    if missing:
        raise _refusal(missing[0], *missing)
    wrong = [part for part in _PARTS if not given[part].isdecimal()]
    if wrong:
        raise _refusal("malformed", *wrong)
    if len(given["year"]) != 4:
        raise _refusal("year", "year")
    month, day = month.lstrip("0"), day.lstrip("0")
    if not (0 < len(month) <= 2 and int(month) <= 12):
        raise _refusal("impossible", "month")
    if int(given["year"]) < _EARLIEST_YEAR:
        raise _refusal("too_old", "year")
    if not 0 < len(day) <= 2:
        raise _refusal("impossible", "day")
    try:
        born = date(int(given["year"]), int(month), int(day))
    except ValueError:
        raise _refusal("impossible", "day") from None
    if born > today:
        raise _refusal("future", *_PARTS)
    return born


def _refusal(reason: str, *parts: str) -> Refusal:
    return Refusal("birth_date", reason, parts=frozenset(parts))
