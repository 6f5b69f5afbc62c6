"""Registrations under way; `services.registrations` writes them."""

from sqlalchemy import (
    JSON,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
)

from services.store.declarations import Declarations, ErasedRows, ExportedRows, RetentionRule, newest
from services.store.tables.base import Moment, metadata

registrations = Table(
    "registrations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kutid", ForeignKey("customers.kutid"), nullable=False, index=True),
    Column("identifier", String(32), nullable=False),  # what was typed: a policy number or another identifier
    Column("language", String(8), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False, index=True),
    Column("closes_at", Moment, nullable=False),  # however often the mail is sent again
    Column("email", String(320)),
    Column("email_key", String(320)),
    Column("link_id", String(32), unique=True),
    Column("mailed_at", Moment),
    Column("mails", Integer, nullable=False),
    Column("email_confirmed_at", Moment),
    Column("mobile", String(20)),
    Column("mobile_confirmed_at", Moment),
    Column("terms_opened", String(64)),
    Column("terms_version", String(64)),
    Column("terms_hash", String(64)),
    Column("terms_accepted_at", Moment),
    Column("answers", JSON, nullable=False),  # what a profile's own steps store, by the step's name
    Column("notice_opened", String(64)),
    Column("begun_by", String(64), nullable=False, server_default="customer"),  # or a member of staff, as in the audit
    Column("ended_at", Moment),  # by staff; `expires_at` is the same moment then
    Column("browser", String(64)),  # a hash: that began it, or was the last to type a code that was right
    Index("ix_registrations_email_key", "email_key"),
)

DECLARED = Declarations(
    retention=(
        # Complete or not: what is needed of a complete one stands in the account.
        RetentionRule(
            "registrations",
            registrations.c.id,
            registrations.c.expires_at,
            kept_for=lambda profile: profile.retention.registrations,
        ),
    ),
    # Without the account it would look unfinished, and its link would still open it.
    erased_with_account=(ErasedRows(registrations.c.kutid, "kutid", topic="confirm"),),
    exported=(
        # None once the registration has been erased, which happens before the account is.
        ExportedRows(
            "registration",
            (
                registrations.c.identifier,
                registrations.c.created_at,
                registrations.c.email,
                registrations.c.email_confirmed_at,
                registrations.c.mobile,
                registrations.c.mobile_confirmed_at,
            ),
            registrations.c.id,
            "registration_id",
            is_single=True,
        ),
    ),
    written=(newest(registrations.c.created_at),),
)
