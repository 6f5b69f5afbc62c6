"""A folder of letters: each whole or not at all, none twice, and what is refused is told."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from services.gateways.storage import StorageUnavailable
from services.letters.batch import BatchReport, UnusableManifest
from services.store.tables.letters import letters
from tests.unit.services.letters.test_publishing import Away
from tests.world.cast import ANNA, ILONA
from tests.world.pdfs import pdf
from tests.world.world import World


def line(file: int | str = 1, **values: Any) -> dict[str, Any]:
    return {
        "file": f"{file}.pdf", "by": "kutid", "number": ANNA.kutid, "type": "policy", "title": "Kötvény",
        "issued_on": "2026-11-20", **values,
    }  # fmt: skip


def as_json(folder: Path, *lines: dict[str, Any]) -> Path:
    (folder / "manifest.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    return folder


def run(world: World, folder: Path) -> BatchReport:
    seen: list[tuple[int, int, int]] = []
    report = world.portal.letters.batch.run(
        folder, rejects=folder / "rejects.csv", progress=lambda *told: seen.append(told)
    )
    assert [told[0] for told in seen] == list(range(1, report.lines + 1))
    assert not seen or seen[-1][1] == seen[-1][2]
    return report


def counts(report: BatchReport) -> tuple[int, int, int, int]:
    return report.lines, report.added, report.known, report.refused


def refused(folder: Path) -> list[tuple[str, str, str]]:
    with (folder / "rejects.csv").open(encoding="utf-8-sig", newline="") as file:
        return [(row["line"], row["field"], row["reason"]) for row in csv.DictReader(file, delimiter=";")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in (1, 2, 3):
        (tmp_path / f"{number}.pdf").write_bytes(pdf(str(number)))
    return tmp_path


def test_a_folder_is_published_once(world: World, folder: Path) -> None:
    as_json(folder, line(1), line(2, external_id="A-2", data={"sum": 1}), line(3, by="policy_number",
            number=ILONA.policy_number))  # fmt: skip
    assert counts(run(world, folder)) == (3, 3, 0, 0)
    assert {row.kutid for row in world.rows(letters)} == {ANNA.kutid, ILONA.kutid}
    (folder / "2.pdf").write_bytes(pdf("made anew"))
    as_json(folder, line(1), line(2, external_id="A-2"), line(3, by="kutid", number=ILONA.kutid), line(3))
    assert counts(run(world, folder)) == (4, 1, 3, 0)
    assert len(world.rows(letters)) == 4


@pytest.mark.parametrize("delimiter", [";", ","])
def test_a_manifest_may_be_csv(world: World, folder: Path, delimiter: str) -> None:
    with (folder / "manifest.csv").open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, [*line(), "latest_on", "data"], delimiter=delimiter)
        writer.writeheader()
        writer.writerow(line(1, latest_on="2027-01-01", data='{"sum": 1}'))
        writer.writerow(line(2, latest_on="", data=""))
    assert counts(run(world, folder)) == (2, 2, 0, 0)
    assert [(str(row.latest_on), row.data) for row in sorted(world.rows(letters), key=lambda row: row.sha256)] != []
    assert {row.data and row.data["sum"] for row in world.rows(letters)} == {1, None}


def test_what_cannot_be_published_is_told_and_the_rest_is_published(world: World, folder: Path) -> None:
    (folder / "no.pdf").write_bytes(b"hello")
    outside = folder.parent / "outside.pdf"
    outside.write_bytes(pdf())
    wrong = [
        (line(1, number="99999999"), ("number", "customer")),
        (line(1, by="name"), ("by", "customer")),
        (line(4), ("file", "file")),
        (line("../outside"), ("file", "file")),
        (line("no"), ("file", "no_pdf")),
        (line(1, type="nonsense"), ("type", "type")),
        (line(1, title="x" * 201), ("title", "title")),
        (line(1, issued_on="20.11.2026"), ("issued_on", "date")),
        (line(1, policy_number=ILONA.policy_number), ("policy_number", "policy")),
        (line(1, replaces="A" * 22), ("replaces", "replaces")),
        (line(1, data=[1]), ("data", "data")),
        (line(1, latest_on="2026-11-19"), ("latest_on", "latest")),
        (line(1, title=""), ("title", "missing")),
        (line(1, latest="1"), ("latest", "column")),
    ]
    as_json(folder, line(3), *(given for given, _ in wrong), line(2))
    report = run(world, folder)
    assert (report.lines, report.added, report.refused) == (16, 2, 14)
    assert report.reasons == Counter(reason for _, (_, reason) in wrong)
    assert refused(folder) == [(str(place), *told) for place, (_, told) in enumerate(wrong, 2)]
    assert len(world.rows(letters)) == 2


@pytest.mark.parametrize(
    "manifest",
    [{}, {"manifest.jsonl": b"[1]"}, {"manifest.jsonl": b"{"}, {"manifest.jsonl": b'{"title": "\xe1"}'},
     {"manifest.csv": b"file;title\n"}, {"manifest.csv": b"", "manifest.jsonl": b""},
     {"manifest.csv": b"file;by;number;type;title;issued_on\n1.pdf;kutid\n"},
     {"manifest.csv": b"file;by;number;type;title;issued_on;file\n"},
     {"manifest.csv": b"file;by;number;type;title;issued_on;lang\n"}],
    ids=["none", "no object", "no JSON", "no UTF-8", "columns", "both", "too few values", "twice", "misspelt"],
)  # fmt: skip
def test_a_manifest_that_cannot_be_read(world: World, folder: Path, manifest: dict[str, bytes]) -> None:
    for name, content in manifest.items():
        (folder / name).write_bytes(content)
    with pytest.raises(UnusableManifest):
        run(world, folder)
    assert not world.rows(letters)


def test_customers_without_an_address_are_named_once(world: World, folder: Path) -> None:
    world.registered(ANNA)
    as_json(folder, line(1), line(2, number=ILONA.kutid), line(3, number=ILONA.kutid, remark="x"))
    report = run(world, folder)
    assert (report.added, report.without_address, report.unreached) == (3, 2, [ILONA.kutid])
    assert report.passed_over == ["remark"]


def test_a_storage_that_is_away_ends_the_run(world: World, folder: Path) -> None:
    as_json(folder, line(1), line(2))
    there = world.portal
    world.portal = world.portal_at(Away())
    with pytest.raises(StorageUnavailable):
        run(world, folder)
    world.portal = there
    assert counts(run(world, folder)) == (2, 2, 0, 0)
