"""claims of people without an account, and requests that an intermediary fills in."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if is_sqlite:  # where a table is made again, what refers to its rows goes with the old one
        op.execute("CREATE TABLE kept_request_events AS SELECT * FROM request_events")
    with op.batch_alter_table("request_drafts") as drafts:
        drafts.add_column(sa.Column("asker", sa.String(length=100), nullable=True))
        drafts.alter_column("kutid", existing_type=sa.String(length=32), nullable=True)
        drafts.create_unique_constraint(op.f("uq_request_drafts_asker_kind"), ["asker", "kind"])
    with op.batch_alter_table("requests") as requests:
        requests.add_column(sa.Column("asker", sa.String(length=100), nullable=True))
        requests.add_column(sa.Column("email", sa.String(length=320), nullable=True))
        requests.add_column(sa.Column("email_key", sa.String(length=320), nullable=True))
        requests.add_column(sa.Column("language", sa.String(length=8), nullable=True))
        requests.alter_column("kutid", existing_type=sa.String(length=32), nullable=True)
        requests.create_index(op.f("ix_requests_email_key"), ["email_key"], unique=False)
    if is_sqlite:
        op.execute("INSERT INTO request_events SELECT * FROM kept_request_events")
        op.execute("DROP TABLE kept_request_events")


def downgrade() -> None:
    op.execute("DELETE FROM request_drafts WHERE kutid IS NULL")
    op.execute("DELETE FROM requests WHERE kutid IS NULL")
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    if is_sqlite:
        op.execute("CREATE TABLE kept_request_events AS SELECT * FROM request_events")
    with op.batch_alter_table("requests") as requests:
        requests.drop_index(op.f("ix_requests_email_key"))
        for name in ("language", "email_key", "email", "asker"):
            requests.drop_column(name)
        requests.alter_column("kutid", existing_type=sa.String(length=32), nullable=False)
    with op.batch_alter_table("request_drafts") as drafts:
        drafts.drop_constraint(op.f("uq_request_drafts_asker_kind"), type_="unique")
        drafts.drop_column("asker")
        drafts.alter_column("kutid", existing_type=sa.String(length=32), nullable=False)
    if is_sqlite:
        op.execute("INSERT INTO request_events SELECT * FROM kept_request_events")
        op.execute("DROP TABLE kept_request_events")
