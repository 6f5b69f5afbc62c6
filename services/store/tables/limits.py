"""Counts and waits; `services.limits` writes them."""

from sqlalchemy import (
    Column,
    Index,
    Integer,
    String,
    Table,
    select,
    text,
)

from services.store.declarations import Declarations, RetentionRule, a_day
from services.store.tables.base import Moment, metadata

allowances = Table(
    "allowances",
    metadata,
    Column("key", String(64), primary_key=True),  # a keyed hash, or the customer's id where a condition asks for it
    Column("used", Integer, nullable=False),
    Column("ends_at", Moment, nullable=False, index=True),
    Column("kutid", String(32)),  # where tries concern a customer whom somebody should help
    Index(
        "ix_allowances_kutid",
        "kutid",
        sqlite_where=text("kutid IS NOT NULL"),
        postgresql_where=text("kutid IS NOT NULL"),
    ),
)

sign_in_tries = Table(
    "sign_in_tries",
    metadata,
    Column("key", String(64), primary_key=True),  # a keyed hash: nothing personal
    Column("failures", Integer, nullable=False),  # in a row; a try under way counts as one until it has succeeded
    Column("wait_until", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False, index=True),
)

NOTED_TIME = "clock"
"""The key of the row that holds the latest moment which a process noted."""

DECLARED = Declarations(
    retention=(
        RetentionRule("allowances", allowances.c.key, allowances.c.ends_at, kept_for=a_day),
        RetentionRule("sign_in_tries", sign_in_tries.c.key, sign_in_tries.c.ends_at, kept_for=a_day),
    ),
    written=(select(allowances.c.ends_at).where(allowances.c.key == NOTED_TIME),),
)
