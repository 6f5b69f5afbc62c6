"""Writes the rows that were refused, with line, field and reason, for whoever mends them at the source.

No value of a row is copied: the file may be sent on without sending anybody's data.
"""

import csv
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from services.register_import.failures import UnusableFile

EXPLANATIONS = {
    "characters": "It holds a control character or a line break.",
    "columns": "The row has not as many values as the header has columns.",
    "duplicate": "The same key stands on an earlier line, which counts.",
    "empty": "It is needed and empty.",
    "form": "It is not in the form that the profile demands of customers.",
    "future": "It is later than today.",
    "impossible": "There is no such day in the calendar, or no such time.",
    "malformed": "It is not in a form that can be read.",
    "policy_of_another_customer": "The policy belongs to another customer.",
    "quotes": "A quote is not closed or is followed by text.",
    "spreadsheet": "A spreadsheet made a decimal number of it: export the column as text.",
    "time": "It has a time without a time zone, so the day cannot be told.",
    "too_long": "It is longer than the register takes.",
    "too_old": "It is before 1900.",
    "unknown_customer": "Neither the register nor a customers file of this import has this customer.",
    "unknown_policy": "Neither the register nor a policies file of this import has this policy.",
}
_HEADER = ("file", "line", "field", "reason", "explanation")


class Rejects:
    """The rejects file of one run, or only a count where no file is wanted; a context manager.

    It is begun anew by every run, so that a file without rows says that nothing was refused.
    Raises UnusableFile when it cannot be written.
    """

    def __init__(self, file: Path | None) -> None:
        self.counts: Counter[str] = Counter()
        self._mark = (0, Counter[str]())
        try:
            # utf-8-sig: Excel would take the accents of a file name for another encoding's.
            self._stream = file.open("w+", encoding="utf-8-sig", newline="") if file else None
        except OSError as error:
            raise UnusableFile(f"The rejects cannot be written to {file}: {error.strerror}.") from error
        self._writer = csv.writer(self._stream, delimiter=";") if self._stream else None
        if self._writer:
            self._writer.writerow(_HEADER)

    def __enter__(self) -> Self:
        """Return the rejects themselves."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        if self._stream:
            self._stream.close()

    def add(self, kind: str, file: Path, rows: Iterable[tuple[int, str, str]]) -> None:
        """Write refused rows of `file`, each as line, field and reason."""
        for line, field, reason in rows:
            self.counts[kind] += 1
            if self._writer:
                self._writer.writerow((file.name, line, field, reason, EXPLANATIONS[reason]))

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
