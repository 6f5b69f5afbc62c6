"""Clients of the API, and what they were answered."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_answers",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("asked", sa.String(length=64), nullable=False),
        sa.Column("turn", sa.String(length=32), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("headers", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("body", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_answers")),
    )
    op.create_index(op.f("ix_api_answers_begun_at"), "api_answers", ["begun_at"], unique=False)
    op.create_table(
        "api_keys",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("adviser", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
    )
    with op.batch_alter_table("staff_cases") as cases:
        cases.add_column(sa.Column("api_key_id", sa.String(length=32), nullable=True))
        cases.alter_column("session_id", existing_type=sa.String(length=32), nullable=True)
        cases.create_index(op.f("ix_staff_cases_api_key_id"), ["api_key_id"], unique=False)
        cases.create_foreign_key(op.f("fk_staff_cases_api_key_id"), "api_keys", ["api_key_id"], ["id"])


def downgrade() -> None:
    op.execute("DELETE FROM staff_cases WHERE session_id IS NULL")
    with op.batch_alter_table("staff_cases") as cases:
        cases.drop_constraint(op.f("fk_staff_cases_api_key_id"), type_="foreignkey")
        cases.drop_index(op.f("ix_staff_cases_api_key_id"))
        cases.alter_column("session_id", existing_type=sa.String(length=32), nullable=False)
        cases.drop_column("api_key_id")
    op.drop_table("api_keys")
    op.drop_index(op.f("ix_api_answers_begun_at"), table_name="api_answers")
    op.drop_table("api_answers")
