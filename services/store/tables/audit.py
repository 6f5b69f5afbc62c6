"""The audit trail; `services.audit` writes it."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Integer,
    String,
    Table,
)

from services.store.tables.base import Moment, metadata

audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False, index=True),
    Column("actor", String(64), nullable=False),  # customer, system, a member of staff, or a client of the API
    Column("action", String(32), nullable=False),
    Column("kutid", String(32), index=True),
    Column("facts", JSON, nullable=False),
    Column("source", String(64)),  # the network from which it was done; none for workers and commands
)
