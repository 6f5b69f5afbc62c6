"""Has renditions made by `services.uploads.press`, in a process of its own with limits (P40)."""

import json
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

_PRESS = Path(__file__).with_name("press.py")
_AT_ONCE = threading.BoundedSemaphore(2)
"""How many presses of one process run at once; customers who give passwords start some too."""
_SECONDS = 45
"""How long one file may take, whatever it waits for; the press limits its own processor time."""


class Unmade(Exception):
    """A file has no rendition; `reason` ends a key of ``upload.refused.*``, or is `locked`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Rendition:
    """What was made of a file: its bytes, in a temporary file that goes when it is closed, and their media type."""

    file: IO[bytes]
    type: str


def rendition_of(kind: str, source: IO[bytes]) -> Rendition:
    """Return the rendition of a file of this kind; `source` is a file of the system. Raises Unmade.

    A PDF that asks for its reader's password is `locked`.
    """
    return _pressed(kind, source)


def unlocked(source: IO[bytes], password: str) -> IO[bytes]:
    """Return a PDF without its password. Raises Unmade, `locked` where the password is wrong."""
    return _pressed("unlock", source, password).file


def _pressed(kind: str, source: IO[bytes], password: str = "") -> Rendition:
    out = TemporaryFile()  # noqa: SIM115 (handed on)
    try:
        source.seek(0)
        with _AT_ONCE:
            made = json.loads(_run(kind, source, out, password))
        if "type" not in made:
            raise Unmade(str(made["reason"]))
    except BaseException:
        out.close()
        raise
    out.seek(0)
    return Rendition(out, str(made["type"]))


def _run(kind: str, source: IO[bytes], out: IO[bytes], password: str) -> str:
    """Return what the press says. One that its limits ended, or that broke down over a file, has found a bomb."""
    try:
        ended = subprocess.run(  # noqa: S603 (our own program; the file comes by its descriptor)
            [sys.executable, "-I", "-W", "ignore", str(_PRESS), kind],
            stdin=source,
            stdout=out,
            stderr=subprocess.PIPE,
            env={"FILE_PASSWORD": password} if password else {},
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unmade("damaged") from None
    words = ended.stderr.decode("utf-8", "replace").strip().splitlines()
    if ended.returncode or not words:
        raise Unmade("damaged" if kind in ("pdf", "unlock") else "pixels")
    return words[-1]
