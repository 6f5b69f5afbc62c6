"""What the next page says once, such as that something was saved."""

from typing import Any

from flask import session
from markupsafe import Markup

from webapp.ui.language import say


class Flash:
    """The texts that one part of the site leaves for its next page.

    Each part has its own: one browser may show a customer's pages and the console's side by side, and neither shows
    the other's. Only the key of the text is kept, so that the page fills in what it knows, in its own language.
    """

    def __init__(self, part: str) -> None:
        self._key = f"flash_{part}"

    def leave(self, key: str, **facts: str | int) -> None:
        """Have the next page say the text `key`, filled with `facts`; never with what a customer gave."""
        session[self._key] = [key, facts]

    def take(self, **facts: Any) -> Markup | None:
        """Return the text that was left, filled with these facts of the page besides its own; None if there is none."""
        key, left = session.pop(self._key, (None, {}))
        return say()(key, **{**facts, **left}) if key else None
