"""Reads one CSV file as insurers' systems export it: its encoding, its separator, its header and its records.

A file goes in as a path; records come out one by one, each with the line on which it begins, in memory that
does not depend on the file's size. What the values mean is decided in `rows`.
"""

import codecs
import csv
import io
import re
import unicodedata
from collections import deque
from collections.abc import Iterator, Mapping
from operator import itemgetter
from pathlib import Path
from typing import Self

from services.refusal import Refusal
from services.register.importing.failures import UnfitValue, UnusableFile

_BLOCK = 1 << 20
_LONGEST_RECORD = 65_536
_SEPARATORS = ";,\t|"
_SEPARATOR_LINE = re.compile(r'"?sep=([^\w\s"]|\t)\1*"?\1*\s*', re.IGNORECASE)
"""Excel's own first line, such as `sep=;`: it names the separator and is not part of the table."""
_NOT_CSV = {
    b"PK\x03\x04": "an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    codecs.BOM_UTF16_LE: "encoded as UTF-16",
    codecs.BOM_UTF16_BE: "encoded as UTF-16",
}

Columns = Mapping[str, frozenset[str]]
"""The fields to read, in order, each with the headers (as `folded` gives them) that it may have."""


def folded(text: str) -> str:
    """Return `text` without case, accents, spaces and punctuation, so that headers and words compare forgivingly."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(character for character in plain if character.isalnum())


class CsvSource:
    """One open CSV file with a header; a context manager.

    `size` is the file's length in bytes, `present` the fields whose column the file has. Fields in `optional` may
    lack theirs, those in `alternatives` all but one. Raises UnusableFile when the file cannot be read or decoded, or
    when a needed column is missing.
    """

    def __init__(self, file: Path, columns: Columns, optional: frozenset[str], alternatives: frozenset[str]) -> None:
        self.file = file
        try:
            encoding = _encoding(file)
            self.size = file.stat().st_size
            self._bytes = file.open("rb")
        except OSError as error:
            raise UnusableFile(f"{file.name} cannot be read: {error.strerror}.") from error
        # newline="" leaves line breaks inside quotes as they are.
        self._text = io.TextIOWrapper(self._bytes, encoding, newline="")
        self._lines = _Lines(self._text)
        try:
            self._separator, self._header = self._read_header(columns)
            self._positions = self._find(columns, optional, alternatives)
        except BaseException:
            self._text.close()
            raise
        self.present = frozenset(self._positions)
        self._fields = tuple(columns)

    def __enter__(self) -> Self:
        """Return the source itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self._text.close()

    @property
    def position(self) -> int:
        """How many bytes were read so far."""
        return self._bytes.tell()

    def records(self) -> Iterator[tuple[int, tuple[str, ...] | Refusal]]:
        """Yield each record's first line and its values in the order of the fields, or why it is no record.

        A field without a column has an empty value. Records without any value are passed over.
        """
        width = len(self._header)
        # The empty text appended to every record stands in for the columns that the file does not have.
        values = itemgetter(*(self._positions.get(field, width) for field in self._fields))
        for line, row in self._rows():
            if isinstance(row, Refusal):
                yield line, row
            elif len(row) == width or (len(row) > width and not any(row[width:])):
                if any(row):
                    yield line, values([*row[:width], ""])
            elif any(row):
                yield line, UnfitValue("row", "columns")

    def _rows(self) -> Iterator[tuple[int, list[str] | Refusal]]:
        while True:
            # A reader of its own after every fault: what it had gathered of the broken record is forgotten.
            reader = csv.reader(self._lines, delimiter=self._separator, strict=True)
            try:
                for row in reader:
                    yield self._lines.first, row
                    self._lines.next_record()
            except (csv.Error, _RecordTooLong):
                yield self._lines.first, UnfitValue("row", "quotes" if self._lines.has_quote else "too_long")
                self._lines.retry_after_first()
            else:
                return

    def _read_header(self, columns: Columns) -> tuple[str, list[str]]:
        known = {header for headers in columns.values() for header in headers}
        separators, line = _SEPARATORS, self._first_line()
        if named := _SEPARATOR_LINE.fullmatch(line):
            separators, line = named[1] + separators, self._first_line()
        guesses = [(separator, next(csv.reader([line], delimiter=separator))) for separator in separators]
        return max(guesses, key=lambda guess: sum(folded(name) in known for name in guess[1]))

    def _first_line(self) -> str:
        """Return the next line that is not empty, and leave it behind."""
        for line in self._lines:
            self._lines.next_record()
            if line.strip():
                return line
        raise UnusableFile(f"{self.file.name} is empty.")

    def _find(self, columns: Columns, optional: frozenset[str], alternatives: frozenset[str]) -> dict[str, int]:
        """Return where each field's column stands."""
        names = [folded(name) for name in self._header]
        found: dict[str, int] = {}
        for field, headers in columns.items():
            places = [place for place, name in enumerate(names) if name in headers]
            if len(places) > 1:
                raise UnusableFile(f"{self.file.name} has more than one column for {field}.")
            if places:
                found[field] = places[0]
        missing = [field for field in columns if field not in optional | alternatives and field not in found]
        if alternatives and not alternatives & found.keys():
            missing.append(" or ".join(sorted(alternatives)))
        if missing:
            # Without a header the first line is a customer's: what it holds is counted, never shown.
            raise UnusableFile(
                f"{self.file.name} has no column for {', '.join(missing)}. "
                f"Of the {len(names)} values in its first line {len(found)} name a column"
                f"{': ' + ', '.join(found) if found else ', so it seems to have no header'}."
            )
        return found


class _RecordTooLong(Exception):
    """A record goes on and on: most often a quote that was never closed."""


class _Lines:
    """The lines of a text, one by one, which remembers those of the present record so that they can be read again."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.first = 1
        self._text = text
        self._held: list[str] = []
        self._length = 0
        self._again: deque[str] = deque()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        # One character more than a record may have: so a line without an end is known by its length.
        line = self._again.popleft() if self._again else self._text.readline(_LONGEST_RECORD + 1)
        if not line:
            raise StopIteration
        self._held.append(line)
        self._length += len(line)
        if self._length > _LONGEST_RECORD:
            raise _RecordTooLong
        return line

    @property
    def has_quote(self) -> bool:
        """Whether the present record has a quote in its first line."""
        return '"' in self._held[0]

    def next_record(self) -> None:
        """Forget the present record's lines."""
        self.first += len(self._held)
        self._held.clear()
        self._length = 0

    def retry_after_first(self) -> None:
        """Give up the present record's first line alone; the lines that it swallowed are read again."""
        first, *swallowed = self._held
        self._again.extendleft(reversed(swallowed))
        self._held = [first]
        piece = first
        while len(piece) > _LONGEST_RECORD and not piece.endswith(("\n", "\r")):
            piece = self._text.readline(_LONGEST_RECORD + 1)
        self.next_record()


def _encoding(file: Path) -> str:
    """Return the encoding in which the whole file can be read; raises UnusableFile when there is none."""
    with file.open("rb") as stream:
        start = stream.read(4)
    for mark, what in _NOT_CSV.items():
        if start.startswith(mark):
            raise UnusableFile(f"{file.name} is {what}: save it as CSV (UTF-8).")
    line, has_accents = _undecodable(file, "utf-8")
    if not line:
        return "utf-8-sig"
    # In Windows-1250 the byte pairs of UTF-8's accented letters are gibberish: this file is a damaged UTF-8 one, and
    # read as Windows-1250 every name in it would be garbled.
    if has_accents:
        raise UnusableFile(f"{file.name} is UTF-8, but damaged in line {line}.")
    line, _ = _undecodable(file, "cp1250")
    if line:
        raise UnusableFile(f"{file.name} is neither UTF-8 nor Windows-1250: line {line} cannot be decoded.")
    return "cp1250"


def _undecodable(file: Path, encoding: str) -> tuple[int, bool]:
    """Return the first line that cannot be decoded, or 0, and whether any letter before it was not ASCII."""
    decoder = codecs.getincrementaldecoder(encoding)()
    line, has_accents = 1, False
    with file.open("rb") as stream:
        while True:
            block = stream.read(_BLOCK)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                before = error.object[: error.start]
                return line + before.count(b"\n"), has_accents or not before.isascii()
            if not block:
                return 0, has_accents
            has_accents = has_accents or not text.isascii()
            line += text.count("\n")
