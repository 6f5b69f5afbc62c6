"""Where letters and files are kept: a folder, or an S3 bucket (P24)."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store, from_url

if TYPE_CHECKING:
    from obstore import GetResult

_CHUNK = 64 * 1024
"""Bytes that are read at once: a download takes flat memory."""
_SMALL_PIECE, _S3_PIECE = 256 * 1024, 5 * 1024 * 1024
"""Bytes that are written at once: little, as far as the storage allows. S3 takes no smaller parts."""
_PATIENCE = timedelta(seconds=10)
"""How long a bucket may take to answer, its retries included: a customer or a program waits."""


class StorageUnavailable(Exception):
    """The storage does not answer, or has not got what it should have. The message names no content."""


class Missing(StorageUnavailable):
    """The storage answers, and has nothing under the key."""


@dataclass(frozen=True)
class StoredFile:
    """An object of the storage, read as it is iterated. Reading raises StorageUnavailable."""

    size: int
    chunks: Iterator[bytes]


class FileChunks(Iterator[bytes]):
    """The chunks of a temporary file, which goes with the last one, or when they are closed."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def __next__(self) -> bytes:
        chunk = b"" if self._file.closed else self._file.read(_CHUNK)
        if not chunk:
            self.close()
            raise StopIteration
        return chunk

    def close(self) -> None:
        """Let the file go; a WSGI server calls it, also when the client has left."""
        self._file.close()

    def __del__(self) -> None:
        self.close()


class Storage(Protocol):
    """Keeps bytes by a key. What is written under a key is never changed."""

    def put(self, key: str, content: bytes | IO[bytes]) -> None:
        """Keep `content`, whole or not at all. Raises StorageUnavailable."""
        ...

    def get(self, key: str) -> StoredFile:
        """Return what is kept under `key`. Raises Missing when there is nothing, else StorageUnavailable."""
        ...

    def delete(self, key: str) -> None:
        """Erase what is kept under `key`, if anything is. Raises StorageUnavailable."""
        ...


class ObjectStorage:
    """Keeps bytes in a folder of this machine or in a bucket."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._piece = _S3_PIECE if isinstance(store, S3Store) else _SMALL_PIECE

    @classmethod
    def at(cls, url: str) -> "ObjectStorage":
        """Return the storage at ``folder:<path>`` or ``s3://bucket/prefix``. A folder is made, for its owner alone."""
        if url.startswith("folder:"):
            folder = Path(url.removeprefix("folder:"))
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            return cls(LocalStore(folder))
        return cls(
            from_url(
                url,
                client_options={
                    "allow_http": _is_http_allowed(),
                    "connect_timeout": timedelta(seconds=3),
                    "timeout": _PATIENCE,
                },
                retry_config={"max_retries": 2, "retry_timeout": _PATIENCE},
            )
        )

    def put(self, key: str, content: bytes | IO[bytes]) -> None:
        """Keep `content`, whole or not at all. Raises StorageUnavailable."""
        try:
            obstore.put(self._store, key, content, chunk_size=self._piece, max_concurrency=2)
        except (BaseError, OSError) as error:
            raise StorageUnavailable(f"put: {type(error).__name__}") from error

    def get(self, key: str) -> StoredFile:
        """Return what is kept under `key`. Raises Missing when there is nothing, else StorageUnavailable."""
        try:
            found = obstore.get(self._store, key)
        except FileNotFoundError as error:
            raise Missing("get: nothing under the key") from error
        except (BaseError, OSError) as error:
            raise StorageUnavailable(f"get: {type(error).__name__}") from error
        return StoredFile(found.meta["size"], _chunks(found))

    def delete(self, key: str) -> None:
        """Erase what is kept under `key`, if anything is. Raises StorageUnavailable."""
        try:
            obstore.delete(self._store, key)
        except FileNotFoundError:
            return
        except (BaseError, OSError) as error:
            raise StorageUnavailable(f"delete: {type(error).__name__}") from error


def _chunks(found: "GetResult") -> Iterator[bytes]:
    try:
        for chunk in found.stream(min_chunk_size=_CHUNK):
            yield bytes(chunk)
    except (BaseError, OSError) as error:
        raise StorageUnavailable(f"read: {type(error).__name__}") from error


def _is_http_allowed() -> bool:
    """Tell whether a bucket may be reached without TLS. obstore leaves out the variable beside other options."""
    return os.environ.get("AWS_ALLOW_HTTP", "").lower() in ("1", "true", "yes")
