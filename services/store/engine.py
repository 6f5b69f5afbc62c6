"""Opens the database and hands out transactions, alike on SQLite and PostgreSQL."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

from services.crash_points import reach
from services.refusal import Denial

_ANNOUNCED = "announced"
_PAUSE = 0.05
"""Seconds between two tries to open a new database."""


class Store:
    """One database. `read()` and `write()` are the only ways in; each is one transaction.

    On SQLite a writer takes its lock at once (``BEGIN IMMEDIATE``), so what it read stays true until it
    commits, and the writers of one process queue in the process instead of spinning on the file.
    On PostgreSQL conditional statements and row locks do the same.
    """

    def __init__(self, url: str | URL, *, synchronous: str = "FULL", busy_seconds: float = 8.0) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._busy_seconds = busy_seconds
        self.engine = self._sqlite(synchronous) if self.is_sqlite else self._postgresql()
        self._writer = threading.Lock() if self.is_sqlite else None
        self.wakes: list[Callable[[], None]] = []
        """What is called after each transaction that was announced."""
        event.listen(self.engine, "checkin", self._came_back)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection for reading; nothing is kept."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection whose changes are committed together, or not at all when an exception leaves.

        A denial that was `counted` leaves as it is, but after the commit: a try counts though it is refused.
        Raises TimeoutError when the database stays locked by another writer.
        """
        with self._turn(), self.engine.connect() as connection:
            connection.info["writes"] = True
            counted: Denial | None = None
            try:
                with connection.begin():
                    try:
                        yield connection
                    except Denial as denial:
                        if not denial.is_counted:
                            raise
                        counted = denial
            finally:
                connection.info.pop("writes", None)
        if counted is not None:
            reach("store.counted")
            raise counted

    def announce(self, connection: Connection) -> None:
        """Call `wakes` once this connection's transaction is over."""
        connection.info[_ANNOUNCED] = True

    def _came_back(self, _connection: Any, record: Any) -> None:
        if record.info.pop(_ANNOUNCED, False):
            for wake in tuple(self.wakes):
                wake()

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._writer is None:
            yield
            return
        if not self._writer.acquire(timeout=self._busy_seconds * 3):
            raise TimeoutError("the database is busy")
        try:
            yield
        finally:
            self._writer.release()

    def _sqlite(self, synchronous: str) -> Engine:
        engine = create_engine(
            self.url,
            hide_parameters=True,  # they hold personal data, and errors are logged
            connect_args={"timeout": self._busy_seconds, "check_same_thread": False, "isolation_level": None},
            pool_size=6,
            max_overflow=4,
            pool_timeout=8,
        )

        event.listen(engine, "do_connect", self._keep_private)
        event.listen(engine, "connect", partial(self._set_up, synchronous))
        event.listen(engine, "begin", _begin)
        return engine

    def _keep_private(self, *_arguments: Any) -> None:
        # Its folder too may be new.
        Path(self.url.database or "").parent.mkdir(parents=True, exist_ok=True)
        # Personal data: SQLite would make the file as the umask has it, and what belongs to it after its example.
        with suppress(OSError):
            os.close(os.open(self.url.database or "", os.O_CREAT | os.O_EXCL, 0o600))

    def _set_up(self, synchronous: str, dbapi_connection: Any, _record: Any) -> None:
        self._write_ahead(dbapi_connection)
        for pragma in (
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            "secure_delete=ON",  # what is erased leaves the file too; some builds of SQLite leave it there
            "cache_size=-65536",
            "journal_size_limit=67108864",
        ):
            dbapi_connection.execute(f"PRAGMA {pragma}")

    def _write_ahead(self, dbapi_connection: Any) -> None:
        # Of processes that open a new database at once, SQLite turns all but one away here, whatever the timeout is.
        tries = max(1, int(self._busy_seconds / _PAUSE))
        for left in reversed(range(tries)):
            try:
                dbapi_connection.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                if not left or error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                    raise
                time.sleep(_PAUSE)
            else:
                return

    def _postgresql(self) -> Engine:
        return create_engine(
            self.url.set(drivername="postgresql+psycopg"),
            hide_parameters=True,
            pool_size=16,
            max_overflow=16,
            pool_pre_ping=True,
            pool_timeout=8,
            connect_args={"connect_timeout": 5, "options": "-c statement_timeout=60000 -c lock_timeout=8000"},
        )


def _begin(connection: Connection) -> None:
    # sqlite3 would begin late and in deferred mode; two readers that both turn writers then collide.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.info.get("writes") else "BEGIN")
