"""Files come in whole or not at all, and each has its receipt (P38, P39)."""

import hashlib
import tracemalloc
from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest
from obstore.store import LocalStore

from services.accounts import closing
from services.gateways.storage import ObjectStorage, StorageUnavailable
from services.refusal import OutOfTurn, Refusal
from services.retention import Tidying
from services.store.tables.accounts import accounts
from services.store.tables.uploads import upload_events, upload_objects, uploads
from services.uploads import intake
from services.uploads.upload import LARGEST
from tests.unit.services.uploads.given import OWNER, Away, check_all, files_in, happened, receive, refused, submit
from tests.world.cast import ANNA, ILONA
from tests.world.files import armed_paper, paper, photo
from tests.world.outcomes import at_once, only_answers, outcome_of
from tests.world.world import World


def test_a_file_has_a_receipt_of_its_bytes(world: World) -> None:
    taken = receive(world, photo(), name="kár 1.jpg")
    assert (taken.name, taken.kind, taken.size, taken.state) == ("kár 1.jpg", "jpeg", len(photo()), "received")
    assert taken.sha256 == hashlib.sha256(photo()).hexdigest()
    assert (taken.received_at, taken.is_waiting) == (world.clock.now(), True)
    assert world.portal.uploads.files.all(OWNER) == (taken,)
    assert world.portal.uploads.files.find(OWNER, taken.id) == taken
    assert happened(world, taken) == ["received"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [(photo("JPEG"), "jpeg"), (photo("PNG"), "png"), (photo("HEIC"), "heic"), (paper(), "pdf"), (armed_paper(), "pdf")],
)
def test_the_kind_is_that_of_the_bytes_whatever_the_name_says(world: World, content: bytes, kind: str) -> None:
    assert receive(world, content, name="valami.exe").kind == kind


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty_file"),
        (b"GIF89a" + b"\0" * 40, "kind"),
        (b"PK\x03\x04 a zip", "kind"),
        (b"<html><script>alert(1)</script>", "kind"),
        (b"\0\0\0\x1cftypavif" + b"\0" * 40, "kind"),
        (b"\xff\xd8\xff" + b"\0" * LARGEST, "too_big"),
    ],
    ids=["empty", "gif", "zip", "html", "avif", "large"],
)
def test_what_is_not_taken_leaves_nothing(world: World, content: bytes, reason: str, tmp_path: Path) -> None:
    world.portal = world.portal_at(ObjectStorage(LocalStore(tmp_path)))
    assert refused(world, content, name="photo.jpg") == f"file.{reason}"
    assert world.portal.uploads.files.all(OWNER) == ()
    assert files_in(tmp_path) == []


def test_a_file_of_exactly_twenty_megabytes_is_taken_in_little_memory(world: World, tmp_path: Path) -> None:
    world.portal = world.portal_at(ObjectStorage.at(f"folder:{tmp_path / 'storage'}"))
    large = tmp_path / "large"
    large.write_bytes(photo().ljust(LARGEST, b"\0"))
    with large.open("rb") as stream:
        tracemalloc.start()
        taken = world.portal.uploads.intake.receive(OWNER, ANNA.kutid, "photos", "large.jpg", stream)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert taken.size == LARGEST
    assert most < 2 * 1024 * 1024


def test_a_question_has_twenty_files_and_others_have_their_own(world: World) -> None:
    names = [f"{number}.jpg" for number in range(20)]
    for name in names:
        receive(world, photo(), name=name)
        world.clock.advance(seconds=1)
    assert refused(world, photo()) == "file.too_many"
    assert [one.name for one in world.portal.uploads.files.all(OWNER, "photos")] == names
    assert receive(world, photo(), question="police").question == "police"
    world.portal.uploads.files.remove(OWNER, world.portal.uploads.files.all(OWNER, "photos")[3].id)
    assert receive(world, photo(), name="again.jpg").name == "again.jpg"


def test_of_forty_files_at_once_twenty_are_taken(world: World) -> None:
    calls = [partial(outcome_of, receive, world, photo(), name=f"{number}.jpg") for number in range(40)]
    answers = only_answers(at_once(calls))
    assert (answers.count("ok"), answers.count("file.too_many")) == (20, 20)
    assert len(world.portal.uploads.files.all(OWNER)) == 20


def test_a_customer_adds_so_many_files_in_a_day(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MOST_OF_A_DAY", 3)
    for number in range(3):
        taken = receive(world, photo(), owner=f"request {number}")
        world.portal.uploads.files.remove(taken.owner, taken.id)  # which gives none back
    with pytest.raises(Refusal) as refusal:
        receive(world, photo())
    assert (refusal.value.key, refusal.value.facts["limit"]) == ("error.file.of_day", 3)
    assert refusal.value.facts["moment"] == world.clock.now() + timedelta(days=1)
    assert world.portal.uploads.intake.receive("hers", ILONA.kutid, "photos", "a.jpg", BytesIO(photo()))
    world.clock.advance(days=1, seconds=1)
    assert receive(world, photo()).state == "received"


def test_a_customer_adds_so_many_bytes_in_a_day(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "LARGEST_DAY", 2 * len(photo()) + 1)
    taken, begun = receive(world, photo()), world.clock.now()
    world.clock.advance(hours=1)
    receive(world, photo())
    with pytest.raises(Refusal) as refusal:
        receive(world, photo())
    assert refusal.value.facts["moment"] == begun + timedelta(days=1)
    world.portal.uploads.files.remove(OWNER, taken.id)
    assert receive(world, photo()).state == "received"


def test_of_many_files_of_a_customer_at_once_a_days_number_is_taken(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "MOST_OF_A_DAY", 5)
    calls = [partial(outcome_of, receive, world, photo(), owner=f"request {number}") for number in range(12)]
    answers = only_answers(at_once(calls))
    assert (answers.count("ok"), answers.count("file.of_day")) == (5, 7)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("C:\\Users\\Anna\\kép.jpg", "kép.jpg"),
        ("../../etc/passwd", "passwd"),
        ("фото\u0301.jpg", "фото\u0301.jpg"),
        ("写真 1.heic", "写真 1.heic"),
        ("صورة.png", "صورة.png"),
        ("me\u0301g egy.pdf", "még egy.pdf"),
        ("line\r\nbreak\0.jpg", "line break.jpg"),
        ("gpj.\u202eexe", "gpj.exe"),
        ("\ud800.jpg", ".jpg"),
        ("", "?"),
        ("a" * 300 + ".jpg", "a" * 195 + "….jpg"),
    ],
)
def test_a_name_in_any_script_is_text_on_one_line(world: World, given: str, shown: str) -> None:
    assert receive(world, photo(), name=given).name == shown


def test_names_are_no_names_on_a_disk(world: World, tmp_path: Path) -> None:
    world.portal = world.portal_at(ObjectStorage(LocalStore(tmp_path)))
    taken = receive(world, photo(), name="../../../titok.jpg")
    (kept,) = files_in(tmp_path)
    assert kept.parent == tmp_path / "uploads"
    assert kept.name.startswith(f"{taken.sha256}-")
    assert "titok" not in kept.name


def test_with_the_storage_away_nothing_is_taken_in(world: World) -> None:
    world.portal = world.portal_at(Away())
    with pytest.raises(StorageUnavailable):
        receive(world, photo())
    assert world.portal.uploads.files.all(OWNER) == ()
    assert world.rows(uploads) == []


def test_another_owners_file_is_as_one_that_never_was(world: World) -> None:
    taken, files = receive(world, photo()), world.portal.uploads.files
    for call in (
        partial(files.find, "another", taken.id),
        partial(files.remove, "another", taken.id),
        partial(files.describe, "another", taken.id, "mine"),
        partial(files.events, "another", taken.id),
        partial(world.portal.uploads.reading.open, ILONA.kutid, taken.id),
        partial(world.portal.uploads.reading.open_for, "another", taken.id),
        partial(world.portal.uploads.intake.unlock, "another", taken.id, "1234"),
    ):
        with pytest.raises(OutOfTurn):
            call()
    assert files.all("another") == ()
    assert files.find(OWNER, taken.id).description is None


def test_a_file_is_described_until_it_is_sent(world: World) -> None:
    taken, files = receive(world, photo()), world.portal.uploads.files
    assert files.describe(OWNER, taken.id, " bal hátsó\n ajtó ").description == "bal hátsó ajtó"
    assert files.describe(OWNER, taken.id, "  ").description is None
    submit(world)
    assert outcome_of(files.describe, OWNER, taken.id, "late") == "out_of_turn"


def test_a_file_is_taken_away_with_its_bytes_until_it_is_sent(world: World, tmp_path: Path) -> None:
    world.portal = world.portal_at(ObjectStorage(LocalStore(tmp_path)))
    first, second = receive(world, photo()), receive(world, photo())
    files = world.portal.uploads.files
    assert files.remove(OWNER, first.id).name == first.name
    assert outcome_of(files.remove, OWNER, first.id) == "out_of_turn"
    world.portal.uploads.checking.sweep()
    assert len(files_in(tmp_path)) == 1, "the other file has the same bytes, and keeps them"
    submit(world)
    assert outcome_of(files.remove, OWNER, second.id) == "out_of_turn"
    check_all(world)
    assert files.find(OWNER, second.id).state == "ready"


def test_what_is_sent_is_handed_over_as_soon_as_it_is_ready(world: World) -> None:
    ready = receive(world, photo())
    check_all(world)
    unchecked = receive(world, photo("PNG"))
    submit(world)
    late = receive(world, photo("HEIC"))
    with world.store.write() as connection:
        world.portal.uploads.files.hand_over(connection, OWNER)
    assert _states(world) == {ready.id: "handed-over", unchecked.id: "received", late.id: "received"}
    check_all(world)
    assert _states(world) == {ready.id: "handed-over", unchecked.id: "handed-over", late.id: "ready"}
    assert happened(world, unchecked) == ["received", "sent", "checking", "ready", "handed-over"]


def test_a_deleted_drafts_files_go_with_their_bytes(world: World, tmp_path: Path) -> None:
    world.portal = world.portal_at(ObjectStorage(LocalStore(tmp_path)))
    receive(world, photo())
    check_all(world)
    others = receive(world, photo(), owner="another")
    with world.store.write() as connection:
        world.portal.uploads.files.forget(connection, OWNER)
    world.portal.uploads.checking.sweep()
    assert [row.id for row in world.rows(uploads)] == [others.id]
    assert len(files_in(tmp_path)) == 1
    assert {row.upload_id for row in world.rows(upload_events)} == {others.id}


def test_the_account_takes_along_what_was_not_sent(world: World, tmp_path: Path) -> None:
    world.portal = world.portal_at(ObjectStorage(LocalStore(tmp_path)))
    world.registered(ANNA)
    sent = receive(world, photo())
    submit(world)
    receive(world, photo(), owner="a draft")
    (account,) = world.rows(accounts)
    with world.store.write() as connection:
        closing.erase(connection, world.outbox, account.id, ANNA.kutid)
    assert [row.id for row in world.rows(uploads)] == [sent.id]
    world.clock.advance(hours=2)
    world.portal.uploads.checking.sweep()
    assert len(files_in(tmp_path)) == 1


def test_files_are_erased_when_their_time_is_over(world: World, tmp_path: Path) -> None:
    world.portal = world.portal_at(ObjectStorage(LocalStore(tmp_path)))
    sent = receive(world, photo())
    submit(world)
    receive(world, photo(), owner="a draft")
    retention, tidying = world.profile.retention, Tidying(world.base, world.allowances)
    world.clock.advance(days=retention.unsent_files_days + 1)
    tidying.tidy()
    assert [row.id for row in world.rows(uploads)] == [sent.id]
    world.clock.advance(days=retention.files_days)
    tidying.tidy()
    assert world.rows(uploads) == []
    world.portal.uploads.checking.sweep()
    assert files_in(tmp_path) == []
    assert world.rows(upload_objects) == []


def _states(world: World) -> dict[str, str]:
    return {one.id: one.state for one in world.portal.uploads.files.all(OWNER)}
