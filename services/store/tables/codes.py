"""One-time codes; `services.codes` writes them."""

from datetime import timedelta

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
)

from services.store.declarations import Declarations, RetentionRule
from services.store.tables.base import Moment, metadata

one_time_codes = Table(
    "one_time_codes",
    metadata,
    # One row a customer: every door spends from the same budget, and a new code replaces the older one.
    Column("kutid", ForeignKey("customers.kutid"), primary_key=True),
    Column("registration_id", String(32), nullable=False),
    Column("mobile", String(20), nullable=False),
    Column("serial", String(32), nullable=False),
    Column("code_mac", String(64), nullable=False),
    Column("issued_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("tries_left", Integer, nullable=False),
    Column("is_undelivered", Boolean, nullable=False),
    Column("codes_used", Integer, nullable=False),
    Column("guesses_used", Integer, nullable=False),
    Column("budget_ends_at", Moment, nullable=False),
    Column("tail_mac", String(64)),  # of the last characters, where those are enough
)

TOPIC = "code:"
"""With the customer's id, the topic of the messages that bring codes."""

DECLARED = Declarations(
    retention=(
        # No registration that could still show its code began after the budget did.
        RetentionRule(
            "one_time_codes",
            one_time_codes.c.kutid,
            one_time_codes.c.budget_ends_at,
            kept_for=lambda profile: max(timedelta(days=1), profile.registration.longest),
        ),
    ),
    withdrawn_with_account=(f"{TOPIC}{{kutid}}",),
)
