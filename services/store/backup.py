"""Copies SQLite's file while it is in use, and copies it back (F48)."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path


class BackupError(RuntimeError):
    """A copy cannot be made or used; the message says why."""


def back_up(database: Path, target: Path) -> int:
    """Copy a database in use to a new file that its owner alone can read, and return the file's bytes.

    The copy holds every transaction that was committed before it ended, those of the write-ahead log too. It appears
    under its name once it has passed SQLite's checks. Raises BackupError.
    """
    if target.exists():
        raise BackupError(f"{target} is there already; choose a new name.")
    if not database.is_file():
        raise BackupError(f"There is no database at {database}.")
    draft = target.with_name(f"{target.name}.part")
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
        _copy(database, draft)
        with closing(sqlite3.connect(draft)) as copy:
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, that needs no other beside it
        check(draft)
        os.link(draft, target)  # unlike a renaming, it never replaces a file that came meanwhile
    except OSError as error:
        raise BackupError(f"{target} cannot be written: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)
    return target.stat().st_size


def restore(source: Path, database: Path) -> None:
    """Replace what a database holds by what a copy holds, whole or not at all. Raises BackupError."""
    check(source)
    with suppress(FileExistsError):
        os.close(os.open(database, os.O_CREAT | os.O_EXCL, 0o600))
    _copy(source, database)


def check(file: Path) -> None:
    """Read a copy from end to end. Raises BackupError when it is no whole database of this program."""
    if not file.is_file():
        raise BackupError(f"There is no file {file}.")
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as copy:
            found = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
            is_whole = found == "ok" and not copy.execute("PRAGMA foreign_key_check").fetchone()
            is_ours = copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    except sqlite3.DatabaseError as error:
        raise BackupError(f"{file} is no database: {error}.") from error
    if not is_whole or not is_ours:
        raise BackupError(f"{file} is {'damaged' if is_ours else 'no database of belepo'}.")


def _copy(source: Path, target: Path) -> None:
    try:
        with closing(sqlite3.connect(source, timeout=30)) as old, closing(sqlite3.connect(target, timeout=30)) as new:
            # In one step: in smaller ones it would begin again after each write of another process. No writer waits.
            old.backup(new)
    except sqlite3.Error as error:
        raise BackupError(f"{source} cannot be copied to {target}: {error}.") from error
