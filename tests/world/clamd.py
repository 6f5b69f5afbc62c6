"""A real clamd with a signature file of our own, which needs no download."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.world.files import EICAR

_PLACES = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
_SECONDS = 60.0


def clamd() -> str | None:
    """Return where clamd is, None where it is not; `tests/run-all` installs it where it can."""
    return shutil.which("clamd", path=_PLACES)


@contextmanager
def running(program: str, folder: Path, address: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run clamd at an address, ``unix:<path>`` or ``tcp://127.0.0.1:<port>``, until the caller is through."""
    signatures = folder / "signatures"
    signatures.mkdir(exist_ok=True)
    (signatures / "own.ndb").write_text(f"Own.Eicar:0:*:{EICAR.hex()}\n")
    kind, _, rest = address.partition(":")
    listens = f"LocalSocket {rest}" if kind == "unix" else f"TCPSocket {rest.rpartition(':')[2]}\nTCPAddr 127.0.0.1"
    settings = folder / "clamd.conf"
    settings.write_text(
        f"Foreground yes\nDatabaseDirectory {signatures}\nTemporaryDirectory {folder}\n{listens}\n"
        f"LogFile {folder / 'clamd.log'}\nPidFile {folder / 'clamd.pid'}\n"
    )
    process = subprocess.Popen([program, "-c", str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(process, address)
        yield process
    finally:
        process.kill()
        process.wait()


def _wait_for(process: subprocess.Popen[bytes], address: str) -> None:
    """Wait until clamd listens: nothing tells but trying."""
    until = time.monotonic() + _SECONDS
    while process.poll() is None and time.monotonic() < until:
        with suppress(OSError), _connected(address):
            return
        time.sleep(0.05)
    raise RuntimeError("clamd does not start")


def _connected(address: str) -> socket.socket:
    kind, _, rest = address.partition(":")
    if kind == "tcp":
        return socket.create_connection(("127.0.0.1", int(rest.rpartition(":")[2])), 1)
    link = socket.socket(socket.AF_UNIX)
    try:
        link.connect(rest)
    except OSError:
        link.close()
        raise
    return link
