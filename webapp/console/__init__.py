"""The console of staff: customer service at /ugyfelszolgalat, advisers at /partner, the same pages for both."""

from webapp.console import cases, entrance, figures, quality, search, worklists
from webapp.console.staff_sessions import DOORS, blueprint

__all__ = ["DOORS", "blueprint", "cases", "entrance", "figures", "quality", "search", "worklists"]
