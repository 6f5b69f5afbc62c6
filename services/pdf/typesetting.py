"""Typesets papers as tagged PDF files by typst. It takes neither fonts of the machine nor anything of a network."""

import json
import re
import unicodedata
from collections.abc import Callable
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

from services.pdf.paper import Paper

_STANDARD = "ua-1"
"""PDF/UA-1 (ISO 14289-1): typst refuses what does not meet it."""

_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn")
_KEPT = "\N{SOFT HYPHEN}\N{ZERO WIDTH SPACE}"
_EUROPEAN = re.compile(
    "[^\\u0020-\\u024f\\u0370-\\u03ff\\u0400-\\u045f\\u1e00-\\u1eff\\u2010-\\u2027\\u202f-\\u2030\\u2039\\u203a\\u20ac]"
)
"""What is not Latin, Greek, Cyrillic or usual punctuation: typst's own fonts need not have it."""


def typeset(paper: Paper, at: datetime) -> bytes:
    """Return `paper` as a PDF/UA-1 file that was made `at`. The same paper at the same time gives the same bytes.

    A sign that the fonts do not have is written as a question mark: PDF/UA allows no sign without a shape.
    """
    data = paper.as_data()
    try:
        return _compiled(_each(data, _visible), at)
    except _typst().TypstError:
        return _compiled(_each(data, lambda text: _EUROPEAN.sub("?", _visible(text))), at)


def _compiled(data: Any, at: datetime) -> bytes:
    typst = _typst()
    # One compiler for each paper: a compiler is not for several threads, and costs less than a millisecond.
    compiler = typst.Compiler(input=_template(), font_paths=_fonts())
    made: bytes = compiler.compile(
        format="pdf",
        sys_inputs={"data": json.dumps(data)},
        pdf_standards=_STANDARD,
        timestamp=int(at.timestamp()),
    )
    return made


def _each(data: Any, change: Callable[[str], str]) -> Any:
    """Return `data` with each text in it changed, but for the names of its fields."""
    if isinstance(data, dict):
        return {name: _each(value, change) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [_each(value, change) for value in data]
    return change(data) if isinstance(data, str) else data


def _visible(text: str) -> str:
    """Return `text` in one line, without signs that control it."""
    return "".join(
        " " if sign in "\n\r\t" else sign
        for sign in unicodedata.normalize("NFC", text)
        if sign in "\n\r\t" or sign in _KEPT or unicodedata.category(sign) not in _UNSEEN
    )


@cache
def _template() -> bytes:
    return (files("services.pdf") / "paper.typ").read_bytes()


@cache
def _fonts() -> Any:
    return _typst().Fonts(include_system_fonts=False)


def _typst() -> Any:
    import typst  # noqa: PLC0415

    return typst
