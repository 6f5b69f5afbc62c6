"""What is forgiven in typed and pasted text: the one reader of signs that mean the same or nothing."""

import unicodedata
from functools import lru_cache

_MINUS = "−"
_WIDE = frozenset("+-./()")
"""Signs that East Asian keyboards give in another width."""
# Letters that Unicode does not take for a plain letter and a mark.
_FOREIGN = str.maketrans({"ł": "l", "đ": "d", "ð": "d", "ø": "o", "ħ": "h", "ŧ": "t", "ı": "i", "æ": "ae", "œ": "oe"})


def plain(text: str) -> str:
    """Return typed or pasted text, of a code, a date or a number, in the signs of an ordinary keyboard.

    Digits of every script become ASCII, dashes and minus signs a hyphen, spaces and tabs one kind of space. Invisible
    signs are left out (zero-width spaces, marks of direction, soft hyphens), and spaces and full stops at the end.
    """
    if text.isascii():
        return text.replace("\t", " ").strip().rstrip(". ")
    return "".join(map(_plain_sign, text)).strip().rstrip(". ")


def fold(text: str) -> str:
    """Return `text` without case and accents, foreign letters as the Latin ones that people type for them."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign)).translate(_FOREIGN)


@lru_cache(1024)
def _plain_sign(sign: str) -> str:
    category = unicodedata.category(sign)
    if sign.isdecimal():
        return str(unicodedata.decimal(sign))
    if category == "Cf":
        return ""
    if category == "Pd" or sign == _MINUS:
        return "-"
    if sign.isspace():
        return " "
    normal = unicodedata.normalize("NFKC", sign)
    return normal if normal in _WIDE else sign
