"""letters that nobody opens: when their customers are reminded, and when they were printed."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # By statements of their own: on SQLite a batch would copy the table, to which the events of letters refer.
    op.drop_index("ix_letters_notice_id", table_name="letters")
    op.execute("ALTER TABLE letters RENAME COLUMN notice_id TO notification_id")
    op.create_index("ix_letters_notification_id", "letters", ["notification_id"], unique=False)
    op.add_column("letters", sa.Column("printed_at", sa.BigInteger(), nullable=True))
    op.add_column("letters", sa.Column("remind_at", sa.BigInteger(), nullable=True))
    op.create_index("ix_letters_remind_at", "letters", ["remind_at"], unique=False)
    for name, only in (
        ("ix_letters_unopened", "latest_on IS NOT NULL AND opened_at IS NULL AND printed_at IS NULL"),
        ("ix_letters_latest_on", "latest_on IS NOT NULL"),
    ):
        where = sa.text(only)
        op.create_index(name, "letters", ["latest_on"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    op.drop_index("ix_letters_latest_on", table_name="letters")
    op.drop_index("ix_letters_unopened", table_name="letters")
    op.drop_index("ix_letters_remind_at", table_name="letters")
    op.drop_column("letters", "remind_at")
    op.drop_column("letters", "printed_at")
    op.drop_index("ix_letters_notification_id", table_name="letters")
    op.execute("ALTER TABLE letters RENAME COLUMN notification_id TO notice_id")
    op.create_index("ix_letters_notice_id", "letters", ["notice_id"], unique=False)
