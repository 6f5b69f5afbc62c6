"""Writes the rows that were refused: line, customer, field, reason and what would be accepted, to mend at the source.

Of a row's values only the customer's KÜTID is copied: the file may be sent on without anybody's personal data.
"""

import csv
import os
import stat
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self, TextIO

from services.register.importing.failures import TooManyRejects, UnusableFile

EXPLANATIONS = {
    "characters": "It holds a control character or a line break.",
    "columns": "The row has not as many values as the header has columns.",
    "duplicate": "The same key stands on an earlier line, which counts.",
    "empty": "It is needed and empty.",
    "form": "It is not in the form that the profile demands of customers.",
    "future": "It is later than today.",
    "impossible": "There is no such day in the calendar, or no such time.",
    "malformed": "It is not in a form that can be read.",
    "paid": "The invoice is paid or being paid: its amount and its policy stay.",
    "policy_of_another_customer": "The policy belongs to another customer.",
    "quotes": "A quote is not closed or is followed by text.",
    "spreadsheet": "A spreadsheet made a decimal number of it: export the column as text.",
    "time": "It has a time without a time zone, so the day cannot be told.",
    "too_long": "It is longer than the register takes.",
    "too_old": "It is before 1900.",
    "unknown_letter": "The policy's holder has no such letter.",
    "unknown_customer": "Neither the register nor a customers file of this import has this customer.",
    "unknown_policy": "Neither the register nor a policies file of this import has this policy.",
}
_ABOUT_OTHER_ROWS = frozenset(
    {"duplicate", "paid", "policy_of_another_customer", "unknown_customer", "unknown_letter", "unknown_policy"}
)
_HEADER = ("file", "line", "kutid", "field", "reason", "explanation", "accepted")


class Reject(NamedTuple):
    """A refused row: its line, its customer (empty where that cannot be read), and the field with the reason."""

    line: int
    kutid: str
    field: str
    reason: str


class Rejects:
    """The rejects file of one run, or only a count where no file is wanted; a context manager.

    `accepted` says which forms each field takes; `limit` is how many rows may be refused. Every run begins the file
    afresh, so that one without rows says that nothing was refused; a run that fails leaves none behind, unless the
    rejects are why it failed. Raises UnusableFile when it cannot be written.
    """

    def __init__(self, file: Path | None, accepted: Mapping[str, str], limit: int | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self._file = file
        self._accepted = accepted
        self._limit = limit
        self._is_kept = False
        self._mark = (0, Counter[str]())
        self._stream = begun(file) if file else None
        self._writer = csv.writer(self._stream, delimiter=";") if self._stream else None
        if self._writer:
            self._writer.writerow(_HEADER)

    def __enter__(self) -> Self:
        """Return the rejects themselves."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file, and remove it unless it is kept."""
        if self._stream:
            self._stream.close()
        if self._file and not self._is_kept:
            with suppress(OSError):
                self._file.unlink()

    def keep(self) -> None:
        """Leave the file behind, whatever happens from now on."""
        self._is_kept = True

    def add(self, kind: str, file: Path, rejects: Iterable[Reject]) -> None:
        """Write refused rows of `file`."""
        for reject in rejects:
            self.counts[kind] += 1
            if self._writer:
                about_form = reject.reason not in _ABOUT_OTHER_ROWS
                accepted = self._accepted.get(reject.field, "") if about_form else ""
                self._writer.writerow((file.name, *reject, EXPLANATIONS[reject.reason], accepted))

    def judge(self, rows: Mapping[str, int]) -> None:
        """Raise TooManyRejects, and keep the file, when all `rows` of a kind are refused, or more than the limit."""
        whole = next((kind for kind, count in rows.items() if count and count == self.counts[kind]), None)
        total = self.counts.total()
        if whole is not None:
            self.keep()
            raise TooManyRejects(f"All rows of {whole.replace('_', ' ')} were refused ({rows[whole]:,}).")
        if self._limit is not None and total > self._limit:
            self.keep()
            raise TooManyRejects(f"{total:,} rows were refused, and at most {self._limit:,} may be.")

    def mark(self) -> None:
        """Remember this place, to come back to it."""
        self._mark = (self._stream.tell() if self._stream else 0, self.counts.copy())

    def back_to_mark(self) -> None:
        """Forget what was written since the mark."""
        place, counts = self._mark
        self.counts = counts.copy()
        if self._stream:
            self._stream.seek(place)
            self._stream.truncate()


def begun(file: Path) -> TextIO:
    """Open an empty file; a link at its place is not followed: it may lead to a file that somebody else chose."""
    if file.is_symlink():
        raise UnusableFile(f"The rejects cannot be written to {file}: it is a symbolic link.")
    try:
        number = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        if not stat.S_ISREG(os.fstat(number).st_mode):
            os.close(number)
            raise UnusableFile(f"The rejects cannot be written to {file}: it is not a regular file.")
        os.ftruncate(number, 0)
    except OSError as error:
        raise UnusableFile(f"The rejects cannot be written to {file}: {error.strerror}.") from error
    # utf-8-sig: Excel would take the accents of a file name for another encoding's.
    return os.fdopen(number, "w+", encoding="utf-8-sig", newline="")
