"""Where letters and files are kept: a folder, or an S3 bucket (P24)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

_CHUNK = 64 * 1024
"""Bytes that are read at once: a download takes flat memory."""


class StorageUnavailable(Exception):
    """The storage does not answer, or has not got what it should have. The message names no content."""


@dataclass(frozen=True)
class StoredFile:
    """An object of the storage, read as it is iterated."""

    size: int
    chunks: Iterator[bytes]


class Storage(Protocol):
    """Keeps bytes by a key. What is written under a key is never changed."""

    def put(self, key: str, content: bytes) -> None:
        """Keep `content`. Raises StorageUnavailable."""
        ...

    def get(self, key: str) -> StoredFile:
        """Return what is kept under `key`. Raises StorageUnavailable, also when there is nothing."""
        ...

    def delete(self, key: str) -> None:
        """Erase what is kept under `key`, if anything is. Raises StorageUnavailable."""
        ...


class ObjectStorage:
    """Keeps bytes in a folder of this machine or in a bucket."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    @classmethod
    def at(cls, url: str) -> "ObjectStorage":
        """Return the storage at ``folder:<path>`` or ``s3://bucket/prefix``. A folder is made, for its owner alone."""
        if url.startswith("folder:"):
            folder = Path(url.removeprefix("folder:"))
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            return cls(LocalStore(folder))
        return cls(from_url(url))

    def put(self, key: str, content: bytes) -> None:
        """Keep `content`. Raises StorageUnavailable."""
        try:
            obstore.put(self._store, key, content)
        except (BaseError, OSError) as error:
            raise StorageUnavailable(f"put: {type(error).__name__}") from error

    def get(self, key: str) -> StoredFile:
        """Return what is kept under `key`. Raises StorageUnavailable, also when there is nothing."""
        try:
            found = obstore.get(self._store, key)
        except (BaseError, OSError) as error:
            raise StorageUnavailable(f"get: {type(error).__name__}") from error
        return StoredFile(found.meta["size"], (bytes(chunk) for chunk in found.stream(min_chunk_size=_CHUNK)))

    def delete(self, key: str) -> None:
        """Erase what is kept under `key`, if anything is. Raises StorageUnavailable."""
        try:
            obstore.delete(self._store, key)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            raise StorageUnavailable(f"delete: {type(error).__name__}") from error
