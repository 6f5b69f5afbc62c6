"""How a file is called, in any script: text that is shown, and never a name on a disk (P38)."""

import re
import unicodedata

LONGEST = 200
_LONGEST_DESCRIPTION = 200
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
_JOINERS = "\u200c\u200d"
"""Invisible signs that words of some scripts are written with. Others would let a name pass for another one."""


def name_of(given: str) -> str:
    """Return the name of a file without the folders before it, on one line; `?` for none."""
    seen = _seen(re.split(r"[/\\]", given)[-1])
    if len(seen) > LONGEST:
        stem, dot, ending = seen.rpartition(".")
        ending = f"{dot}{ending}" if dot and len(ending) <= 8 else ""
        seen = f"{(stem if ending else seen)[: LONGEST - len(ending) - 1]}…{ending}"
    return seen or "?"


def description_of(given: str) -> str | None:
    """Return what the customer says of a file, on one line; None for nothing."""
    return _seen(given)[:_LONGEST_DESCRIPTION] or None


def _seen(text: str) -> str:
    normal = unicodedata.normalize("NFC", text.encode("utf-8", "ignore").decode())
    shown = (sign if sign in _JOINERS or unicodedata.category(sign) not in _UNSEEN else " " if sign in "\t\n\r" else ""
             for sign in normal)  # fmt: skip
    return " ".join("".join(shown).split())
