"""The store: transactions, moments, and migrations that end where the tables are, on both databases."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, MetaData, event, inspect, select, text
from sqlalchemy.exc import IntegrityError, OperationalError

from services.refusal import DeadEnd, Denial, OutOfTurn, Refusal
from services.store.engine import Store
from services.store.migrate import migrate
from services.store.tables import metadata
from services.store.tables.limits import allowances
from services.store.tables.register import policies
from services.store.version import is_current, version_of
from tests.world.outcomes import at_once

ROOT = Path(__file__).resolve().parents[4]
NOW = datetime(2026, 11, 20, 9, 2, 3, 456789, tzinfo=UTC)


def put(connection: Connection, key: str, used: int = 1) -> None:
    connection.execute(allowances.insert().values(key=key, used=used, ends_at=NOW))


def used(store: Store, key: str = "one") -> int | None:
    with store.read() as connection:
        found: int | None = connection.execute(select(allowances.c.used).where(allowances.c.key == key)).scalar()
    return found


# --- Transactions ---------------------------------------------------------------------------------------------


def test_what_is_written_is_there(store: Store) -> None:
    with store.write() as connection:
        put(connection, "one")
    assert used(store) == 1


def test_an_exception_takes_everything_back(store: Store) -> None:
    def fail() -> None:
        with store.write() as connection:
            put(connection, "one")
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert used(store) is None
    with store.write() as connection:  # and the store can be used again
        put(connection, "one")


DENIALS = {
    "refusal": lambda: Refusal("sms_code", "wrong"),
    "dead end": lambda: DeadEnd("codes_used_up"),
    "out of turn": OutOfTurn,
}


def count_and_raise(store: Store, denial: Denial) -> None:
    with store.write() as connection:
        put(connection, "one")
        raise denial


@pytest.mark.parametrize("kind", DENIALS)
def test_a_denial_takes_everything_back(store: Store, kind: str) -> None:
    denial = DENIALS[kind]()
    with pytest.raises(Denial) as raised:
        count_and_raise(store, denial)
    assert raised.value is denial
    assert used(store) is None


@pytest.mark.parametrize("kind", DENIALS)
def test_a_counted_denial_keeps_what_was_counted(store: Store, kind: str) -> None:
    denial = DENIALS[kind]()
    with pytest.raises(Denial) as raised:
        count_and_raise(store, denial.counted())
    assert raised.value is denial
    assert used(store) == 1
    with store.write() as connection:  # and the store can be used again
        put(connection, "two")
    assert used(store, "two") == 1


def test_of_counted_denials_at_once_each_counts(store: Store) -> None:
    with store.write() as connection:
        put(connection, "one", used=0)

    def refuse() -> None:
        with store.write() as connection:
            connection.execute(allowances.update().values(used=allowances.c.used + 1))
            raise Refusal("sms_code", "wrong").counted()

    assert [type(answer) for answer in at_once([refuse] * 24)] == [Refusal] * 24
    assert used(store) == 24


def test_a_count_that_cannot_be_committed_is_no_denial(store: Store) -> None:
    """The browser must not read that its try was counted when it was not."""

    def fail(_connection: Connection) -> None:
        raise LookupError

    event.listen(store.engine, "commit", fail)
    with pytest.raises(LookupError):
        count_and_raise(store, Refusal("sms_code", "wrong").counted())
    event.remove(store.engine, "commit", fail)
    assert used(store) is None


def test_what_is_done_while_reading_is_not_kept(store: Store) -> None:
    with store.read() as connection:
        put(connection, "one")
    assert used(store) is None


def test_a_moment_is_kept_to_the_millisecond_and_comes_back_in_utc(store: Store) -> None:
    budapest = timezone(timedelta(hours=1))
    with store.write() as connection:
        connection.execute(allowances.insert().values(key="one", used=1, ends_at=NOW.astimezone(budapest)))
        (kept,) = connection.execute(select(allowances.c.ends_at)).scalars()
    assert kept == NOW.replace(microsecond=456000)
    assert kept.utcoffset() == timedelta()


def test_foreign_keys_hold(store: Store) -> None:
    with pytest.raises(IntegrityError), store.write() as connection:
        connection.execute(policies.insert().values(policy_number="1", kutid="nobody", status="live"))


def test_a_reader_sees_what_was_there_before_a_writer_has_finished(store: Store) -> None:
    with store.write() as connection:
        put(connection, "one")
        seen: list[Any] = []
        reader = threading.Thread(target=lambda: seen.append(used(store)))
        reader.start()
        reader.join(30)
        assert seen == [None]
    assert used(store) == 1


def test_writers_at_once_lose_nothing(store: Store) -> None:
    with store.write() as connection:
        put(connection, "one", used=0)

    def add() -> None:
        with store.write() as connection:
            connection.execute(allowances.update().values(used=allowances.c.used + 1))

    assert at_once([add] * 24) == [None] * 24
    assert used(store) == 24


def test_what_a_writer_on_sqlite_has_read_stays_true_until_it_commits(sqlite_store: Store) -> None:
    with sqlite_store.write() as connection:
        put(connection, "one", used=0)

    def read_then_write() -> None:
        with sqlite_store.write() as connection:
            seen = connection.execute(select(allowances.c.used)).scalar_one()
            connection.execute(allowances.update().values(used=seen + 1))

    assert at_once([read_then_write] * 12) == [None] * 12
    assert used(sqlite_store) == 12


def test_a_database_that_another_process_holds_is_reported_and_used_again(tmp_path: Path) -> None:
    file = tmp_path / "belepo.sqlite"
    mine, others = (Store(f"sqlite:///{file}", busy_seconds=0.05) for _ in range(2))
    metadata.create_all(mine.engine)
    with others.write(), pytest.raises(OperationalError, match="locked"), mine.write() as connection:
        put(connection, "one")
    with mine.write() as connection:
        put(connection, "one")
    assert used(others) == 1
    for store in (mine, others):
        store.close()


def test_a_writer_that_waits_too_long_in_the_process_is_told(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'belepo.sqlite'}", busy_seconds=0.02)
    told: list[Exception] = []

    def write() -> None:
        try:
            with store.write():
                pass
        except TimeoutError as error:
            told.append(error)

    with store.write():
        other = threading.Thread(target=write)
        other.start()
        other.join(30)
    assert len(told) == 1
    store.close()


# --- Migrations -----------------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", "postgresql"])
def new_databases(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    """Two databases without any tables."""
    if request.param == "sqlite":
        stores = Store(f"sqlite:///{tmp_path / 'one.sqlite'}"), Store(f"sqlite:///{tmp_path / 'two.sqlite'}")
        yield stores
        for store in stores:
            store.close()
        return
    server: Store = request.getfixturevalue("postgresql_store")
    names = [f"{server.url.database}_{part}" for part in ("one", "two")]
    with server.engine.connect() as connection:
        anywhere = connection.execution_options(isolation_level="AUTOCOMMIT")
        for name in names:
            anywhere.execute(text(f"CREATE DATABASE {name}"))
        urls = [server.url.set(database=name).render_as_string(hide_password=False) for name in names]
        stores = Store(urls[0]), Store(urls[1])
        yield stores
        for store in stores:
            store.close()
        for name in names:
            anywhere.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def schema(store: Store) -> dict[str, Any]:
    """Return everything that the database tells of its tables."""
    seen = inspect(store.engine)
    return {
        name: {
            "columns": [{**column, "type": repr(column["type"])} for column in seen.get_columns(name)],
            "primary key": seen.get_pk_constraint(name),
            "foreign keys": sorted(seen.get_foreign_keys(name), key=repr),
            "unique": sorted(seen.get_unique_constraints(name), key=repr),
            "indexes": sorted(
                (
                    {**index, "dialect_options": {key: str(value) for key, value in index["dialect_options"].items()}}
                    for index in seen.get_indexes(name)
                ),
                key=repr,
            ),
        }
        for name in seen.get_table_names()
        if name != "alembic_version"
    }


def test_the_migrations_make_the_tables(new_databases: tuple[Store, Store]) -> None:
    migrated, created = new_databases
    migrate(migrated)
    metadata.create_all(created.engine)
    assert schema(migrated) == schema(created)
    assert set(schema(migrated)) == set(metadata.tables)


def test_migrating_again_does_nothing(new_databases: tuple[Store, Store]) -> None:
    store, _ = new_databases
    assert not is_current(store)
    migrate(store)
    assert is_current(store)
    with store.write() as connection:
        put(connection, "one")
    before = schema(store)
    migrate(store)
    assert schema(store) == before
    assert used(store) == 1


def test_a_database_of_a_newer_version_is_served_and_left_alone(new_databases: tuple[Store, Store]) -> None:
    store, _ = new_databases
    migrate(store)
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = schema(store)
    migrate(store)
    assert (version_of(store), schema(store)) == ("9999", before)
    assert is_current(store)
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    assert not is_current(store)


def test_migrations_only_add_what_the_version_before_lives_with() -> None:
    """While machines are upgraded one by one, both versions use the tables (F46)."""
    landed_before_the_rule = 10
    for file in sorted((ROOT / "services/store/migrations/versions").glob("[0-9]*.py")):
        upgrade = file.read_text().partition("def upgrade")[2].partition("def downgrade")[0]
        assert not re.findall(r"\.drop_(?!index)\w+|\.rename_table|alter_column\(.*nullable=False", upgrade), file.name
        if int(file.name[:4]) > landed_before_the_rule:
            for column in re.findall(r"add_column\((.*nullable=False.*)\)", upgrade):
                assert "server_default" in column, f"{file.name}: {column}"


MIGRATE = """
import sys
from services.store.engine import Store
from services.store.migrate import migrate
store = Store(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
migrate(store)
"""


def test_processes_that_migrate_at_once_all_end_well(new_databases: tuple[Store, Store]) -> None:
    store, _ = new_databases
    url = store.url.render_as_string(hide_password=False)
    processes = [
        subprocess.Popen([sys.executable, "-c", MIGRATE, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        with process:
            process.communicate(timeout=60)
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert is_current(store)


def test_a_reflected_schema_differs_when_a_table_does(new_databases: tuple[Store, Store]) -> None:
    """The comparison above can fail."""
    one, other = new_databases
    metadata.create_all(one.engine)
    changed = MetaData()
    for table in metadata.sorted_tables:
        table.to_metadata(changed)
    changed.tables["allowances"].c.used.nullable = True
    changed.create_all(other.engine)
    assert schema(one) != schema(other)
