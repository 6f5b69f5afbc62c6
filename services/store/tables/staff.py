"""Staff, their sessions and cases; `services.staff` writes them."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    String,
    Table,
    exists,
)

from services.store.declarations import Declarations, EndedRows, RetentionRule, newest
from services.store.tables.base import Moment, metadata

staff = Table(
    "staff",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("email", String(320), nullable=False),
    Column("email_key", String(320), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("role", String(16), nullable=False),  # service, adviser, supervisor
    Column("adviser", String(64), unique=True),  # of an adviser: the code by which the register knows them
    Column("password_hash", String(200), nullable=False),
    Column("totp_secret", String(400)),  # encrypted; only a demonstration's staff have none
    Column("totp_step", BigInteger, nullable=False),  # the time step of the last code used: none is good twice
    Column("created_at", Moment, nullable=False),
    Column("disabled_at", Moment),
)

staff_sessions = Table(
    "staff_sessions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("staff_id", ForeignKey("staff.id"), nullable=False, index=True),
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("device_hash", String(64), nullable=False),
    Column("created_at", Moment, nullable=False, index=True),
    Column("seen_at", Moment, nullable=False),
    Column("ends_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("found", JSON(none_as_null=True)),  # the customers whom the last search found
)

staff_cases = Table(
    "staff_cases",
    metadata,
    # One customer in front of one member of staff, from the look on; it holds what they record together.
    Column("id", String(32), primary_key=True),
    Column("session_id", ForeignKey("staff_sessions.id"), index=True),
    Column("kutid", ForeignKey("customers.kutid"), nullable=False),
    Column("opened_at", Moment, nullable=False, index=True),
    Column("identified_by", String(16)),  # how: see services.staff.cases
    Column("identified_at", Moment),
    Column("email", String(320)),
    Column("email_key", String(320)),
    Column("mobile", String(20)),
    Column("language", String(8)),
    Column("confirmed_at", Moment),  # when the code sent to the mobile was read back
    Column("registration_id", String(32)),
    Column("api_key_id", ForeignKey("api_keys.id"), index=True),  # in place of a session: of the API's client
)

DECLARED = Declarations(
    retention=(
        # Whom staff looked at, and what they were about to record: no longer than a registration that comes of it.
        RetentionRule(
            "staff_cases",
            staff_cases.c.id,
            staff_cases.c.opened_at,
            kept_for=lambda profile: profile.retention.registrations,
        ),
        RetentionRule(
            "staff_sessions",
            staff_sessions.c.id,
            staff_sessions.c.created_at,
            kept_for=lambda profile: profile.retention.sessions,
            only_if=~exists().where(staff_cases.c.session_id == staff_sessions.c.id),
        ),
    ),
    ended_with_staff=(EndedRows(staff_sessions.c.staff_id, staff_sessions.c.ended_at),),
    written=(newest(staff_sessions.c.created_at), newest(staff_cases.c.opened_at)),
)
