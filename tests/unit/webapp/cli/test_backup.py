"""The copy of a database in use holds all that was acknowledged, and can be put back (F48)."""

import itertools
import sqlite3
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from services.store.backup import BackupError, back_up
from services.store.engine import Store
from services.store.migrate import migrate
from services.store.tables.limits import allowances
from webapp.cli.main import main

NOW = datetime(2026, 11, 20, 9, 2, tzinfo=UTC)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings of a demonstration whose database has its tables."""
    monkeypatch.setenv("BELEPO_DEMO", "1")
    monkeypatch.setenv("BELEPO_DATABASE_URL", f"sqlite:///{tmp_path}/one.sqlite")
    monkeypatch.setenv("BELEPO_DATA_DIR", str(tmp_path))
    store = Store(f"sqlite:///{tmp_path}/one.sqlite")
    migrate(store)
    store.close()
    return tmp_path


def put(store: Store, key: str) -> None:
    with store.write() as connection:
        connection.execute(allowances.insert().values(key=key, used=1, ends_at=NOW))


def keys(file: Path) -> set[str]:
    with closing(sqlite3.connect(file)) as found:
        return {key for (key,) in found.execute("SELECT key FROM allowances")}


def test_a_copy_made_under_load_has_all_that_was_acknowledged(data: Path) -> None:
    store, over = Store(f"sqlite:///{data}/one.sqlite"), threading.Event()
    acknowledged: list[str] = []

    def work() -> None:
        for number in itertools.count():
            if over.is_set():
                return
            put(store, f"{number}")
            acknowledged.append(f"{number}")

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for turn in range(5):
            before = set(acknowledged)
            copy = data / f"{turn}.backup"
            back_up(data / "one.sqlite", copy)
            assert before <= keys(copy)
            assert copy.stat().st_mode & 0o777 == 0o600
    finally:
        over.set()
        worker.join()
        store.close()
    assert not list(data.glob("*.part"))


def test_a_copy_is_put_back(data: Path) -> None:
    store = Store(f"sqlite:///{data}/one.sqlite")
    put(store, "before")
    made = CliRunner().invoke(main, ["backup", str(data / "copy")])
    assert made.exit_code == 0, made.output
    assert "folder:" in made.output
    put(store, "after")
    assert CliRunner().invoke(main, ["restore", str(data / "copy")], input="n\n").exit_code != 0
    assert keys(data / "one.sqlite") == {"before", "after"}
    assert CliRunner().invoke(main, ["restore", "--yes", str(data / "copy")]).exit_code == 0
    assert keys(data / "one.sqlite") == {"before"}
    put(store, "on")
    store.close()
    assert keys(data / "one.sqlite") == {"before", "on"}


def test_it_goes_back_where_nothing_is_left(data: Path) -> None:
    back_up(data / "one.sqlite", data / "copy")
    (data / "one.sqlite").unlink()
    assert CliRunner().invoke(main, ["restore", "--yes", str(data / "copy")]).exit_code == 0
    assert keys(data / "one.sqlite") == set()
    assert (data / "one.sqlite").stat().st_mode & 0o777 == 0o600


def test_a_file_is_never_replaced(data: Path) -> None:
    (data / "copy").write_text("mine")
    with pytest.raises(BackupError, match="already"):
        back_up(data / "one.sqlite", data / "copy")
    assert (data / "copy").read_text() == "mine"


@pytest.mark.parametrize("content", [b"", b"not a database", "another"])
def test_what_is_no_copy_is_not_put_back(data: Path, content: bytes | str) -> None:
    wrong = data / "wrong"
    if isinstance(content, str):
        with closing(sqlite3.connect(wrong)) as other:
            other.execute("CREATE TABLE notes (id)")
    else:
        wrong.write_bytes(content)
    refused = CliRunner().invoke(main, ["restore", "--yes", str(wrong)])
    assert refused.exit_code == 1
    assert "no database" in refused.output


def test_a_damaged_copy_is_not_put_back(data: Path) -> None:
    back_up(data / "one.sqlite", data / "copy")
    content = bytearray((data / "copy").read_bytes())
    content[8192:12288] = bytes(4096)
    (data / "copy").write_bytes(content)
    assert CliRunner().invoke(main, ["restore", "--yes", str(data / "copy")]).exit_code == 1


def test_postgresql_has_tools_of_its_own(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELEPO_DATABASE_URL", "postgresql://localhost/belepo")
    refused = CliRunner().invoke(main, ["backup", str(data / "copy")])
    assert refused.exit_code == 1
    assert "pg_dump" in refused.output
