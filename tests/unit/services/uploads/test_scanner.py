"""clamd is asked in its own words, and what it does not say is never taken for clean (P41)."""

import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from services.gateways.scanner import ClamdScanner, ScannerUnavailable, scanner_at
from services.gateways.storage import ObjectStorage
from services.store.engine import Store
from tests.ports import free_port
from tests.unit.services.uploads.given import checked, found
from tests.world import clamd
from tests.world.clock import HandClock
from tests.world.files import EICAR, paper, photo
from tests.world.world import World, move_in
from webapp.demo.faults import DemoFaults
from webapp.demo.scanner import DemoScanner

needs_clamd = pytest.mark.skipif(
    clamd.clamd() is None and os.environ.get("CI") != "true", reason="clamd cannot be had here"
)


@contextmanager
def answering(answer: bytes, folder: Path) -> Iterator[tuple[str, list[bytes]]]:
    """Listen once at a socket, read a stream as clamd would, and answer it; yield the address and what came."""
    path, came = str(folder / "clamd.sock"), list[bytes]()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()

    def attend() -> None:
        link, _ = listener.accept()
        with link, link.makefile("rb") as given:
            if given.read(len(b"zINSTREAM\0")) == b"zINSTREAM\0":
                while size := struct.unpack(">I", given.read(4))[0]:
                    came.append(given.read(size))
            link.sendall(answer)

    thread = threading.Thread(target=attend)
    thread.start()
    yield f"unix:{path}", came
    thread.join()
    listener.close()


@needs_clamd
@pytest.mark.parametrize("way", ["unix", "tcp"])
def test_a_real_clamd_finds_what_its_signatures_name(way: str, tmp_path: Path) -> None:
    program = clamd.clamd()
    assert program
    address = f"unix:{tmp_path / 'clamd.sock'}" if way == "unix" else f"tcp://127.0.0.1:{free_port()}"
    with clamd.running(program, tmp_path, address):
        scanner = ClamdScanner(address)
        scanner.probe()
        assert scanner.find(BytesIO(photo())) is None
        assert scanner.find(BytesIO(b"\0" * 70_000 + EICAR + paper())) == "Own.Eicar.UNOFFICIAL"
        assert scanner.find(BytesIO(b"x" * (20 * 1024 * 1024))) is None


@needs_clamd
def test_files_wait_for_a_real_clamd_that_was_killed(sqlite_store: Store, tmp_path: Path) -> None:
    program = clamd.clamd()
    assert program
    move_in(sqlite_store)
    world, address = World(sqlite_store), f"unix:{tmp_path / 'clamd.sock'}"
    world.portal = world.portal_at(ObjectStorage(MemoryStore()), scanner_at(address))
    with clamd.running(program, tmp_path, address):
        assert checked(world, photo()).state == "ready"
        infected = checked(world, photo() + EICAR)
        assert (infected.state, infected.reason) == ("refused", "virus")
    waiting = checked(world, photo("PNG"))
    assert waiting.state == "checking"
    (tmp_path / "clamd.sock").unlink(missing_ok=True)
    with clamd.running(program, tmp_path, address):
        world.clock.advance(minutes=1)
        world.portal.uploads.checking.check_due()
    assert found(world, waiting).state == "ready"


def test_a_file_is_sent_in_pieces_from_its_beginning(tmp_path: Path) -> None:
    content = os.urandom(200_000)
    file = BytesIO(content)
    file.seek(77)
    with answering(b"stream: OK\0", tmp_path) as (address, came):
        assert ClamdScanner(address).find(file) is None
    assert b"".join(came) == content
    assert max(map(len, came)) <= 64 * 1024


@pytest.mark.parametrize(
    "answer",
    [b"", b"stream: OK", b"INSTREAM size limit exceeded. ERROR\0", b"stream: Can't allocate memory ERROR\0", b"\0"],
    ids=["nothing", "half", "too large", "error", "empty"],
)
def test_what_is_no_clear_answer_is_none(answer: bytes, tmp_path: Path) -> None:
    with answering(answer, tmp_path) as (address, _), pytest.raises(ScannerUnavailable):
        ClamdScanner(address).find(BytesIO(photo()))


def test_a_scanner_that_is_not_there_is_away(tmp_path: Path) -> None:
    for address in (f"unix:{tmp_path / 'none.sock'}", f"tcp://127.0.0.1:{free_port()}"):
        with pytest.raises(ScannerUnavailable):
            ClamdScanner(address).probe()
        with pytest.raises(ScannerUnavailable):
            ClamdScanner(address).find(BytesIO(photo()))


@pytest.mark.parametrize("at", [0, 1, 64 * 1024 - 20, 64 * 1024, 200_000])
def test_the_demonstrations_scanner_finds_the_line_anywhere(at: int, tmp_path: Path) -> None:
    scanner = DemoScanner(DemoFaults(tmp_path / "faults", HandClock()))
    assert scanner.find(BytesIO(b"x" * at + EICAR + b"x" * 100)) is not None
    assert scanner.find(BytesIO(b"x" * at + EICAR[:-1] + b"x" * 100)) is None
