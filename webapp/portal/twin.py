"""A letter's data as a page with the same content (P16).

The insurer's system sends `data` with a letter. Text under `text` becomes paragraphs. A list of objects becomes a
table whose head is the names of the first one. Anything else is a fact by its name; an object is facts under a heading.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_TEXT = "text"


@dataclass(frozen=True)
class Block:
    """A piece of the page: paragraphs, facts (name and value) or a table, under a heading or none."""

    heading: str = ""
    paragraphs: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def blocks(data: Mapping[str, Any], heading: str = "") -> tuple[Block, ...]:
    """Return the pieces of the page in the order of `data`; facts that follow each other are one piece."""
    return tuple(_blocks(data, heading))


def _blocks(data: Mapping[str, Any], heading: str) -> Iterator[Block]:
    facts: list[tuple[str, str]] = []
    for name, value in data.items():
        if not isinstance(value, (Mapping, list)) and name != _TEXT:
            facts.append((name, _said(value)))
            continue
        if facts:
            yield Block(heading, facts=tuple(facts))
            heading, facts = "", []
        yield from _block(name, value, heading)
    if facts:
        yield Block(heading, facts=tuple(facts))


def _block(name: str, value: Any, heading: str) -> Iterator[Block]:
    if name == _TEXT:
        yield Block(heading, paragraphs=tuple(map(_said, value if isinstance(value, list) else [value])))
    elif isinstance(value, Mapping):
        yield from blocks(value, name)
    elif _is_table(value):
        head = tuple(value[0])
        yield Block(name, head=head, rows=tuple(tuple(_said(row.get(each, "")) for each in head) for row in value))
    else:
        yield Block(name, paragraphs=tuple(map(_said, value)))


def _is_table(value: Sequence[Any]) -> bool:
    return bool(value) and all(isinstance(row, Mapping) for row in value)


def _said(value: Any) -> str:
    return "" if value is None else str(value)
