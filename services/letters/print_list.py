"""The print list: letters that nobody opened before their day, as files for the post (P20).

A list is a folder with the letters' PDFs and `list.csv`. Its name ends in `.part` until its letters are noted as
printed. A part that a killed process leaves is finished or removed by a later run: no letter is on two lists.
"""

import csv
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, exists, select, update

from services.base import Base
from services.crash_points import reach
from services.letters import rows, unread
from services.letters.archive import Archive, LetterDamaged
from services.letters.letter import Letter
from services.letters.readers import reader_of
from services.messages.outbox import Outbox
from services.randomness import opaque_id
from services.store.tables.letters import letter_events, letters
from services.store.tables.register import customers

_log = logging.getLogger(__name__)

_AT_ONCE = 500
"""Letters of one list: with more due there are several lists."""
_PART = ".part"
_DAY, _SAMPLE_DAY = "%Y-%m-%d", "2026-11-30"
"""With the day begins the name of a list."""
_HEADER = (
    "file", "letter", "kutid", "customer_number", "name", "postal_code", "policy_number", "type", "title",
    "issued_on", "latest_on", "language", "sha256",
)  # fmt: skip
_WORTH_SENDING = timedelta(days=7)
_IS_DAMAGED = letters.c.damaged_at.is_not(None)
"""The worker asks each second: it does not try a damaged letter again until something else is due."""


@dataclass(frozen=True)
class PrintReport:
    """What became of the letters that were due."""

    folders: tuple[Path, ...]
    printed: int
    damaged: int
    """Letters whose stored bytes do not fit their hash; they stay due."""


class PrintList:
    """Writes the lists. Several processes may do so at once."""

    def __init__(self, base: Base, archive: Archive, outbox: Outbox) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._archive = archive
        self._outbox = outbox

    def is_due(self) -> bool:
        """Tell whether a letter is due to be printed; letters known to be damaged do not count."""
        with self._store.read() as connection:
            due = select(letters.c.id).where(unread.is_to_print(self._profile, self._clock.now()), ~_IS_DAMAGED)
            return connection.execute(due.limit(1)).first() is not None

    def write(self, folder: Path) -> PrintReport:
        """Write the letters that are due into `folder`, a folder for each list, and note it at the letters.

        Raises StorageUnavailable, and OSError where it cannot be written: those letters stay due.
        """
        folder.mkdir(parents=True, exist_ok=True)
        folders, printed, damaged, after = [*self._finish(folder)], 0, 0, ""
        while found := self._due(after):
            after = found[-1].id
            part = folder / f"{self._clock.now():{_DAY}}-{opaque_id()}{_PART}"
            part.mkdir(mode=0o700)
            kept = [row for row in found if self._keep(part, row)]
            damaged += len(found) - len(kept)
            if count := self._note(part, kept):
                reach("letters.printed")
                folders.append(_finished(part))
            else:
                shutil.rmtree(part)
            printed += count
        return PrintReport(tuple(folders), printed, damaged)

    def _due(self, after: str) -> Sequence[Row[Any]]:
        due = (
            rows.LETTER.where(unread.is_to_print(self._profile, self._clock.now()), letters.c.id > after)
            .order_by(letters.c.id)
            .limit(_AT_ONCE)
        )
        with self._store.read() as connection:
            return connection.execute(due).all()

    def _keep(self, part: Path, row: Row[Any]) -> bool:
        """Write a letter's file; return False where its stored bytes are damaged."""
        try:
            stored = self._archive.read(Letter(**row._mapping))
        except LetterDamaged:
            _log.error("letter %s cannot be printed: it is damaged", row.id)
            return False
        with (part / f"{row.id}.pdf").open("wb") as file:
            file.writelines(stored.chunks)
            file.flush()
            os.fsync(file.fileno())
        return True

    def _note(self, part: Path, kept: Sequence[Row[Any]]) -> int:
        """Note the letters as printed and write the list of them, in one transaction; return how many they are.

        A letter that was opened or taken back meanwhile leaves the list.
        """
        now, actor = self._clock.now(), _actor(part)
        with self._store.write() as connection:
            noted = []
            for row in kept:
                first = (
                    update(letters)
                    .where(letters.c.id == row.id, unread.is_to_print(self._profile, now))
                    .values(printed_at=now)
                )
                if connection.execute(first).rowcount:
                    rows.note(connection, row.id, "printed", now, actor)
                    self._tell(connection, row)
                    noted.append(row)
                else:
                    (part / f"{row.id}.pdf").unlink()
            self._list(connection, part, noted)
            reach("letters.printing")
        return len(noted)

    def _tell(self, connection: Connection, row: Row[Any]) -> None:
        """Tell the customer by mail that the letter also comes by post."""
        reader = reader_of(connection, self._profile, row.kutid, row.language)
        if reader.address is None or row.latest_on is None:  # one that goes by post in any case
            return
        self._outbox.put(
            connection,
            kind="email",
            recipient=reader.address,
            message="document_posted",
            language=reader.language,
            topic=f"printed:{row.id}",
            expires_at=self._clock.now() + _WORTH_SENDING,
            facts={
                "document_type": self._profile.texts.say(f"letter.type.{row.type}", reader.language),
                "letter_id": row.id,
            },
        )

    def _list(self, connection: Connection, part: Path, noted: Sequence[Row[Any]]) -> None:
        whose = select(customers.c.kutid, customers.c.customer_number, customers.c.name, customers.c.postal_code)
        known = connection.execute(whose.where(customers.c.kutid.in_({row.kutid for row in noted})))
        people = {row.kutid: row for row in known}
        with (part / "list.csv").open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, delimiter=";")
            writer.writerow(_HEADER)
            for row in noted:
                person = people[row.kutid]
                writer.writerow((
                    f"{row.id}.pdf", row.id, row.kutid, person.customer_number or "", _cell(person.name),
                    person.postal_code or "", row.policy_number or "", row.type, _cell(row.title), row.issued_on,
                    row.latest_on, row.language, row.sha256,
                ))  # fmt: skip
            file.flush()
            os.fsync(file.fileno())

    def _finish(self, folder: Path) -> Iterator[Path]:
        """Give the parts that a killed process has noted their name; remove those of past days that it has not."""
        yesterday = f"{self._clock.now() - timedelta(days=1):{_DAY}}"
        for part in sorted(folder.glob(f"*{_PART}")):
            is_noted = select(exists().where(letter_events.c.type == "printed", letter_events.c.actor == _actor(part)))
            with self._store.read() as connection:
                is_finished = bool(connection.execute(is_noted).scalar())
            if is_finished:
                yield _finished(part)
            elif part.name < yesterday:  # a newer one may be under way
                shutil.rmtree(part)


def _actor(part: Path) -> str:
    """Return by whom the letters of a list were printed: the list, by the id in its name."""
    return f"print:{part.stem[len(_SAMPLE_DAY) + 1 :]}"


def _finished(part: Path) -> Path:
    """Return a list under its name; another process may have given it already."""
    with suppress(FileNotFoundError):
        part.rename(part.with_suffix(""))
    return part.with_suffix("")


def _cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text
