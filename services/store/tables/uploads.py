"""Files that customers add, what happened to each, and where their bytes are; `services.uploads` writes them."""

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from services.store.declarations import Declarations, ErasedRows, ExportedRows, RetentionRule, newest
from services.store.tables.base import Moment, metadata

uploads = Table(
    "uploads",
    metadata,
    Column("id", String(32), primary_key=True),  # opaque: it stands in addresses
    # What the file belongs to, as the package that asked for it names it, and the question that it answers.
    Column("owner", String(64), nullable=False),
    Column("question", String(64), nullable=False),
    Column("kutid", String(32), index=True),  # None where somebody without an account has added it (P45)
    # The same until the file is sent: with the account goes what was not sent.
    Column("unsent_kutid", String(32), index=True),
    Column("name", String(200), nullable=False),  # as the customer calls it; never a name on a disk
    Column("description", String(200)),
    Column("kind", String(8), nullable=False),  # jpeg, png, heic, pdf
    # Of the bytes as they came: the receipt (P39). They never change.
    Column("size", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("state", String(12), nullable=False),  # see services.uploads.upload.State
    Column("reason", String(16)),  # why it was refused: the end of a key of the texts
    Column("source", String(120)),  # the object with the bytes; None once they were let go
    Column("rendition", String(120)),  # the object that people are shown
    Column("rendition_type", String(40)),
    Column("rendition_size", Integer),
    Column("received_at", Moment, nullable=False),
    Column("locked_at", Moment),  # since when it waits for the password of a PDF
    Column("sent_at", Moment),
    Column("taken_at", Moment),  # when the insurer took over what it belongs to
    # When the worker may take it; a claim moves it on. None once nothing is left to do, or the customer has to.
    Column("due_at", Moment, index=True),
    Column("tries", Integer, nullable=False, server_default="0"),  # claims that nobody has ended
    Index("ix_uploads_owner_question", "owner", "question", "received_at"),
    Index("ix_uploads_state_received_at", "state", "received_at"),
)

upload_events = Table(
    "upload_events",
    metadata,
    # Appended, never changed (P39): each happens to a file once.
    Column("upload_id", ForeignKey("uploads.id", ondelete="CASCADE"), primary_key=True),
    Column("type", String(12), primary_key=True),  # see services.uploads.upload.EventType
    Column("at", Moment, nullable=False, index=True),
)

upload_objects = Table(
    "upload_objects",
    metadata,
    # Every object of the storage that is written for a file, noted before it is written, so that none is forgotten.
    Column("key", String(120), primary_key=True),
    # The file that names it. Without one, the object is erased from `expires_at` on, and then this row.
    Column("upload_id", ForeignKey("uploads.id", ondelete="SET NULL"), index=True),
    Column("expires_at", Moment, nullable=False, index=True),
)

DECLARED = Declarations(
    retention=(
        RetentionRule(
            "unsent_files",
            uploads.c.id,
            uploads.c.received_at,
            lambda profile: profile.retention.unsent_files,
            only_if=uploads.c.sent_at.is_(None),
        ),
        RetentionRule(
            "files",
            uploads.c.id,
            uploads.c.sent_at,
            lambda profile: profile.retention.files,
        ),
    ),
    erased_with_account=(ErasedRows(uploads.c.unsent_kutid, "kutid", topic="upload"),),
    exported=(
        ExportedRows(
            "files",
            (
                uploads.c.id,
                uploads.c.name,
                uploads.c.description,
                uploads.c.kind,
                uploads.c.size,
                uploads.c.sha256,
                uploads.c.state,
                uploads.c.reason,
                uploads.c.received_at,
                uploads.c.sent_at,
            ),
            uploads.c.kutid,
            "kutid",
        ),
    ),
    written=(newest(upload_events.c.at),),
)
