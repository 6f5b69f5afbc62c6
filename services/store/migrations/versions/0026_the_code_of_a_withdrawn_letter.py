"""the code of a withdrawn letter, by which staff find it."""

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_letters_withdrawn_code", "letters", ["withdrawn_code"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_letters_withdrawn_code", table_name="letters")
