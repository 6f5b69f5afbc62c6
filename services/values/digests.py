"""The hash and the size of a file, read in pieces."""

import hashlib
from typing import IO

_CHUNK = 64 * 1024


def digest_of(file: IO[bytes]) -> tuple[str, int]:
    """Return the SHA-256 of a file in hexadecimal, and its bytes; leaves it at its beginning."""
    digest, size = hashlib.sha256(), 0
    file.seek(0)
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    file.seek(0)
    return digest.hexdigest(), size
