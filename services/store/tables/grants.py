"""What customers let their advisers see, and the advisers' reminders; `services.grants` writes them."""

from sqlalchemy import Column, Date, ForeignKey, Index, String, Table, UniqueConstraint

from services.store.declarations import Declarations, ErasedRows, ExportedRows, RetentionRule, newest
from services.store.tables.base import Moment, metadata

grants = Table(
    "grants",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kutid", ForeignKey("customers.kutid"), nullable=False),
    Column("adviser", String(64), nullable=False),  # the code by which the register knows them
    Column("scope", String(16), nullable=False),  # letters, contracts
    Column("given_at", Moment, nullable=False),
    Column("until", Date, nullable=False),  # the last day
    Column("ended_at", Moment),  # when the customer took it back, or gave another one in its place
    # The customer and the scope while it was not ended, else None: unique, so there is one at most (P53).
    Column("live_for", String(64)),
    UniqueConstraint("live_for"),
    Index("ix_grants_kutid_scope", "kutid", "scope"),
)

nudges = Table(
    "nudges",
    metadata,
    # The adviser's reminder by mail: one a day for a customer (P54).
    Column("id", String(32), primary_key=True),
    Column("kutid", ForeignKey("customers.kutid"), nullable=False),
    Column("day", Date, nullable=False),
    Column("at", Moment, nullable=False, index=True),
    Column("staff_id", String(32), nullable=False),
    UniqueConstraint("kutid", "day"),
)

DECLARED = Declarations(
    retention=(
        RetentionRule("nudges", nudges.c.id, nudges.c.at, kept_for=lambda profile: profile.retention.worklists),
    ),
    erased_with_account=(ErasedRows(grants.c.kutid, "kutid"), ErasedRows(nudges.c.kutid, "kutid")),
    exported=(
        ExportedRows(
            "grants",
            (grants.c.scope, grants.c.given_at, grants.c.until, grants.c.ended_at),
            grants.c.kutid,
            "kutid",
        ),
    ),
    written=(newest(grants.c.given_at), newest(nudges.c.at)),
)
