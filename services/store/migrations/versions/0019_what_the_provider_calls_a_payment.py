"""what the provider calls a payment."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("payments", sa.Column("provider_id", sa.String(length=64), nullable=True))


def downgrade() -> None:
    op.drop_column("payments", "provider_id")
