"""Reference codes; `services.references` writes them."""

from sqlalchemy import (
    Column,
    String,
    Table,
)

from services.store.tables.base import Moment, metadata

reference_codes = Table(
    "reference_codes",
    metadata,
    Column("code", String(16), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("kutid", String(32)),
    Column("registration_id", String(32)),
    Column("created_at", Moment, nullable=False, index=True),
)
