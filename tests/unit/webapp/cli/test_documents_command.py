"""`belepo documents add`, as an operator types it."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.letters.batch import EXPLANATIONS
from tests import ROOT
from tests.world.cast import ANNA, ILONA
from tests.world.pdfs import pdf
from webapp.cli.main import main
from webapp.demo import seed
from webapp.settings import load
from webapp.wiring import wire


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A demonstration of one's own, quick."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for name, value in {"DEMO": "1", "DATA_DIR": str(tmp_path / "data"), "BCRYPT_ROUNDS": "4"}.items():
        monkeypatch.setenv(f"BELEPO_{name}", value)


def run(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["documents", "add", str(folder), *options])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two letters, of which one is to nobody."""
    assert CliRunner().invoke(main, ["migrate"]).exit_code == 0
    parts = wire(load())
    seed.load(parts.store, parts.profile, parts.clock, 4)
    parts.store.close()
    made = tmp_path / "letters"
    made.mkdir()
    (made / "1.pdf").write_bytes(pdf())
    rest = {"file": "1.pdf", "by": "kutid", "type": "policy", "title": "Kötvény", "issued_on": "2026-11-20"}
    lines = [json.dumps({**rest, "number": number}) for number in (ANNA.kutid, "99999999")]
    (made / "manifest.jsonl").write_text("\n".join(lines), "utf-8")
    return made


def test_a_folder_is_published_and_again_nothing_is(folder: Path) -> None:
    first = run(folder)
    assert first.exit_code == 0, first.output
    assert first.stdout.splitlines()[:3] == [
        "1 letter was published.",
        f"1 line was refused: see {folder / 'rejects.csv'}",
        f"  1 × {EXPLANATIONS['customer']}",
    ]
    assert "100 %" in first.stderr
    again = run(folder, "--json")
    assert json.loads(again.stdout) == {
        "lines": 2, "added": 0, "known": 1, "refused": 1, "reasons": {"customer": 1}, "without_address": 0,
        "unreached": [], "passed_over": [], "rejects": str(folder / "rejects.csv"),
    }  # fmt: skip


def test_the_report_names_customers_without_an_address_and_columns_that_are_passed_over(folder: Path) -> None:
    line = json.loads((folder / "manifest.jsonl").read_text("utf-8").splitlines()[0])
    lines = [{**line, "number": ILONA.kutid, "remark": "x"}, {**line, "latest": "2030-01-01"}]
    (folder / "manifest.jsonl").write_text("\n".join(map(json.dumps, lines)), "utf-8")
    ended = run(folder)
    assert f"No mail tells of 1 letter: no email address is known of KÜTID {ILONA.kutid}." in ended.stdout
    assert "A column of the manifest was passed over: remark." in ended.stdout
    assert "Did you mean latest_on?" in (folder / "rejects.csv").read_text("utf-8-sig")


def test_a_damaged_file_is_refused_without_a_word_of_the_library(folder: Path) -> None:
    (folder / "1.pdf").write_bytes(pdf()[: len(pdf()) // 2])
    # A process of its own: the library speaks when it is loaded.
    ended = subprocess.run(
        [sys.executable, "-m", "webapp.cli", "documents", "add", str(folder)],
        cwd=folder, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert f"1 × {EXPLANATIONS['damaged']}" in ended.stdout
    assert "pikepdf" not in ended.stderr


def test_a_folder_without_a_manifest_is_said_to_be_one(folder: Path) -> None:
    (folder / "manifest.jsonl").unlink()
    ended = run(folder)
    assert ended.exit_code == 1
    assert "manifest.jsonl or manifest.csv" in ended.output


def test_a_folder_of_which_all_is_refused_fails(folder: Path) -> None:
    lines = (folder / "manifest.jsonl").read_text("utf-8").splitlines()
    (folder / "manifest.jsonl").write_text(lines[1], "utf-8")
    assert run(folder).exit_code == 1


def test_letters_that_nobody_opened_are_written_for_the_post(folder: Path, tmp_path: Path) -> None:
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    line = json.loads((folder / "manifest.jsonl").read_text("utf-8").splitlines()[0])
    (folder / "manifest.jsonl").write_text(json.dumps({**line, "latest_on": f"{tomorrow}"}), "utf-8")
    assert run(folder).exit_code == 0
    lists = tmp_path / "lists"
    first = CliRunner().invoke(main, ["documents", "print-list", str(lists)])
    assert first.exit_code == 0, first.output
    (written,) = lists.iterdir()
    assert str(written) in first.stdout
    assert "1 letter is to be printed." in first.stdout
    assert [path.read_bytes() for path in written.glob("*.pdf")] == [pdf()]
    again = CliRunner().invoke(main, ["documents", "print-list", str(lists)])
    assert "0 letters are to be printed." in again.stdout
    assert list(lists.iterdir()) == [written]


def test_a_list_that_cannot_be_written_is_said_to_be_one(folder: Path) -> None:
    assert run(folder).exit_code == 0
    ended = CliRunner().invoke(main, ["documents", "print-list", str(folder / "1.pdf" / "lists")])
    assert ended.exit_code == 1
    assert "cannot be written" in ended.output
