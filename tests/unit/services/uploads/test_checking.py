"""The worker scans files and makes their renditions; nobody opens what was not checked (P39–P41)."""

import logging
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from obstore.store import LocalStore, MemoryStore

from services.gateways.storage import ObjectStorage
from services.refusal import Refusal
from services.store.tables.messages import outbox
from services.uploads import checking, press
from services.uploads.checking import Queue
from tests.unit.services.uploads.given import (
    OWNER,
    Away,
    Scanner,
    check_all,
    checked,
    files_in,
    found,
    happened,
    opened,
    receive,
    submit,
)
from tests.world.cast import ANNA
from tests.world.files import (
    armed_paper,
    bomb,
    image_of,
    nested_paper,
    paper,
    photo,
    portfolio,
    readable,
    swollen_paper,
)
from tests.world.outcomes import outcome_of
from tests.world.world import World

RED, BLUE = (200, 60, 60), (60, 60, 200)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "HEIC"])
def test_a_photo_is_shown_upright_small_and_without_its_place(world: World, kind: str) -> None:
    ready = checked(world, photo(kind, 4096, 3072))
    assert (ready.state, ready.rendition_type) == ("ready", "image/jpeg")
    shown = opened(world, ready)
    picture = image_of(shown)
    assert (picture.format, picture.size, ready.rendition_size) == ("JPEG", (2048, 1536), len(shown))
    assert not picture.getexif()
    assert "comment" not in picture.info
    above, below = picture.getpixel((1024, 300)), picture.getpixel((1024, 1200))
    assert isinstance(above, tuple)
    assert isinstance(below, tuple)
    assert above[0] > RED[0]
    assert above[2] < RED[2]
    assert below[2] > BLUE[2]
    assert below[0] < BLUE[0]


def test_a_small_photo_stays_as_large_as_it_is(world: World) -> None:
    assert image_of(opened(world, checked(world, photo("JPEG", 40, 30)))).size == (40, 30)


def test_a_photo_that_is_a_page_too_is_shown_as_a_photo_alone(world: World) -> None:
    shown = opened(world, checked(world, photo() + b"<script>alert(1)</script>"))
    assert b"script" not in shown


def test_a_pdf_is_rewritten_without_what_acts(world: World) -> None:
    ready = checked(world, armed_paper(), name="papír.pdf")
    shown = readable(opened(world, ready))
    assert ready.rendition_type == "application/pdf"
    for word in (b"JavaScript", b"/JS", b"Launch", b"EmbeddedFile", b"OpenAction", b"/AA", b"/URI", b"MZMZ"):
        assert word not in shown, word
        assert word in readable(armed_paper()) or word == b"/EmbeddedFile", "the test looks for nothing"
    assert b"the words of the page" in shown
    assert b"filled in" in shown


def test_a_pdf_that_is_a_page_too_is_rewritten_as_a_pdf_alone(world: World) -> None:
    ready = checked(world, b"<html><script>alert(1)</script></html>\n" + paper())
    assert opened(world, ready).startswith(b"%PDF-")
    assert b"script" not in readable(opened(world, ready))


def test_a_pdf_that_only_its_owners_password_restricts_needs_none(world: World) -> None:
    ready = checked(world, paper(owner="secret"))
    assert ready.state == "ready"
    with pikepdf.open(BytesIO(opened(world, ready))) as shown:
        assert not shown.is_encrypted


def test_a_pdf_with_a_password_asks_for_it_and_is_then_scanned(world: World, tmp_path: Path) -> None:
    scanner = Scanner()
    world.portal = world.portal_at(ObjectStorage(LocalStore(tmp_path)), scanner)
    locked = checked(world, paper(user="jelszó 1"), name="zárt.pdf")
    assert (locked.is_locked, locked.is_waiting, locked.is_open) == (True, False, False)
    assert world.portal.uploads.checking.queue().waiting == 0
    unlock = world.portal.uploads.intake.unlock
    assert outcome_of(unlock, OWNER, locked.id, "") == "file_password.empty"
    assert outcome_of(unlock, OWNER, locked.id, "jelszó 2") == "file_password.wrong"
    assert found(world, locked).is_locked
    assert unlock(OWNER, locked.id, "jelszó 1").state == "received"
    assert outcome_of(unlock, OWNER, locked.id, "jelszó 1") == "out_of_turn"
    check_all(world)
    ready = found(world, locked)
    assert (ready.state, ready.is_locked, ready.sha256) == ("ready", False, locked.sha256)
    assert b"the words of the page" in readable(opened(world, ready))
    assert b"the words of the page" in readable(scanner.seen[-1]), "a virus behind the password is found too"
    assert happened(world, ready) == ["received", "checking", "locked", "unlocked", "ready"]
    world.portal.uploads.checking.sweep()
    assert len(files_in(tmp_path)) == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\xff\xd8\xff\xe0 nothing of a photo", "damaged"),
        (photo()[: len(photo()) // 2], "damaged"),
        (photo("PNG")[:-30], "damaged"),
        (photo("HEIC")[:200], "damaged"),
        (b"%PDF-1.7 and nothing of one", "damaged"),
        (bomb(20_000, 20_000), "pixels"),
        (paper(press.MOST_PAGES + 1), "pages"),
        (portfolio(), "nested"),
        (nested_paper(), "damaged"),
    ],
    ids=["no jpeg", "half", "short", "no heic", "no pdf", "pixels", "pages", "portfolio", "deep"],
)
def test_what_cannot_be_shown_is_refused_and_not_kept(
    world: World, content: bytes, reason: str, tmp_path: Path
) -> None:
    world.portal = world.portal_at(ObjectStorage(LocalStore(tmp_path)))
    refused = checked(world, content)
    assert (refused.state, refused.reason, refused.is_open) == ("refused", reason, False)
    assert files_in(tmp_path) == []
    assert happened(world, refused) == ["received", "checking", "refused"]


def test_the_largest_photo_that_is_taken_is_shown(world: World) -> None:
    assert checked(world, bomb(10_000, 10_900)).state == "ready"


def test_a_pdf_that_swells_ends_within_its_limits(world: World) -> None:
    assert checked(world, swollen_paper()).state in ("ready", "refused")


@pytest.mark.parametrize("limit", ["_MEMORY", "_CPU_SECONDS"])
def test_a_process_that_reaches_a_limit_refuses_the_file_alone(
    world: World, limit: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The press is run with less than it needs: what it does not get ends it, and the worker goes on."""
    small = {"_MEMORY": "48 * 1024 * 1024", "_CPU_SECONDS": "0"}[limit]
    source = Path(press.__file__).read_text("utf-8")
    line = next(line for line in source.splitlines() if line.startswith(f"{limit} ="))
    (tmp_path / "press.py").write_text(source.replace(line, f"{limit} = {small}"), "utf-8")
    with monkeypatch.context() as patched:
        patched.setattr("services.uploads.renditions._PRESS", tmp_path / "press.py")
        assert checked(world, photo("JPEG", 3000, 2000)).reason == "pixels"
    assert checked(world, photo("JPEG", 3000, 2000)).state == "ready"


def test_a_refused_files_customer_gets_a_mail_that_says_nothing_of_it(world: World) -> None:
    world.registered(ANNA)
    checked(world, b"%PDF-1.7 and nothing of one", name="titkos leletem.pdf")
    (mail,) = (one for one in world.letters("email", ANNA.email) if "fájl" in one.subject)
    assert "titkos" not in mail.subject + mail.text
    assert world.portal.uploads.checking.queue() == Queue(0, None, 1)


def test_a_refused_file_that_is_taken_away_sends_no_mail_any_more(world: World) -> None:
    world.registered(ANNA)
    refused = checked(world, b"%PDF-1.7 and nothing of one")
    world.portal.uploads.files.remove(OWNER, refused.id)
    assert [row.state for row in world.rows(outbox) if row.message == "upload_refused"] == ["replaced"]


def test_an_infected_file_is_refused_at_once_and_not_kept(world: World, tmp_path: Path) -> None:
    scanner = Scanner()
    world.portal = world.portal_at(ObjectStorage(LocalStore(tmp_path)), scanner)
    infected = checked(world, photo() + b"a virus")
    assert (infected.state, infected.reason) == ("refused", "virus")
    assert files_in(tmp_path) == []
    assert checked(world, photo()).state == "ready"


def test_while_the_scanner_is_away_files_wait_and_nobody_opens_them(world: World) -> None:
    scanner = Scanner()
    scanner.is_away = True
    world.portal = world.portal_at(ObjectStorage(MemoryStore()), scanner)
    began = world.clock.now()
    waiting = checked(world, photo())
    for _ in range(10):
        world.clock.advance(minutes=10)
        check_all(world)
    assert found(world, waiting).state == "checking"
    assert world.portal.uploads.checking.queue() == Queue(1, began, 0)
    with pytest.raises(Refusal, match=r"file\.unchecked"):
        opened(world, waiting)
    submit(world)
    scanner.is_away = False
    world.clock.advance(minutes=1)
    check_all(world)
    assert found(world, waiting).state == "ready"
    assert opened(world, waiting)


def test_while_the_storage_is_away_files_wait(world: World) -> None:
    storage = ObjectStorage(MemoryStore())
    world.portal = world.portal_at(storage)
    taken = receive(world, photo())
    world.portal = world.portal_at(Away())
    check_all(world)
    assert found(world, taken).state == "checking"
    world.portal = world.portal_at(storage)
    world.clock.advance(minutes=1)
    check_all(world)
    assert found(world, taken).state == "ready"


def test_bytes_that_changed_in_the_storage_are_never_shown(
    world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    world.portal = world.portal_at(ObjectStorage(LocalStore(tmp_path)))
    ready = checked(world, photo())
    for path in files_in(tmp_path):
        path.write_bytes(path.read_bytes()[:-1] + b"x")
    with caplog.at_level(logging.ERROR):
        assert outcome_or_class(world, ready) == "StorageUnavailable"
    assert "damaged" in caplog.text


def test_a_worker_that_died_over_a_file_leaves_it_to_the_next(world: World) -> None:
    taken = receive(world, photo())
    claim = world.portal.uploads.checking._claim
    (due,) = world.rows(checking.uploads)
    assert claim(taken.id, due.due_at) is not None
    assert claim(taken.id, due.due_at) is None, "it is one worker's"
    check_all(world)
    assert found(world, taken).state == "checking"
    world.clock.advance(minutes=4)
    check_all(world)
    assert found(world, taken).state == "ready"


def test_a_file_over_which_three_workers_died_is_given_up(world: World) -> None:
    taken = receive(world, photo())
    for _ in range(3):
        (row,) = world.rows(checking.uploads)
        assert world.portal.uploads.checking._claim(taken.id, row.due_at) is not None
        world.clock.advance(minutes=4)
    check_all(world)
    assert (found(world, taken).state, found(world, taken).reason) == ("refused", "damaged")


def test_a_file_that_is_taken_away_while_it_is_checked_stays_away(world: World, tmp_path: Path) -> None:
    scanner = Scanner()
    world.portal = world.portal_at(ObjectStorage(LocalStore(tmp_path)), scanner)
    taken = receive(world, photo())
    scanner.probe = lambda: world.portal.uploads.files.remove(OWNER, taken.id) and None  # type: ignore[method-assign]
    check_all(world)
    assert world.portal.uploads.files.all(OWNER) == ()
    world.clock.advance(hours=2)
    world.portal.uploads.checking.sweep()
    assert files_in(tmp_path) == []


def outcome_or_class(world: World, ready: object) -> str:
    try:
        opened(world, ready)  # type: ignore[arg-type]
    except Exception as error:
        return type(error).__name__
    return "ok"
