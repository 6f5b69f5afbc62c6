"""letter passwords, and the attachments of a demonstration's mails."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "letter_passwords",
        sa.Column("kutid", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.String(length=400), nullable=True),
        sa.Column("set_at", sa.BigInteger(), nullable=True),
        sa.Column("reset_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["kutid"], ["customers.kutid"], name=op.f("fk_letter_passwords_kutid")),
        sa.PrimaryKeyConstraint("kutid", name=op.f("pk_letter_passwords")),
    )
    with op.batch_alter_table("demo_messages") as batch_op:
        batch_op.add_column(sa.Column("attachments", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("demo_messages") as batch_op:
        batch_op.drop_column("attachments")
    op.drop_table("letter_passwords")
