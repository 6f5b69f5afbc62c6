"""What is wrong in a profile's file: where it stands, what it is, and how to mend it."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import NoneType
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

_TABLE = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*((?:\"[^\"]*\"|[\w-]+)(?:\s*\.\s*(?:\"[^\"]*\"|[\w-]+))*)\s*=")


_OF_PAGE = re.compile(r"pages\.(\d+): ")
_ITEM = re.compile(r"\s*\{")


class ProfileError(RuntimeError):
    """The profile's file cannot be used; the message says where and why, `problems` also how to mend it."""

    def __init__(self, message: str, problems: "Sequence[Problem]" = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Problem:
    """One thing to mend. `place` is the path of the setting, `line` its line in the file where it could be found.

    `mend` is empty where the sentence says already what to do.
    """

    place: str
    what: str
    mend: str
    line: int | None = None

    def __str__(self) -> str:
        """Return it as one sentence."""
        return f"{self.place}: {self.what}" if self.place else self.what


class Mistake(NamedTuple):
    """What is wrong with the setting at `path`, and how to mend it where the sentence does not say so already."""

    path: tuple[str, ...]
    what: str
    mend: str = ""

    def found_in(self, text: str) -> Problem:
        """Return it as a problem of the file that has this text."""
        return Problem(".".join(self.path), self.what, self.mend, line_of(text, self.path))


def explain(error: ErrorDetails, model: type[BaseModel], text: str) -> Problem:
    """Return the problem behind an error of validating `text` as `model`."""
    path = tuple(part for part in map(str, error["loc"]) if part != _OF_KEY)
    what, mend = _sentence(error, path, model)
    if page := _OF_PAGE.match(what):
        path, what = (*path, "pages", page[1]), what[page.end() :]
    # Rules that look at several settings begin with the one that is to be mended.
    found = path or tuple(re.match(r"[\w.-]*", what)[0].split("."))  # type: ignore[index]
    return Problem(".".join(path), what, mend, line_of(text, found))


def line_of(text: str, path: Sequence[str]) -> int | None:
    """Return the line of a TOML text on which the setting at `path` begins, or the nearest one that it is part of."""
    lines = {place: line for line, place in _places(text)}
    for length in range(len(path), 0, -1):
        if tuple(path[:length]) in lines:
            return lines[tuple(path[:length])]
    return None


def _places(text: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield each line that begins a table or a setting with its path; of a table that repeats, with its number."""
    table: tuple[str, ...] = ()
    listed, number = table, 0
    repeated: dict[tuple[str, ...], int] = {}
    for line, content in enumerate(text.splitlines(), 1):
        if header := _TABLE.match(content):
            table = _keys(header[1])
            if content.lstrip().startswith("[["):
                repeated[table] = repeated.get(table, -1) + 1
                table = (*table, str(repeated[table]))
            yield line, table
        elif setting := _KEY.match(content):
            yield line, (listed := (*table, *_keys(setting[1])))
            number = 0
        elif _ITEM.match(content):  # a list of tables, a line each
            yield line, (*listed, str(number))
            number += 1


def _keys(dotted: str) -> tuple[str, ...]:
    return tuple(key.strip().strip('"') for key in re.findall(r'"[^"]*"|[^.\s]+', dotted))


def _sentence(error: ErrorDetails, path: tuple[str, ...], model: type[BaseModel]) -> tuple[str, str]:
    if error["type"] == "missing":
        return "is missing", _addition(path)
    if error["type"] == "extra_forbidden":
        close = get_close_matches(path[-1], _settings(model, path[:-1]), 1)
        mend = f"Write “{close[0]}” if that is meant, or take it out." if close else "Take it out."
        return "there is no such setting", mend
    return in_words(error)


def in_words(error: ErrorDetails) -> tuple[str, str]:
    """Return what is wrong with a value, in plain words instead of pydantic's, and how to mend it if that says more."""
    kind, facts = error["type"], error.get("ctx", {})
    if kind == "value_error":
        return error["msg"].removeprefix("Value error, "), ""
    if kind in _LIMITS:
        what, mend = _LIMITS[kind]
        return what.format(given=error["input"], **facts), mend.format(**facts)
    stem = next((stem for stem in _KINDS if kind.startswith(stem)), "")
    wanted, mend = _KINDS[stem]
    return f"{_as_written(error['input'])} is not {wanted.format(**facts)}", mend


_OF_KEY = "[key]"
"""How pydantic marks that not the setting, but its name in a table is wrong."""
_LIMITS = {
    "greater_than_equal": ("{given} is too little: {ge} is the least", "Write {ge} or more."),
    "greater_than": ("{given} is too little: it is more than {gt}", "Write more than {gt}."),
    "less_than_equal": ("{given} is too much: {le} is the most", "Write {le} or less."),
    "too_short": ("is too short: {min_length} is the least", "Name {min_length} or more."),
}
"""What is said of a value beyond a limit, by pydantic's kind of error."""
_KINDS = {
    "literal_error": ("one of {expected}", "Write one of those."),
    "int": ("a whole number", "Write digits alone, such as 5."),
    "bool": ("true or false", "Write true or false, without quotes."),
    "string": ("a text", 'Write it in quotes, such as "hu".'),
    "decimal": ("a number", "Write a number such as 18.5, without quotes."),
    "date": ("a day", "Write a day such as 2026-01-31, without quotes."),
    "tuple": ("a list", 'Write a list, such as ["hu", "en"].'),
    "dict": ("a table", "Write a table, such as { digits = 9 }."),
    "mapping": ("a table", "Write a table, such as { digits = 9 }."),
    "model": ("a table", "Write a table, such as { digits = 9 }."),
    "": ("what belongs here", "Compare it with a profile that ships."),
}
"""What is wanted instead of a value, by the beginning of pydantic's kind of error, and how that is written."""


def _as_written(given: Any) -> str:
    return f"“{given}”" if isinstance(given, str) else json.dumps(given, default=str, ensure_ascii=False)


def _addition(path: tuple[str, ...]) -> str:
    table, name = ".".join(path[:-1]), path[-1]
    return f"Add {name} = … to [{table}]." if table else f"Add {name} = … at the top, or a table [{name}]."


def _settings(model: type[BaseModel], path: tuple[str, ...]) -> list[str]:
    """Return the names of the settings that stand at `path`."""
    for key in path:
        if key.isdecimal() or key not in model.model_fields:
            continue
        inner = _model_in(model.model_fields[key].annotation)
        if inner is None:
            return []
        model = inner
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(argument) for argument in get_args(annotation) if argument not in (NoneType, ...))
    return next((model for model in inner if model is not None), None)
