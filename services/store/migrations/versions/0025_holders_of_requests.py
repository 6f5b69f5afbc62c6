"""holders of requests: who of the insurer works on each."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("requests", sa.Column("holder", sa.String(length=64), nullable=True))
    op.add_column("requests", sa.Column("holder_note", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("requests", "holder_note")
    op.drop_column("requests", "holder")
