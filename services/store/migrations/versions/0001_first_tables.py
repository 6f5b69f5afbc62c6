"""First tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "allowances",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_allowances")),
    )
    op.create_index(op.f("ix_allowances_ends_at"), "allowances", ["ends_at"], unique=False)
    op.create_table(
        "customers",
        sa.Column("kutid", sa.String(length=32), nullable=False),
        sa.Column("holder_type", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("tax_number", sa.String(length=32), nullable=True),
        sa.Column("postal_code", sa.String(length=16), nullable=True),
        sa.PrimaryKeyConstraint("kutid", name=op.f("pk_customers")),
    )
    op.create_table(
        "demo_messages",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("html", sa.Text(), nullable=False),
        sa.Column("links", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_demo_messages")),
    )
    op.create_index(op.f("ix_demo_messages_created_at"), "demo_messages", ["created_at"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("message", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("topic", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index("ix_outbox_state_due_at", "outbox", ["state", "due_at"], unique=False)
    op.create_index("ix_outbox_topic", "outbox", ["topic"], unique=False)
    op.create_table(
        "reference_codes",
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("kutid", sa.String(length=32), nullable=True),
        sa.Column("registration_id", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_reference_codes")),
    )
    op.create_index(op.f("ix_reference_codes_created_at"), "reference_codes", ["created_at"], unique=False)
    op.create_table(
        "accounts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kutid", sa.String(length=32), nullable=False),
        sa.Column("registration_id", sa.String(length=32), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("email_key", sa.String(length=320), nullable=False),
        sa.Column("mobile", sa.String(length=20), nullable=True),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("password_changed_at", sa.BigInteger(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("terms_version", sa.String(length=64), nullable=True),
        sa.Column("terms_hash", sa.String(length=64), nullable=True),
        sa.Column("terms_accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["kutid"], ["customers.kutid"], name=op.f("fk_accounts_kutid")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("email_key", name=op.f("uq_accounts_email_key")),
        sa.UniqueConstraint("kutid", name=op.f("uq_accounts_kutid")),
        sa.UniqueConstraint("registration_id", name=op.f("uq_accounts_registration_id")),
    )
    op.create_table(
        "communication_ids",
        sa.Column("communication_id", sa.String(length=16), nullable=False),
        sa.Column("kutid", sa.String(length=32), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["kutid"], ["customers.kutid"], name=op.f("fk_communication_ids_kutid")),
        sa.PrimaryKeyConstraint("communication_id", name=op.f("pk_communication_ids")),
    )
    op.create_table(
        "one_time_codes",
        sa.Column("kutid", sa.String(length=32), nullable=False),
        sa.Column("registration_id", sa.String(length=32), nullable=False),
        sa.Column("mobile", sa.String(length=20), nullable=False),
        sa.Column("serial", sa.String(length=32), nullable=False),
        sa.Column("code_mac", sa.String(length=64), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("tries_left", sa.Integer(), nullable=False),
        sa.Column("is_undelivered", sa.Boolean(), nullable=False),
        sa.Column("codes_used", sa.Integer(), nullable=False),
        sa.Column("guesses_used", sa.Integer(), nullable=False),
        sa.Column("budget_ends_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["kutid"], ["customers.kutid"], name=op.f("fk_one_time_codes_kutid")),
        sa.PrimaryKeyConstraint("kutid", name=op.f("pk_one_time_codes")),
    )
    op.create_table(
        "policies",
        sa.Column("policy_number", sa.String(length=32), nullable=False),
        sa.Column("kutid", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("product", sa.String(length=32), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["kutid"], ["customers.kutid"], name=op.f("fk_policies_kutid")),
        sa.PrimaryKeyConstraint("policy_number", name=op.f("pk_policies")),
    )
    op.create_index(op.f("ix_policies_kutid"), "policies", ["kutid"], unique=False)
    op.create_table(
        "registrations",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kutid", sa.String(length=32), nullable=False),
        sa.Column("identifier", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("closes_at", sa.BigInteger(), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("email_key", sa.String(length=320), nullable=True),
        sa.Column("link_id", sa.String(length=32), nullable=True),
        sa.Column("mailed_at", sa.BigInteger(), nullable=True),
        sa.Column("mails", sa.Integer(), nullable=False),
        sa.Column("email_confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("mobile", sa.String(length=20), nullable=True),
        sa.Column("mobile_confirmed_at", sa.BigInteger(), nullable=True),
        sa.Column("terms_opened", sa.String(length=64), nullable=True),
        sa.Column("terms_version", sa.String(length=64), nullable=True),
        sa.Column("terms_hash", sa.String(length=64), nullable=True),
        sa.Column("terms_accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["kutid"], ["customers.kutid"], name=op.f("fk_registrations_kutid")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registrations")),
        sa.UniqueConstraint("link_id", name=op.f("uq_registrations_link_id")),
    )
    op.create_index(op.f("ix_registrations_expires_at"), "registrations", ["expires_at"], unique=False)
    op.create_index(op.f("ix_registrations_kutid"), "registrations", ["kutid"], unique=False)
    op.create_table(
        "phones",
        sa.Column("kutid", sa.String(length=32), nullable=False),
        sa.Column("policy_number", sa.String(length=32), nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("is_mobile", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["kutid"], ["customers.kutid"], name=op.f("fk_phones_kutid")),
        sa.ForeignKeyConstraint(["policy_number"], ["policies.policy_number"], name=op.f("fk_phones_policy_number")),
        sa.PrimaryKeyConstraint("kutid", "policy_number", "number", name=op.f("pk_phones")),
    )


def downgrade() -> None:
    op.drop_table("phones")
    op.drop_index(op.f("ix_registrations_kutid"), table_name="registrations")
    op.drop_index(op.f("ix_registrations_expires_at"), table_name="registrations")
    op.drop_table("registrations")
    op.drop_index(op.f("ix_policies_kutid"), table_name="policies")
    op.drop_table("policies")
    op.drop_table("one_time_codes")
    op.drop_table("communication_ids")
    op.drop_table("accounts")
    op.drop_index(op.f("ix_reference_codes_created_at"), table_name="reference_codes")
    op.drop_table("reference_codes")
    op.drop_index("ix_outbox_topic", table_name="outbox")
    op.drop_index("ix_outbox_state_due_at", table_name="outbox")
    op.drop_table("outbox")
    op.drop_index(op.f("ix_demo_messages_created_at"), table_name="demo_messages")
    op.drop_table("demo_messages")
    op.drop_table("customers")
    op.drop_index(op.f("ix_allowances_ends_at"), table_name="allowances")
    op.drop_table("allowances")
