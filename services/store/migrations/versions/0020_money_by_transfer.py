"""money by transfer."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_IS_OPEN = sa.text("payment_id IS NULL AND sent_back_at IS NULL")


def upgrade() -> None:
    op.add_column("invoices", sa.Column("received", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("payments", sa.Column("refund", sa.BigInteger(), nullable=True))
    op.execute("UPDATE payments SET refund = amount WHERE doubled_at IS NOT NULL")
    op.execute(
        "UPDATE invoices SET received = COALESCE((SELECT SUM(payments.amount) FROM payments "
        "WHERE payments.id = invoices.paid_by), 0)"
    )
    op.create_table(
        "bank_entries",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("text", sa.String(length=500), nullable=False),
        sa.Column("payer", sa.String(length=140), nullable=False),
        sa.Column("noted_at", sa.BigInteger(), nullable=False),
        sa.Column("payment_id", sa.String(length=32), nullable=True),
        sa.Column("sent_back_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_bank_entries_payment_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_entries")),
        sa.UniqueConstraint("key", name=op.f("uq_bank_entries_key")),
    )
    op.create_index(op.f("ix_bank_entries_noted_at"), "bank_entries", ["noted_at"], unique=False)
    op.create_index(
        "ix_bank_entries_open", "bank_entries", ["booked_on", "id"], unique=False,
        sqlite_where=_IS_OPEN, postgresql_where=_IS_OPEN,
    )  # fmt: skip


def downgrade() -> None:
    op.drop_index("ix_bank_entries_open", table_name="bank_entries")
    op.drop_index(op.f("ix_bank_entries_noted_at"), table_name="bank_entries")
    op.drop_table("bank_entries")
    op.drop_column("payments", "refund")
    op.drop_column("invoices", "received")
