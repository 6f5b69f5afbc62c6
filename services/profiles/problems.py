"""What is wrong in a profile's file: where it stands, what it is, and how to mend it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import NoneType
from typing import Any, get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

_TABLE = re.compile(r"\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*((?:\"[^\"]*\"|[\w-]+)(?:\s*\.\s*(?:\"[^\"]*\"|[\w-]+))*)\s*=")


class ProfileError(RuntimeError):
    """The profile's file cannot be used; the message says where and why, `problems` also how to mend it."""

    def __init__(self, message: str, problems: "Sequence[Problem]" = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Problem:
    """One thing to mend. `place` is the path of the setting, `line` its line in the file where it could be found."""

    place: str
    what: str
    mend: str
    line: int | None = None

    def __str__(self) -> str:
        """Return it as one sentence."""
        return f"{self.place}: {self.what}" if self.place else self.what


def explain(error: ErrorDetails, model: type[BaseModel], text: str) -> Problem:
    """Return the problem behind an error of validating `text` as `model`."""
    path = tuple(map(str, error["loc"]))
    message = error["msg"].removeprefix("Value error, ")
    what = {"extra_forbidden": "there is no such setting", "missing": "is missing"}.get(error["type"], message)
    # Rules that look at several settings begin with the one that is to be mended.
    found = path or tuple(re.match(r"[\w.]*", message)[0].split("."))  # type: ignore[index]
    return Problem(".".join(path), what, _advice(error, path, model), line_of(text, found))


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
    repeated: dict[tuple[str, ...], int] = {}
    for line, content in enumerate(text.splitlines(), 1):
        if header := _TABLE.match(content):
            table = _keys(header[1])
            if content.lstrip().startswith("[["):
                repeated[table] = repeated.get(table, -1) + 1
                table = (*table, str(repeated[table]))
            yield line, table
        elif setting := _KEY.match(content):
            yield line, (*table, *_keys(setting[1]))


def _keys(dotted: str) -> tuple[str, ...]:
    return tuple(key.strip().strip('"') for key in re.findall(r'"[^"]*"|[^.\s]+', dotted))


def _advice(error: ErrorDetails, path: tuple[str, ...], model: type[BaseModel]) -> str:
    if error["type"] == "extra_forbidden":
        known = _settings(model, path[:-1])
        close = get_close_matches(path[-1], known, 1)
        return f"Write “{close[0]}” if that is meant, or take it out." if close else "Take it out."
    if error["type"] == "missing":
        table = ".".join(path[:-1])
        return (
            f"Add {path[-1]} = … to [{table}]." if table else f"Add {path[-1]} = … at the top, or a table [{path[-1]}]."
        )
    if error["type"] == "literal_error":
        return "Write one of those."
    return "Change it as the sentence says."


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
