"""The temporary tables into which files are read before anything touches the register, on both databases.

They belong to one connection and vanish with it, also when the process is killed.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import BigInteger, Boolean, Column, Connection, Date, Integer, MetaData, RootTransaction, String, Table
from sqlalchemy.exc import OperationalError

from services.register.importing.failures import RegisterBusy
from services.register.importing.rows import (
    ADVISERS,
    COMMUNICATION_IDS,
    CUSTOMER_ACCOUNTS,
    CUSTOMERS,
    PHONES,
    POLICIES,
    POLICY_ROWS,
    Kind,
    Row,
)

_TURNS = 75  # of SQLite's busy timeout, 8 seconds each: 10 minutes
_LOCK_NOT_AVAILABLE = "55P03"
_metadata = MetaData()


def _temporary(name: str, *columns: Column[object]) -> Table:
    return Table(name, _metadata, *columns, prefixes=["TEMPORARY"])


def _line() -> Column[object]:
    return Column("line", Integer, primary_key=True, autoincrement=False)


STAGED = {
    CUSTOMERS: _temporary(
        "staged_customers",
        _line(),
        Column("kutid", String),
        Column("holder_type", String),
        Column("name", String),
        Column("birth_date", Date),
        Column("tax_number", String),
        Column("postal_code", String),
        Column("customer_number", String),
        Column("birth_number", String),
        Column("email", String),
    ),
    POLICIES: _temporary(
        "staged_policies",
        _line(),
        Column("policy_number", String),
        Column("kutid", String),
        Column("status", String),
        Column("product", String),
        Column("ended_on", Date),
        Column("account_number", String),
        Column("title", String),
        Column("insured", String),
        Column("starts_on", Date),
        Column("anniversary", String),
        Column("premium", BigInteger),
        Column("currency", String),
        Column("frequency", String),
        Column("paid_until", Date),
        Column("cover_until", Date),
        Column("end_reason", String),
    ),
    # A row without a policy and a number stands for a customer of whom the file says no (sound) number.
    PHONES: _temporary(
        "staged_phones",
        _line(),
        Column("kutid", String),
        Column("policy_number", String),
        Column("number", String),
        Column("is_mobile", Boolean),
        Column("is_default", Boolean),
    ),
    COMMUNICATION_IDS: _temporary(
        "staged_communication_ids",
        _line(),
        Column("communication_id", String),
        Column("kutid", String),
        Column("password_hash", String),
    ),
    CUSTOMER_ACCOUNTS: _temporary(
        "staged_customer_accounts",
        _line(),
        Column("account_number", String),
        Column("kutid", String),
        Column("old_number", String),
        Column("manager", String),
        Column("intermediary", String),
    ),
    ADVISERS: _temporary("staged_advisers", _line(), Column("kutid", String), Column("adviser", String)),
    # A row without a label belongs to a policy that the file does not mention (sound).
    POLICY_ROWS: _temporary(
        "staged_policy_rows",
        _line(),
        Column("policy_number", String),
        Column("section", String),
        Column("label", String),
        Column("value", String),
        Column("position", Integer),
        Column("language", String),
    ),
}


def columns_of(kind: Kind) -> frozenset[str]:
    """Return the register's columns that files of `kind` fill."""
    return frozenset(STAGED[kind].columns.keys()) - {"line"}


refused = _temporary(
    "refused_rows",
    Column("kind", String, primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("field", String),
    Column("reason", String),
)
"""Staged rows that do not fit the register."""

changes = _temporary(
    "changed_rows",
    Column("kind", String, primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("change", String),  # added, changed
)
"""Staged rows that the register does not hold as they are."""

vanished = _temporary(
    "vanished_phones",
    Column("kutid", String, primary_key=True),
    Column("policy_number", String, primary_key=True),
    Column("number", String, primary_key=True),
)
"""Phones of the register that the files no longer have."""

vanished_rows = _temporary(
    "vanished_policy_rows",
    Column("policy_number", String, primary_key=True),
    Column("language", String, primary_key=True),
    Column("section", String, primary_key=True),
    Column("position", Integer, primary_key=True),
)
"""Rows of policies that the files no longer have."""


def _is_lock(error: OperationalError) -> bool:
    return "database is locked" in str(error.orig) or getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE


class Stage:
    """The staging tables of one run, and its transactions, on a connection kept for it alone."""

    def __init__(self, connection: Connection) -> None:
        # Out of the pool: closing it drops the temporary tables and the settings made here.
        connection.detach()
        self.connection = connection
        self.is_sqlite = connection.dialect.name == "sqlite"
        with connection.begin():
            if self.is_sqlite:
                # Everything is read and written in the order of keys: a bigger cache only costs memory.
                connection.exec_driver_sql("PRAGMA cache_size = -16384")
            else:
                connection.exec_driver_sql("SET statement_timeout = 0")
                connection.exec_driver_sql("SET lock_timeout = '10min'")
                connection.exec_driver_sql("SET work_mem = '64MB'")
            _metadata.create_all(connection, checkfirst=False)

    def add(self, kind: Kind, rows: Sequence[Row]) -> None:
        """Stage `rows`, each beginning with its line."""
        if not rows:
            return
        table = STAGED[kind]
        columns = ", ".join(table.columns.keys())
        with self.connection.begin():
            if self.is_sqlite:
                marks = ", ".join("?" * len(table.columns))
                self.connection.exec_driver_sql(
                    f"INSERT INTO {table.name} ({columns}) VALUES ({marks})",  # noqa: S608
                    list(rows),
                )
                return
            cursor: Any = self.connection.connection.cursor()
            with cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)

    def index(self, kind: Kind, columns: Sequence[str]) -> None:
        """Index the staged rows by their key, once they are all there: much quicker than before."""
        name = STAGED[kind].name
        with self.connection.begin():
            self.connection.exec_driver_sql(f"CREATE INDEX {name}_key ON {name} ({', '.join(columns)})")
            if not self.is_sqlite:
                # Nothing else tells PostgreSQL how many rows a temporary table has.
                self.connection.exec_driver_sql(f"ANALYZE {name}")

    @contextmanager
    def merging(self, *, keeps: bool) -> Iterator[None]:
        """Open the one transaction that changes the register; where `keeps` is False it is rolled back at the end.

        Another import's merge waits until it ends. Raises RegisterBusy when another writer does not let go.
        """
        self.connection.info["writes"] = True
        try:
            with self._turn() as transaction:
                yield
                if not keeps:
                    transaction.rollback()
        finally:
            self.connection.info.pop("writes", None)

    @property
    def edition(self) -> int:
        """A number in the SQLite file's head that every import raises: as long as it stays, so did the register."""
        return int(self.connection.exec_driver_sql("PRAGMA user_version").scalar_one())

    def raise_edition(self) -> None:
        """Tell other imports that what they compared with the register is out of date."""
        if self.is_sqlite:
            self.connection.exec_driver_sql(f"PRAGMA user_version = {(self.edition + 1) % 2**31}")

    def _turn(self) -> RootTransaction:
        for _ in range(_TURNS if self.is_sqlite else 1):
            try:
                transaction = self.connection.begin()
                if not self.is_sqlite:
                    # Keeps other imports out; registrations read customers and refer to them all the while.
                    self.connection.exec_driver_sql("LOCK TABLE customers IN SHARE ROW EXCLUSIVE MODE")
            except OperationalError as error:
                if not _is_lock(error):
                    raise
            else:
                return transaction
        raise RegisterBusy("Another import holds the register; try again when it is done.")
