"""Keeps the bytes of files in the storage, and forgets none of them.

An object belongs to one file and bears its hash in its key. Two files with the same bytes are two objects, so the end
of one takes nothing from the other. A key is written down before its bytes are, so a process that dies in between
leaves no object that nobody knows of.
"""

import hashlib
import logging
from dataclasses import dataclass
from datetime import timedelta
from tempfile import TemporaryFile
from typing import IO

from sqlalchemy import Connection, delete, insert, select, update

from services.base import Base
from services.crash_points import reach
from services.gateways.storage import Storage, StorageUnavailable
from services.randomness import opaque_id
from services.store.tables.uploads import upload_objects
from services.values.digests import digest_of

_log = logging.getLogger(__name__)

_TIME_TO_NAME = timedelta(hours=1)
"""After which an object that no file names is erased."""
_AT_ONCE = 100


@dataclass(frozen=True)
class Kept:
    """What was kept: its key, the hash of its bytes, and their number."""

    key: str
    sha256: str
    size: int


class Objects:
    """Writes, reads and erases objects; no public method but `give` and `let_go` is part of a transaction."""

    def __init__(self, base: Base, storage: Storage) -> None:
        self._store = base.store
        self._clock = base.clock
        self._storage = storage

    def keep(self, file: IO[bytes]) -> Kept:
        """Keep what `file` holds from its beginning on, for a file that is to name it. Raises StorageUnavailable."""
        sha256, size = digest_of(file)
        kept = Kept(f"uploads/{sha256}-{opaque_id()}", sha256, size)
        with self._store.write() as connection:
            connection.execute(
                insert(upload_objects).values(key=kept.key, expires_at=self._clock.now() + _TIME_TO_NAME)
            )
        reach("uploads.noted")
        self._storage.put(kept.key, file)
        reach("uploads.kept")
        return kept

    def give(self, connection: Connection, key: str, upload_id: str) -> None:
        """Have a file name an object, which is kept as long as the file. Raises StorageUnavailable when it is gone."""
        # What has expired may be going at this moment.
        is_there = upload_objects.c.key == key, upload_objects.c.expires_at > self._clock.now()
        named = update(upload_objects).where(*is_there).values(upload_id=upload_id)
        if not connection.execute(named).rowcount:
            raise StorageUnavailable("an object was erased before its file named it")

    def let_go(self, connection: Connection, upload_id: str) -> None:
        """Have the file name no object any more: they are erased soon."""
        connection.execute(
            update(upload_objects)
            .where(upload_objects.c.upload_id == upload_id)
            .values(upload_id=None, expires_at=self._clock.now())
        )

    def copy(self, key: str) -> IO[bytes]:
        """Return an object in a temporary file that goes when it is closed. Raises StorageUnavailable.

        Bytes that do not fit the hash in the key are never returned.
        """
        file, digest = TemporaryFile(), hashlib.sha256()  # noqa: SIM115 (handed on)
        try:
            for chunk in self._storage.get(key).chunks:
                digest.update(chunk)
                file.write(chunk)
            if not key.startswith(f"uploads/{digest.hexdigest()}-"):
                _log.error("an object of a file is damaged: its bytes do not fit the hash")
                raise StorageUnavailable("the bytes of a file do not fit its hash")
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file

    def sweep(self) -> int:
        """Erase objects that no file names any more, and return how many. Raises StorageUnavailable."""
        is_over = upload_objects.c.upload_id.is_(None), upload_objects.c.expires_at <= self._clock.now()
        with self._store.read() as connection:
            keys = connection.execute(select(upload_objects.c.key).where(*is_over).limit(_AT_ONCE)).scalars().all()
        for key in keys:
            self._storage.delete(key)
            reach("uploads.erasing")
            with self._store.write() as connection:
                connection.execute(delete(upload_objects).where(upload_objects.c.key == key, *is_over))
        return len(keys)
