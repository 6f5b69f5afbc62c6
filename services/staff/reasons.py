"""What staff write in their own words: the reason for a deed, or a note on a case."""

import re

from services.refusal import Refusal

_LONGEST = 200
_PERSONAL = re.compile(r"@|\d(?:[ ./-]?\d){4}")
"""An address, or five digits in a row: a number of some kind."""


def refuse_reason(reason: str, field: str = "reason") -> None:
    """Raise Refusal ``<field>.empty``, ``<field>.too_long`` or ``<field>.personal`` for a text that cannot be used."""
    if not reason.strip():
        raise Refusal(field, "empty")
    if len(reason) > _LONGEST:
        raise Refusal(field, "too_long", length=_LONGEST)
    if _PERSONAL.search(reason):
        raise Refusal(field, "personal")
