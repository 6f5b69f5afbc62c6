"""grants to advisers, their reminders, and consents to electronic letters."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "grants",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kutid", sa.String(length=32), nullable=False),
        sa.Column("adviser", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.String(length=16), nullable=False),
        sa.Column("given_at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("live_for", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["kutid"], ["customers.kutid"], name=op.f("fk_grants_kutid")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
        sa.UniqueConstraint("live_for", name=op.f("uq_grants_live_for")),
    )
    op.create_index("ix_grants_kutid_scope", "grants", ["kutid", "scope"], unique=False)
    op.create_table(
        "nudges",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kutid", sa.String(length=32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("staff_id", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["kutid"], ["customers.kutid"], name=op.f("fk_nudges_kutid")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_nudges")),
        sa.UniqueConstraint("kutid", "day", name=op.f("uq_nudges_kutid_day")),
    )
    op.create_index(op.f("ix_nudges_at"), "nudges", ["at"], unique=False)
    op.create_table(
        "letter_consents",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("kutid", sa.String(length=32), nullable=False),
        sa.Column("is_agreed", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(["kutid"], ["customers.kutid"], name=op.f("fk_letter_consents_kutid")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_consents")),
    )
    op.create_index("ix_letter_consents_kutid_at", "letter_consents", ["kutid", "at"], unique=False)
    op.add_column("letters", sa.Column("is_on_paper", sa.Boolean(), server_default=sa.false(), nullable=False))
    where = sa.text("is_on_paper AND printed_at IS NULL")
    op.create_index("ix_letters_on_paper", "letters", ["id"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_index("ix_letters_on_paper", table_name="letters")
    op.drop_column("letters", "is_on_paper")
    op.drop_table("letter_consents")
    op.drop_table("nudges")
    op.drop_table("grants")
