"""The process is killed while files come in, are checked and go: no file is lost, and no bytes are forgotten."""

import hashlib
import random
from io import BytesIO
from pathlib import Path

from services.store.tables.uploads import upload_events, upload_objects, uploads
from tests.unit.services.uploads.given import OWNER, check_all, files_in
from tests.world.cast import ANNA
from tests.world.files import photo
from tests.world.victims import Victims
from tests.world.world import World

RECEIVING = ("uploads.noted", "uploads.kept", "uploads.writing", "uploads.received")
CHECKING = ("uploads.claimed", "uploads.scanned", "uploads.noted", "uploads.kept", "uploads.finishing")


def check(world: World, folder: Path) -> int:
    """Return how many files there are, having looked that each has its bytes and its receipt, and no bytes are lost."""
    found = {row.id: row for row in world.rows(uploads)}
    known = {row.key: row.upload_id for row in world.rows(upload_objects)}
    on_disk = {f"uploads/{path.name}": path for path in files_in(folder)}
    assert set(on_disk) <= set(known), "bytes that nobody knows of"
    for row in found.values():
        assert hashlib.sha256(on_disk[row.source].read_bytes()).hexdigest() == row.sha256
        assert known[row.source] == row.id
        assert (row.rendition is not None) == (row.state == "ready")
        assert row.rendition is None or row.rendition in on_disk
    received = [row.upload_id for row in world.rows(upload_events) if row.type == "received"]
    assert sorted(received) == sorted(found), "the sum of states is the sum of receipts"
    return len(found)


def test_killed_while_it_comes_in_a_file_is_whole_or_absent(world: World, victims: Victims, tmp_path: Path) -> None:
    world.keep_letters_in(tmp_path)
    chance, ends = random.Random(7), set()
    for point in (*RECEIVING, *("",) * 40):
        answer = victims.take(
            world, "portal.uploads.intake", "receive", OWNER, ANNA.kutid, "photos", "a.jpg", BytesIO(photo()),
            statements=1000 if point else chance.randrange(28), crash_at=point, letters_in=tmp_path,
        )  # fmt: skip
        ends.add((answer, check(world, tmp_path)))
        _empty(world, tmp_path)
    assert ends == {("killed", 0), ("killed", 1), ("ok", 1)}


def test_killed_while_it_is_checked_a_file_is_checked_by_the_next(
    world: World, victims: Victims, tmp_path: Path
) -> None:
    world.keep_letters_in(tmp_path)
    chance = random.Random(8)
    for point in (*CHECKING, *("",) * 12):
        world.portal.uploads.intake.receive(OWNER, ANNA.kutid, "photos", "a.jpg", BytesIO(photo()))
        victims.take(
            world, "portal.uploads.checking", "check_due",
            statements=1000 if point else chance.randrange(20), crash_at=point, letters_in=tmp_path,
        )  # fmt: skip
        assert check(world, tmp_path) == 1
        world.clock.advance(minutes=4)
        check_all(world)
        assert check(world, tmp_path) == 1
        assert [row.state for row in world.rows(uploads)] == ["ready"]
        _empty(world, tmp_path)


def _empty(world: World, folder: Path) -> None:
    """Take everything away, and look that nothing is left behind."""
    with world.store.write() as connection:
        world.portal.uploads.files.forget(connection, OWNER)
    world.clock.advance(hours=2)
    world.portal.uploads.checking.sweep()
    assert files_in(folder) == []
    assert world.rows(upload_objects) == []
