"""The console of staff: customer service and advisers each have an entrance, and the same pages behind it."""

from webapp.console import (
    cases,
    entrance,
    figures,
    granted,
    letter_lists,
    letter_passwords,
    letters,
    managed,
    money,
    quality,
    requests,
    search,
    worklists,
)
from webapp.console.managed import turn_away
from webapp.console.staff_sessions import PARTNER, open_doors

__all__ = [
    "PARTNER", "cases", "entrance", "figures", "granted", "letter_lists", "letter_passwords", "letters", "managed",
    "money", "open_doors", "quality", "requests", "search", "turn_away", "worklists",
]  # fmt: skip
