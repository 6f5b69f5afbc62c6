"""requests by the day on which they were sent, for their figures."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_requests_sent_at", "requests", ["sent_at"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_requests_sent_at", table_name="requests")
