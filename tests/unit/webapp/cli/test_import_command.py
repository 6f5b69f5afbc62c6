"""`belepo import` as an operator and a scheduler meet it: exit codes, the report for programs, and signals."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests import ROOT
from webapp.cli.main import main

HEADER = "kutid;holder_type;name;birth_date;tax_number"
GOOD = "1;person;Kovács Anna;1985-03-14;"
BAD = "2;person;Kovács Béla;14.03.1985;"


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A demonstration of one's own."""
    monkeypatch.chdir(tmp_path)
    for name, value in {"DEMO": "1", "DATA_DIR": str(tmp_path), "BCRYPT_ROUNDS": "4"}.items():
        monkeypatch.setenv(f"BELEPO_{name}", value)


def run(*lines: str, options: tuple[str, ...] = ()) -> Result:
    Path("customers.csv").write_text("\n".join((*lines, "")), encoding="utf-8")
    return CliRunner().invoke(main, ["import", "--customers", "customers.csv", *options])


def test_rows_that_are_refused_beside_good_ones_are_no_failure() -> None:
    assert run(HEADER, GOOD, BAD).exit_code == 0


@pytest.mark.parametrize(
    ("lines", "options", "sentence"),
    [
        ((HEADER,), (), "customers.csv has a header and no rows"),
        ((HEADER, BAD), (), "All rows of customers were refused (1). See rejects.csv."),
        ((HEADER, GOOD, BAD), ("--max-rejects", "0"), "1 rows were refused, and at most 0 may be. See rejects.csv."),
        ((GOOD, BAD), (), "has no column for kutid"),
    ],
)
def test_nothing_imported_is_a_failure_and_says_why(
    lines: tuple[str, ...], options: tuple[str, ...], sentence: str
) -> None:
    done = run(*lines, options=options)
    assert done.exit_code == 1
    assert sentence in done.output
    assert "Nothing was imported." in done.output
    assert "Kovács" not in done.output
    assert Path("rejects.csv").exists() == ("rejects.csv" in sentence)


def test_the_report_for_programs_is_json_alone_on_its_stream() -> None:
    done = run(HEADER, GOOD, BAD, options=("--json", "--rejects", "refused.csv"))
    report = json.loads(done.stdout)
    assert (done.exit_code, report["imported"], report["rejects"]) == (0, True, "refused.csv")
    assert report["files"] == [{"kind": "customers", "rows": 2, "added": 1, "changed": 0, "unchanged": 0, "refused": 1}]
    assert report["quality"]["without_mobile"] == {"count": 1, "examples": ["1"]}
    done = run(HEADER, BAD, options=("--json",))
    report = json.loads(done.stdout)
    assert (done.exit_code, report["imported"]) == (1, False)
    assert "All rows of customers" in report["error"]


def test_a_supervisor_that_stops_the_import_is_told_what_happened(tmp_path: Path) -> None:
    # The command reads a pipe: once this side of it is open, the import is under way and waits.
    pipe = tmp_path / "customers.csv"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "webapp.cli", "import", "--customers", str(pipe)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as process, pipe.open("w"):
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Stopped by SIGTERM. Nothing was imported." in told
    assert not (tmp_path / "rejects.csv").exists()
