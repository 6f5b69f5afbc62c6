"""Publishes a folder of letters by its manifest (P10): line by line, each whole or not at all, none twice."""

import csv
import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from hashlib import file_digest
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

from services.base import Base
from services.letters.publishing import NewLetter, Publishing, once
from services.refusal import Refusal
from services.register.conditions import numbered
from services.register.importing.rejects import begun
from services.values import identifiers

MANIFESTS = ("manifest.jsonl", "manifest.csv")
NUMBERS = ("kutid", "policy_number", "customer_number", "account_number")
_NEEDED = ("file", "by", "number", "type", "title", "issued_on")
_OPTIONAL = (
    "policy_number", "language", "latest_on", "confirm_by", "replaces", "data", "external_id",
)  # fmt: skip
COLUMNS = (*_NEEDED, *_OPTIONAL)
"""What a line of the manifest may say."""
_ALIKE = 0.65
"""From this likeness on, a column is a known one misspelt: `lang` and `latest` are, `name` and `remark` are not."""
NAMED = 1000
"""Customers without an address and unknown columns that a report names: memory does not grow with the manifest."""
EXPLANATIONS = {
    "column": "The manifest takes no such column.",
    "customer": "No customer of the register, or more than one, has this number of this kind.",
    "damaged": "The PDF is damaged or incomplete.",
    "data": "It is no JSON object.",
    "date": "It is no day of the form 2026-11-20.",
    "empty": "The file is empty.",
    "encrypted": "The PDF is encrypted.",
    "file": "There is no such file in the manifest's folder.",
    "language": "It is not one of the insurer's languages.",
    "latest": "The letter's latest day has passed.",
    "missing": "It is needed and empty.",
    "no_pdf": "The file is no PDF.",
    "policy": "The customer has no policy with this number.",
    "replaced": "That letter is withdrawn or replaced already.",
    "replaces": "The customer has no such letter.",
    "title": "It is empty, longer than 200 characters, or holds a control character.",
    "too_large": "The file is larger than 20 MB.",
    "type": "The profile's texts name no letter of this type.",
}
_MOST_OF_A_LINE = 256 * 1024
_FIELDS = {
    "type": "type", "title": "title", "language": "language", "policy": "policy_number", "replaces": "replaces",
    "replaced": "replaces", "latest": "latest_on",
}  # fmt: skip
"""The column that each refusal of a letter is about; all others are about the file."""
_HEADER = ("line", "file", "field", "reason", "explanation")

Progress = Callable[[int, int, int], object]
"""Is given the lines done, the bytes of the manifest that were read, and all of its bytes."""


class UnusableManifest(Exception):
    """The manifest cannot be read as what it should be; the message is a sentence for the person at the console."""


@dataclass
class BatchReport:
    """What became of the lines."""

    lines: int = 0
    added: int = 0
    known: int = 0
    """Published by an earlier run."""
    refused: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    """Why lines were refused, see `EXPLANATIONS`, and how many for each reason."""
    without_address: int = 0
    """Letters that were published now to customers of whom no email address is known: no mail tells of them."""
    unreached: list[str] = field(default_factory=list)
    """The KÜTIDs of those customers, `NAMED` at most."""
    passed_over: list[str] = field(default_factory=list)
    """Columns of the manifest that the letters take nothing from, `NAMED` at most."""

    def refuse(self, reason: str) -> None:
        """Count a refused line."""
        self.refused += 1
        self.reasons[reason] += 1


class _Unfit(Exception):
    def __init__(self, field: str, reason: str, meant: str = "") -> None:
        super().__init__(reason)
        self.field = field
        self.reason = reason
        self.explanation = EXPLANATIONS[reason] + (f" Did you mean {meant}?" if meant else "")


class LetterBatch:
    """Publishes folders of letters. Memory does not grow with their number."""

    def __init__(self, base: Base, publishing: Publishing) -> None:
        self._store = base.store
        self._profile = base.profile
        self._publishing = publishing

    def run(self, folder: Path, *, rejects: Path, progress: Progress) -> BatchReport:
        """Publish the letters of a folder with a manifest; refused lines go to `rejects`, a CSV file.

        Repeated, it publishes what is missing. Raises UnusableManifest before or at the first line that cannot be
        read, UnusableFile when the rejects cannot be written, and StorageUnavailable: what was published stays.
        """
        manifest, report = _manifest(folder), BatchReport()
        total = manifest.stat().st_size
        with manifest.open("rb") as stream, begun(rejects) as refused:
            writer = csv.writer(refused, delimiter=";")
            writer.writerow(_HEADER)
            rows = _json_lines(stream) if manifest.suffix == ".jsonl" else _csv_lines(stream)
            for number, row in rows:
                report.lines += 1
                try:
                    self._publish(folder, row, report)
                except _Unfit as unfit:
                    report.refuse(unfit.reason)
                    name = str(row.get("file", ""))
                    writer.writerow((number, name, unfit.field, unfit.reason, unfit.explanation))
                progress(report.lines, stream.tell(), total)
        return report

    def _publish(self, folder: Path, row: Mapping[str, Any], report: BatchReport) -> None:
        """Publish a line's letter unless an earlier run has, and count it."""
        for name in row.keys() - set(COLUMNS):
            if meant := _meant(name):
                raise _Unfit(name, "column", meant)
            _name(report.passed_over, name)
        for name in _NEEDED:
            if not row.get(name):
                raise _Unfit(name, "missing")
        path, kutid = _file(folder, row["file"]), self._customer(row["by"], row["number"])
        try:
            with path.open("rb") as file:
                letter = self._letter(row, kutid, _once(row, kutid, file))
                if self._publishing.published(letter.once or "") is not None:
                    report.known += 1
                    return
                letter_id = self._publishing.publish(letter, file, actor="insurer")
        except Refusal as refusal:
            if refusal.field == "customer":
                raise _Unfit("number", "customer") from None
            raise _Unfit(_FIELDS.get(refusal.reason, "file"), refusal.reason) from None
        except OSError:
            raise _Unfit("file", "file") from None
        report.added += 1
        if self._publishing.is_without_address(letter_id):
            report.without_address += 1
            _name(report.unreached, kutid)

    def _letter(self, row: Mapping[str, Any], kutid: str, same: str) -> NewLetter:
        return NewLetter(
            kutid=kutid,
            type=row["type"],
            title=row["title"],
            issued_on=_day(row, "issued_on") or date.min,
            language=row.get("language") or self._profile.languages[0],
            policy_number=row.get("policy_number") or None,
            latest_on=_day(row, "latest_on"),
            confirm_by=_day(row, "confirm_by"),
            replaces=row.get("replaces") or None,
            data=_data(row),
            once=same,
        )

    def _customer(self, by: str, number: str) -> str:
        if by not in NUMBERS:
            raise _Unfit("by", "customer")
        try:
            key = identifiers.code(number, "code")
        except Refusal:
            raise _Unfit("number", "customer") from None
        with self._store.read() as connection:
            found = [row.kutid for row in connection.execute(numbered(by, key).distinct().limit(2))]
        if len(found) != 1:
            raise _Unfit("number", "customer")
        return str(found[0])


def _manifest(folder: Path) -> Path:
    found = [folder / name for name in MANIFESTS if (folder / name).is_file()]
    if len(found) != 1:
        raise UnusableManifest(f"The folder must hold {' or '.join(MANIFESTS)}, and one of them alone.")
    return found[0]


def _csv_lines(stream: BinaryIO) -> Iterator[tuple[int, Mapping[str, Any]]]:
    lines = _texts(stream)
    header = next(lines, "")
    delimiter = ";" if ";" in header else ","
    names = [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])]
    _judge_columns(names)
    reader = csv.reader(lines, delimiter=delimiter)
    try:
        for values in reader:
            if values:
                yield reader.line_num + 1, dict(zip(names, values, strict=True))
    except ValueError:
        raise UnusableManifest(f"Line {reader.line_num + 1} has not as many values as the first line.") from None
    except csv.Error as error:
        raise UnusableManifest(f"Line {reader.line_num + 1} of the manifest cannot be read: {error}.") from error


def _judge_columns(names: Collection[str]) -> None:
    """Raise UnusableManifest where a needed column is missing, one is named twice, or one is a misspelt one."""
    for name in names:
        if name not in COLUMNS and (meant := _meant(name)):
            raise UnusableManifest(f"The manifest takes no column “{name}”. Did you mean {meant}?")
    if absent := [name for name in _NEEDED if name not in names]:
        raise UnusableManifest(f"The manifest's first line names its columns. These are missing: {', '.join(absent)}.")
    if len(set(names)) != len(names):
        raise UnusableManifest("The manifest's first line names a column twice.")


def _meant(name: str) -> str:
    """Return the column that an unknown name is like, or nothing."""
    return next(iter(get_close_matches(name.lower(), COLUMNS, 1, _ALIKE)), "")


def _name(names: list[str], name: str) -> None:
    if name not in names and len(names) < NAMED:
        names.append(name)


def _json_lines(stream: BinaryIO) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for number, text in enumerate(_texts(stream), 1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise UnusableManifest(f"Line {number} of the manifest is no JSON object.")
        yield (
            number,
            {name: value if name == "data" else str(value) for name, value in row.items() if value is not None},
        )


def _texts(stream: BinaryIO) -> Iterator[str]:
    """Yield the manifest's lines; `readline`, unlike iterating, leaves `tell` of use."""
    first, number = "utf-8-sig", 0
    while line := stream.readline(_MOST_OF_A_LINE):
        number += 1
        try:
            yield line.decode(first if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise UnusableManifest(f"Line {number} of the manifest is not UTF-8.") from None


def _file(folder: Path, name: str) -> Path:
    """Return a file of the folder; a name that leads out of it is as one that is not there."""
    try:
        path = (folder / name).resolve()
        is_there = path.is_relative_to(folder.resolve()) and path.is_file()
    except (OSError, ValueError):
        is_there = False
    if not is_there:
        raise _Unfit("file", "file")
    return path


def _once(row: Mapping[str, Any], kutid: str, file: BufferedReader) -> str:
    """Return what makes a line the same as one of an earlier run: its id, or else what it is about."""
    if external_id := row.get("external_id"):
        return once("external id", str(external_id))
    return once("letter", file_digest(file, "sha256").hexdigest(), kutid, row["type"], row["issued_on"])


def _day(row: Mapping[str, Any], name: str) -> date | None:
    try:
        return date.fromisoformat(row[name]) if row.get(name) else None
    except ValueError:
        raise _Unfit(name, "date") from None


def _data(row: Mapping[str, Any]) -> Mapping[str, Any] | None:
    given = row.get("data") or None
    try:
        data = json.loads(given) if isinstance(given, str) else given
    except ValueError:
        data = ()
    if data is not None and not isinstance(data, dict):
        raise _Unfit("data", "data")
    return data
