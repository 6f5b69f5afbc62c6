"""The insurer's register; `services.register` writes it."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    false,
    or_,
)

from services.store.declarations import Declarations, RetentionRule
from services.store.tables.base import Moment, metadata

customers = Table(
    "customers",
    metadata,
    Column("kutid", String(32), primary_key=True),
    Column("holder_type", String(16), nullable=False),
    Column("name", String(300), nullable=False),
    Column("birth_date", Date),
    Column("tax_number", String(32)),
    Column("postal_code", String(16)),
    Column("customer_number", String(32), index=True),
    Column("birth_number", String(16)),
    Column("email", String(320)),  # to which invitations go; what staff have recorded since counts before it
    Index("ix_customers_birth_date", "birth_date"),
)

policies = Table(
    "policies",
    metadata,
    Column("policy_number", String(32), primary_key=True),
    Column("kutid", ForeignKey("customers.kutid"), nullable=False, index=True),
    Column("status", String(16), nullable=False),
    Column("product", String(32)),
    Column("ended_on", Date),
    # What the portal shows of it (P5, P6); the insurer may bring any of it or nothing.
    Column("account_number", String(32)),  # of the customer account to which it belongs (P7)
    Column("title", String(200)),  # the product's name
    Column("insured", String(300)),
    Column("starts_on", Date),
    Column("anniversary", String(5)),  # month and day, as 03-14
    Column("premium", BigInteger),  # of one payment, in the currency's smallest unit
    Column("currency", String(3)),
    Column("frequency", String(16)),  # of payments; see services.register.importing.rows
    Column("paid_until", Date),
    Column("cover_until", Date),
    Column("end_reason", String(200)),  # a word of the importer's, or the insurer's own
)

policy_rows = Table(
    "policy_rows",
    metadata,
    # What a policy covers and says, line by line, so that any product can be shown without code (P6).
    Column("policy_number", ForeignKey("policies.policy_number"), primary_key=True),
    Column("language", String(8), primary_key=True),  # empty: for every language
    Column("section", String(80), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("label", String(120), nullable=False),
    Column("value", String(500), nullable=False),
    # Without a second tree for the wide key a first load holds SQLite's lock half as long.
    sqlite_with_rowid=False,
)

phones = Table(
    "phones",
    metadata,
    Column("kutid", ForeignKey("customers.kutid"), primary_key=True),
    Column("policy_number", ForeignKey("policies.policy_number"), primary_key=True),
    Column("number", String(20), primary_key=True),  # E.164
    Column("is_mobile", Boolean, nullable=False),
    Column("is_default", Boolean, nullable=False, server_default=false()),  # the one that text messages go to
    Index("ix_phones_number", "number"),
)

communication_ids = Table(
    "communication_ids",
    metadata,
    Column("communication_id", String(16), primary_key=True),
    Column("kutid", ForeignKey("customers.kutid"), nullable=False),
    Column("password_hash", String(200), nullable=False),
)

customer_accounts = Table(
    "customer_accounts",
    metadata,
    Column("account_number", String(32), primary_key=True),
    Column("kutid", ForeignKey("customers.kutid"), nullable=False, index=True),
    Column("old_number", String(32), index=True),  # by which it was known before
    Column("manager", String(16), nullable=False),  # customer, intermediary
    Column("intermediary", String(300)),
)

advisers = Table(
    "advisers",
    metadata,
    Column("kutid", ForeignKey("customers.kutid"), primary_key=True),
    Column("adviser", String(64)),  # their code; empty when nobody advises the customer any more
    Index("ix_advisers_adviser_kutid", "adviser", "kutid"),
)

contact_changes = Table(
    "contact_changes",
    metadata,
    # What staff learnt of a customer counts here at once. What a customer changed counts for the account alone, and is
    # settled as it is written. Both are events for the insurer's own system.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("kutid", ForeignKey("customers.kutid"), nullable=False, index=True),
    Column("kind", String(8), nullable=False),  # email, mobile
    Column("before", String(1000), nullable=False),  # as it was known here; several numbers stand side by side
    Column("after", String(320), nullable=False),
    Column("actor", String(64), nullable=False),
    Column("at", Moment, nullable=False),
    Column("settled_at", Moment),  # when an import brought it, or a later one: the register alone counts
    Index("ix_contact_changes_after", "after"),
)

REGISTER = (customers, policies, phones, communication_ids, customer_accounts, advisers, policy_rows)
"""The insurer's register, parents first."""

DECLARED = Declarations(
    retention=(
        # What the register has; an address also where it has none.
        RetentionRule(
            "contact_changes",
            contact_changes.c.id,
            contact_changes.c.at,
            kept_for=lambda profile: profile.retention.audit,
            only_if=or_(contact_changes.c.settled_at.is_not(None), contact_changes.c.kind == "email"),
        ),
    ),
)
