"""What happened, for the insurer's own systems; `services.events` writes it."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    func,
    or_,
    select,
)

from services.store.declarations import Declarations, RetentionRule, newest
from services.store.tables.base import Moment, metadata

_Number = BigInteger().with_variant(Integer, "sqlite")

events = Table(
    "events",
    metadata,
    # Rows get `id` when they are written and `number` after they are committed: see services.events.feed.
    Column("id", _Number, primary_key=True, autoincrement=True),
    Column("number", _Number, unique=True),
    Column("type", String(32), nullable=False),
    Column("at", Moment, nullable=False, index=True),
    Column("kutid", String(32)),  # whose event it is, to keep it from other advisers' clients; never sent
    Column("data", JSON, nullable=False),  # ids alone, no personal data
    sqlite_autoincrement=True,
)
Index(
    "ix_events_unnumbered",
    events.c.id,
    postgresql_where=events.c.number.is_(None),
    sqlite_where=events.c.number.is_(None),
)

webhooks = Table(
    "webhooks",
    metadata,
    # An endpoint of the insurer's systems, and its place in the feed.
    Column("id", String(32), primary_key=True),
    Column("url", String(2000), nullable=False),
    Column("patterns", JSON, nullable=False),  # types of event, such as request.*
    Column("sealed", String(400), nullable=False),  # the secret, encrypted
    Column("created_at", Moment, nullable=False),
    Column("position", _Number, nullable=False),  # it was called up to this number
    Column("due_at", Moment, nullable=False),  # when it is called next, or how long it is one worker's
    Column("lease", String(32)),  # of the worker that calls it now
    Column("attempts", Integer, nullable=False, server_default="0"),  # calls that failed since the last good one
    Column("failing_since", Moment),
    Column("error", String(200)),
)

webhook_failures = Table(
    "webhook_failures",
    metadata,
    # Events that an endpoint is not called for any more, unless somebody asks for it.
    Column("id", _Number, primary_key=True, autoincrement=True),
    Column("webhook_id", ForeignKey("webhooks.id"), nullable=False),
    Column("number", _Number, nullable=False),  # the event's
    Column("given_up_at", Moment, nullable=False, index=True),
    Column("retry_at", Moment),  # when somebody asked for another call
    UniqueConstraint("webhook_id", "number"),
)

_LAST = select(func.max(events.c.number)).scalar_subquery()

DECLARED = Declarations(
    retention=(
        RetentionRule(
            "events",
            events.c.id,
            events.c.at,
            kept_for=lambda profile: profile.retention.events,
            # The last one stays: the next number follows from it.
            only_if=or_(events.c.number.is_(None), events.c.number < _LAST),
        ),
        RetentionRule(
            "webhook_failures",
            webhook_failures.c.id,
            webhook_failures.c.given_up_at,
            kept_for=lambda profile: profile.retention.events,
        ),
    ),
    written=(newest(events.c.at),),
)
