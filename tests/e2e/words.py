"""What the pages say, by key: no test repeats a sentence that the catalogue owns."""

import re
from typing import Any

from services.profiles import default, known, load

PROFILE = load(default())
OTHERS = tuple(name for name in known().split(", ") if name != PROFILE.name)
LOCALES = {"hu": "hu-HU", "en": "en-GB", "sk": "sk-SK"}
"""What browsers call the languages of the profiles."""
PHONE = PROFILE.phone_display


def words(key: str, language: str = "hu", **facts: Any) -> str:
    """Return the plain text of `key`, filled."""
    return plain(PROFILE.texts.say(key, language, **facts))


def pattern(key: str, language: str = "hu", **facts: Any) -> re.Pattern[str]:
    """Return a pattern for the text of `key`: the facts given are filled in, others may be anything."""
    template = PROFILE.texts.template(key, language, facts or {"any": 5})
    known = {**PROFILE.texts.facts(language), **facts}
    pieces = re.split(r"\{(\w+)\}", plain(template))
    return re.compile(
        "".join(
            re.escape(piece) if place % 2 == 0 else re.escape(plain(str(known[piece]))) if piece in known else "(.+?)"
            for place, piece in enumerate(pieces)
        )
    )


def plain(text: str) -> str:
    """Return `text` with every kind of space made one ordinary space, as tests compare it."""
    return " ".join(text.split())
