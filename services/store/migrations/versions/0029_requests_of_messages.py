"""the request that caused a message, and which workers are alive."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("request_id", sa.String(64), nullable=True))
    op.create_table(
        "heartbeats",
        sa.Column("worker", sa.String(255), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("worker"),
    )


def downgrade() -> None:
    op.drop_table("heartbeats")
    op.drop_column("outbox", "request_id")
