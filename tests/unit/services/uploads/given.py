"""What the tests of files begin with."""

from io import BytesIO
from pathlib import Path
from typing import IO

import pytest

from services.gateways.scanner import ScannerUnavailable
from services.gateways.storage import StorageUnavailable, StoredFile
from services.refusal import Refusal
from services.uploads.upload import Upload
from tests.world.cast import ANNA
from tests.world.world import World

OWNER = "a request"


class Away:
    """A storage that does not answer."""

    def put(self, key: str, content: bytes | IO[bytes]) -> None:
        raise StorageUnavailable("away")

    def get(self, key: str) -> StoredFile:
        raise StorageUnavailable("away")

    def delete(self, key: str) -> None:
        raise StorageUnavailable("away")


class Scanner:
    """A scanner that finds what a test has it find."""

    def __init__(self) -> None:
        self.is_away = False
        self.finds: bytes = b"a virus"
        self.seen: list[bytes] = []

    def find(self, file: IO[bytes]) -> str | None:
        self.probe()
        file.seek(0)
        content = file.read()
        self.seen.append(content)
        return "Test-Virus" if self.finds in content else None

    def probe(self) -> None:
        if self.is_away:
            raise ScannerUnavailable("away")


def receive(
    world: World, content: bytes, *, name: str = "a.jpg", owner: str = OWNER, question: str = "photos"
) -> Upload:
    return world.portal.uploads.intake.receive(owner, ANNA.kutid, question, name, BytesIO(content))


def refused(world: World, content: bytes, name: str = "a.jpg") -> str:
    with pytest.raises(Refusal) as refusal:
        receive(world, content, name=name)
    return f"{refusal.value.field}.{refusal.value.reason}"


def found(world: World, upload: Upload) -> Upload:
    """Return a file as it stands now."""
    return world.portal.uploads.files.find(upload.owner, upload.id)


def happened(world: World, upload: Upload) -> list[str]:
    """Return what has happened to a file, oldest first."""
    return [event.type for event in world.portal.uploads.files.events(upload.owner, upload.id)]


def check_all(world: World) -> None:
    """Have the worker check whatever is due."""
    while world.portal.uploads.checking.check_due():
        pass


def checked(world: World, content: bytes, *, name: str = "a.jpg") -> Upload:
    """Return a file that the worker has looked at."""
    taken = receive(world, content, name=name)
    check_all(world)
    return found(world, taken)


def opened(world: World, upload: Upload) -> bytes:
    """Return the rendition that its customer sees."""
    return b"".join(world.portal.uploads.reading.open(ANNA.kutid, upload.id).chunks)


def submit(world: World, owner: str = OWNER) -> None:
    with world.store.write() as connection:
        world.portal.uploads.files.submit(connection, owner)


def files_in(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
