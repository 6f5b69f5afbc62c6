"""The few statements that SQLAlchemy spells differently for each database."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import JSON, ColumnElement, Connection, Table, Text, cast, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles


def insert_for(connection: Connection, table: Table) -> Any:
    """Return an INSERT of the connection's own dialect, for its ON CONFLICT clause."""
    return insert_in(connection.dialect.name, table)


def insert_in(dialect: str, table: Table) -> Any:
    """Return the same by the dialect's name, for a statement that is built once and kept."""
    return (sqlite if dialect == "sqlite" else postgresql).insert(table)


def queue_for(connection: Connection, key: str) -> None:
    """Wait until no other transaction works on `key`; a writer on SQLite has the whole database to itself already."""
    if connection.dialect.name != "sqlite":
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))


class without(ColumnElement[Any]):
    """A JSON object's column without some of its keys."""

    inherit_cache = False
    type = JSON()

    def __init__(self, column: ColumnElement[Any], keys: Sequence[str]) -> None:
        self.column = column
        self.keys = tuple(keys)


@compiles(without, "sqlite")
def _without_on_sqlite(element: without, compiler: Any, **named: Any) -> str:
    return str(compiler.process(func.json_remove(element.column, *(f'$."{key}"' for key in element.keys)), **named))


@compiles(without, "postgresql")
def _without_on_postgresql(element: without, compiler: Any, **named: Any) -> str:
    keys = cast(list(element.keys), postgresql.ARRAY(Text))
    rest = cast(element.column, postgresql.JSONB).op("-")(keys)
    return str(compiler.process(cast(rest, JSON), **named))
