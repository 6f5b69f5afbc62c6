"""Clients of the API; `services.clients` writes them."""

from sqlalchemy import (
    JSON,
    Column,
    Integer,
    String,
    Table,
    Text,
)

from services.store.declarations import Declarations, RetentionRule, a_day
from services.store.tables.base import Moment, metadata

api_keys = Table(
    "api_keys",
    metadata,
    # A client of the API. Rows stay after their end: the audit trail speaks of them.
    Column("id", String(32), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("key_hash", String(64), nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("adviser", String(64)),  # whose customers alone it reaches
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    Column("used_at", Moment),  # to the hour or so: not every request writes
)

api_answers = Table(
    "api_answers",
    metadata,
    # What a request with an idempotency key was answered; without a status while it is under way.
    Column("id", String(64), primary_key=True),  # keyed hashes, both: of client and key, and of what was asked
    Column("asked", String(64), nullable=False),
    Column("turn", String(32), nullable=False),  # whoever has it may write the answer
    Column("begun_at", Moment, nullable=False, index=True),
    Column("status", Integer),
    Column("headers", JSON(none_as_null=True)),
    Column("body", Text),
)

DECLARED = Declarations(
    retention=(
        # What the API's clients were answered, so that a repeated request does nothing twice.
        RetentionRule("api_answers", api_answers.c.id, api_answers.c.begun_at, kept_for=a_day),
    ),
)
