"""The audit trail; `services.audit` writes it."""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Integer,
    String,
    Table,
)

from services.store.declarations import Declarations, ExportedRows, RetentionRule, newest
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


def _for_the_customer(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without staff's own words about a deed, and without the network they did it from."""
    facts = {name: fact for name, fact in row["facts"].items() if name != "reason"}
    return {**row, "facts": facts, "source": row["source"] if row["actor"] == "customer" else None}


DECLARED = Declarations(
    retention=(RetentionRule("audit", audit.c.id, audit.c.at, kept_for=lambda profile: profile.retention.audit),),
    exported=(
        ExportedRows(
            "history",
            (audit.c.at, audit.c.actor, audit.c.action, audit.c.facts, audit.c.source),
            audit.c.kutid,
            "kutid",
            redact=_for_the_customer,
        ),
    ),
    written=(newest(audit.c.at),),
)
