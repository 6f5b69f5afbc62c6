"""Reference codes; `services.references` writes them."""

from sqlalchemy import (
    Column,
    String,
    Table,
)

from services.store.declarations import Declarations, RetentionRule, newest
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

DECLARED = Declarations(
    retention=(
        RetentionRule(
            "reference_codes",
            reference_codes.c.code,
            reference_codes.c.created_at,
            kept_for=lambda profile: profile.retention.registrations,
        ),
    ),
    written=(newest(reference_codes.c.created_at),),
)
