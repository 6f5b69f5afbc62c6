"""Tells names that a wrong encoding has damaged, somewhere before the insurer's export: `KovÃ¡cs`, `Kov?cs`."""

import re
from collections.abc import Iterator

_LETTERS = "áéíóöőúüűÁÉÍÓÖŐÚÜŰäčďĺľňôŕšťýžÄČĎĹĽŇÔŔŠŤÝŽß"
_TWICE = "ÃÂĂ"
"""What the first byte of a letter becomes; read wrongly again, it is found by these."""
_ENCODINGS = ("cp1250", "cp1252", "latin-1")


def _misread() -> Iterator[str]:
    """Yield what the letters look like when their bytes in UTF-8 are read in another encoding."""
    for letter in _LETTERS + _TWICE:
        for encoding in _ENCODINGS:
            try:
                yield letter.encode().decode(encoding)
            except UnicodeDecodeError:
                continue


_MISREAD = sorted(set(_misread()))
_DAMAGE = re.compile(rf"\N{{REPLACEMENT CHARACTER}}|[^\W\d_]\?|\?[^\W\d_]|{'|'.join(map(re.escape, _MISREAD))}")

MARKS = tuple(sorted({misread[0] for misread in _MISREAD} | {"\N{REPLACEMENT CHARACTER}", "?"}))
"""Every damaged name has one of these signs, so that a query can pass over the others."""


def is_damaged(name: str) -> bool:
    """Tell whether letters of `name` were lost, or are the two halves of one."""
    return _DAMAGE.search(name) is not None
