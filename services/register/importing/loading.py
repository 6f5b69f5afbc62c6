"""Reads one file onto the stage: record by record, validated, in batches, the bad ones to the rejects."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select

from services.refusal import Refusal
from services.register.importing import merging
from services.register.importing.failures import UnusableFile
from services.register.importing.rejects import Reject, Rejects
from services.register.importing.rows import COMMUNICATION_IDS, POLICY_ROWS, Kind, Row, RowReader, reject
from services.register.importing.source import CsvSource
from services.register.importing.staging import Stage
from services.store.tables.register import communication_ids

Progress = Callable[[str, int, int, int], None]
"""Told (file, rows done, bytes done, all bytes); after the files, "comparing", "merging" and "measuring" with zeros."""

_BATCH = 10_000
_PASSWORDS_BATCH = 64  # each may take a third of a second to hash


class Loader:
    """Reads files onto one stage."""

    def __init__(self, stage: Stage, rejects: Rejects, passwords: "Passwords", progress: Progress) -> None:
        self._stage = stage
        self._rejects = rejects
        self._passwords = passwords
        self._progress = progress

    def load(self, kind: Kind, source: CsvSource, read: RowReader) -> int:
        """Stage the sound rows of `source`, each key once, and reject the others; return how many rows there are.

        Raises UnusableFile for a file without rows, and TooManyRejects.
        """
        rows = 0
        self._progress(kind.name, 0, 0, source.size)
        is_secret = kind is COMMUNICATION_IDS
        for count, staged, refused in _batches(kind, source, read, _PASSWORDS_BATCH if is_secret else _BATCH):
            rows += count
            self._rejects.add(kind.name, source.file, refused)
            self._stage.add(kind, self._passwords.hashed(self._stage, staged) if is_secret else staged)
            self._progress(kind.name, rows, source.position, source.size)
        if kind is POLICY_ROWS:
            with self._stage.connection.begin():
                merging.number_rows(self._stage.connection)
        self._stage.index(kind, merging.KEYS[kind])
        with self._stage.connection.begin():
            found = self._stage.connection.execute(merging.duplicates(kind), execution_options={"yield_per": _BATCH})
            repeated = (Reject(line, kutid, kind.key, "duplicate") for line, kutid in found)
            self._rejects.add(kind.name, source.file, repeated)
            merging.drop_duplicates(self._stage.connection, kind)
        if not rows:
            raise UnusableFile(f"{source.file.name} has a header and no rows: leave it out where nothing is new.")
        self._rejects.judge({kind.name: rows})
        return rows


def _batches(
    kind: Kind, source: CsvSource, read: RowReader, size: int
) -> Iterator[tuple[int, list[Row], list[Reject]]]:
    """Yield, batch by batch, how many records were read, the rows to stage, and the refused ones."""
    count, staged, refused = 0, [], []
    for line, values in source.records():
        count += 1
        if isinstance(values, Refusal):
            refused.append(Reject(line, "", values.field, values.reason))
        else:
            try:
                staged.append((line, *read(values)))
            except Refusal as refusal:
                refused.append(reject(kind, line, values, refusal))
                if "row" in refusal.facts:
                    staged.append((line, *refusal.facts["row"]))
        if count == size:
            yield count, staged, refused
            count, staged, refused = 0, [], []
    yield count, staged, refused


class Passwords:
    """Turns the plain passwords of communication ids into hashes before they reach any table or disk.

    `make_hash` returns the hash of a password; `is_password` tells whether a hash was made from it.
    """

    def __init__(self, make_hash: Callable[[str], str], is_password: Callable[[str, str], bool]) -> None:
        self._make_hash = make_hash
        self._is_password = is_password

    def hashed(self, stage: Stage, rows: list[Row]) -> list[Row]:
        """Return `rows` (line, id, customer, password, hash) without the password and with a hash for it.

        The hash that the register has is kept where it was made from the same password: so nothing changes.
        """
        present = self._present(stage, [str(row[1]) for row in rows])
        # bcrypt lets go of the interpreter: as many threads as cores hash that much quicker.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            hashes = pool.map(lambda row: self._hash(row, present.get(row[1])), rows)
            return [(*row[:3], password_hash) for row, password_hash in zip(rows, hashes, strict=True)]

    def _present(self, stage: Stage, ids: list[str]) -> dict[object, str]:
        query = select(communication_ids.c.communication_id, communication_ids.c.password_hash).where(
            communication_ids.c.communication_id.in_(ids)
        )
        with stage.connection.begin():
            return {row.communication_id: row.password_hash for row in stage.connection.execute(query)}

    def _hash(self, row: Row, present: str | None) -> str:
        password, known_hash = row[3], row[4]
        if not isinstance(password, str):
            return str(known_hash)
        if present and self._is_password(password, present):
            return present
        return self._make_hash(password)
