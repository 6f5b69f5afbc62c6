"""Keeps the bytes of letters by their hash, and serves none that do not fit it (P12)."""

import hashlib
import logging
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO

from sqlalchemy import select, update

from services.base import Base
from services.gateways.storage import FileChunks, Missing, Storage, StorageUnavailable, StoredFile
from services.letters.letter import Letter
from services.randomness import opaque_id
from services.store.tables.letters import letters
from services.values.digests import digest_of

_log = logging.getLogger(__name__)

_IN_MEMORY = 1024 * 1024
"""Bytes of a letter that are checked in memory; a larger one passes through a temporary file."""


class LetterDamaged(StorageUnavailable):
    """The stored bytes are not those that were published. They are never served."""


@dataclass(frozen=True)
class Kept:
    """What was kept: the hash that is its key, and its size in bytes."""

    sha256: str
    size: int


class Archive:
    """Writes and reads the bytes of letters under ``letters/<sha256>``."""

    def __init__(self, base: Base, storage: Storage) -> None:
        self._store = base.store
        self._clock = base.clock
        self._storage = storage

    def keep(self, file: IO[bytes]) -> Kept:
        """Keep what `file` holds from its beginning on; repeated, it changes nothing. Raises StorageUnavailable."""
        kept = Kept(*digest_of(file))
        self._storage.put(_key(kept.sha256), file)
        return kept

    def read(self, letter: Letter) -> StoredFile:
        """Return a letter's bytes, checked before the first one is served.

        Raises LetterDamaged when they are not those that were published, StorageUnavailable when there is no answer.
        """
        digest, size = hashlib.sha256(), 0
        with ExitStack() as closing:
            copy = closing.enter_context(SpooledTemporaryFile(_IN_MEMORY))
            with suppress(Missing):
                for chunk in self._storage.get(_key(letter.sha256)).chunks:
                    digest.update(chunk)
                    size += len(chunk)
                    copy.write(chunk)
            if (digest.hexdigest(), size) != (letter.sha256, letter.size):
                self._note_damage(letter)
                raise LetterDamaged("the bytes of a letter do not fit its hash")
            self._note_repair(letter)
            closing.pop_all()  # the copy is closed when its last chunk was served
        copy.seek(0)
        return StoredFile(size, FileChunks(copy))

    def probe(self) -> None:
        """Write, read and delete something in the storage, for `doctor`. Raises StorageUnavailable (P24)."""
        key, content = f"doctor/{opaque_id()}", b"belepo"
        self._storage.put(key, content)
        try:
            read = b"".join(self._storage.get(key).chunks)
        finally:
            self._storage.delete(key)
        if read != content:
            raise StorageUnavailable("what was read is not what was written")

    def _note_damage(self, letter: Letter) -> None:
        _log.error("letter %s is damaged: its stored bytes do not fit the hash", letter.id)
        with self._store.write() as connection:
            connection.execute(
                update(letters)
                .where(letters.c.sha256 == letter.sha256, letters.c.id == letter.id, letters.c.damaged_at.is_(None))
                .values(damaged_at=self._clock.now())
            )

    def _note_repair(self, letter: Letter) -> None:
        with self._store.read() as connection:
            damaged = connection.execute(select(letters.c.damaged_at).where(letters.c.id == letter.id)).scalar()
        if damaged is not None:
            with self._store.write() as connection:
                connection.execute(update(letters).where(letters.c.id == letter.id).values(damaged_at=None))


def _key(sha256: str) -> str:
    return f"letters/{sha256}"
