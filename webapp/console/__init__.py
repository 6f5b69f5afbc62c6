"""The console of staff: customer service and advisers each have an entrance, and the same pages behind it."""

from webapp.console import (
    cases,
    entrance,
    figures,
    granted,
    letter_lists,
    letter_passwords,
    letters,
    money,
    quality,
    requests,
    search,
    worklists,
)
from webapp.console.staff_sessions import open_doors

__all__ = [
    "cases", "entrance", "figures", "granted", "letter_lists", "letter_passwords", "letters", "money", "open_doors",
    "quality", "requests", "search", "worklists",
]  # fmt: skip
