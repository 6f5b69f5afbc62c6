"""files that customers add."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("question", sa.String(length=64), nullable=False),
        sa.Column("kutid", sa.String(length=32), nullable=True),
        sa.Column("unsent_kutid", sa.String(length=32), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.String(length=200), nullable=True),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=True),
        sa.Column("source", sa.String(length=120), nullable=True),
        sa.Column("rendition", sa.String(length=120), nullable=True),
        sa.Column("rendition_type", sa.String(length=40), nullable=True),
        sa.Column("rendition_size", sa.Integer(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("locked_at", sa.BigInteger(), nullable=True),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("taken_at", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=True),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    op.create_index(op.f("ix_uploads_due_at"), "uploads", ["due_at"], unique=False)
    op.create_index(op.f("ix_uploads_kutid"), "uploads", ["kutid"], unique=False)
    op.create_index("ix_uploads_owner_question", "uploads", ["owner", "question", "received_at"], unique=False)
    op.create_index("ix_uploads_state_received_at", "uploads", ["state", "received_at"], unique=False)
    op.create_index(op.f("ix_uploads_unsent_kutid"), "uploads", ["unsent_kutid"], unique=False)
    op.create_table(
        "upload_events",
        sa.Column("upload_id", sa.String(length=32), nullable=False),
        sa.Column("type", sa.String(length=12), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["uploads.id"], name=op.f("fk_upload_events_upload_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("upload_id", "type", name=op.f("pk_upload_events")),
    )
    op.create_index(op.f("ix_upload_events_at"), "upload_events", ["at"], unique=False)
    op.create_table(
        "upload_objects",
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("upload_id", sa.String(length=32), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["upload_id"], ["uploads.id"], name=op.f("fk_upload_objects_upload_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_upload_objects")),
    )
    op.create_index(op.f("ix_upload_objects_expires_at"), "upload_objects", ["expires_at"], unique=False)
    op.create_index(op.f("ix_upload_objects_upload_id"), "upload_objects", ["upload_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_upload_objects_upload_id"), table_name="upload_objects")
    op.drop_index(op.f("ix_upload_objects_expires_at"), table_name="upload_objects")
    op.drop_table("upload_objects")
    op.drop_index(op.f("ix_upload_events_at"), table_name="upload_events")
    op.drop_table("upload_events")
    op.drop_index(op.f("ix_uploads_unsent_kutid"), table_name="uploads")
    op.drop_index("ix_uploads_state_received_at", table_name="uploads")
    op.drop_index("ix_uploads_owner_question", table_name="uploads")
    op.drop_index(op.f("ix_uploads_kutid"), table_name="uploads")
    op.drop_index(op.f("ix_uploads_due_at"), table_name="uploads")
    op.drop_table("uploads")
