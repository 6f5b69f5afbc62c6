"""Messages to send and what was sent; `services.messages` writes them."""

from sqlalchemy import (
    JSON,
    Column,
    Date,
    Index,
    Integer,
    String,
    Table,
    Text,
)

from services.store.declarations import Declarations, RetentionRule, newest
from services.store.tables.base import Moment, metadata

outbox = Table(
    "outbox",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(8), nullable=False),  # email, sms
    Column("recipient", String(320), nullable=False),
    Column("message", String(32), nullable=False),  # which text, such as confirm, registered, code
    Column("language", String(8), nullable=False),
    Column("facts", JSON, nullable=False),  # what fills the text; emptied once the message has left or died
    Column("topic", String(64), nullable=False),  # a newer message of the same topic replaces an unsent one
    Column("created_at", Moment, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),  # when the link or code in it dies
    Column("state", String(16), nullable=False),  # see services.messages.outbox
    Column("attempts", Integer, nullable=False),
    Column("sent_at", Moment),
    Column("last_error", Text),
    Column("request_id", String(64)),  # whose log lines tell of it; none where a command or the worker caused it
    Index("ix_outbox_state_due_at", "state", "due_at"),
    Index("ix_outbox_topic", "topic"),
)

demo_messages = Table(
    "demo_messages",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("recipient", String(320), nullable=False),
    Column("subject", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("html", Text, nullable=False),
    Column("links", JSON, nullable=False),
    Column("created_at", Moment, nullable=False, index=True),
    Column("attachments", JSON(none_as_null=True)),  # name, type, and the content in base64
)

message_figures = Table(
    "message_figures",
    metadata,
    Column("day", Date, primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("message", String(32), primary_key=True),
    Column("what", String(16), primary_key=True),  # sent, delivered, given_up
    Column("count", Integer, nullable=False),
    Column("parts", Integer, nullable=False),  # of text messages: in so many parts they were sent
)

sms_months = Table(
    "sms_months",
    metadata,
    # A row a month: what has left, what a supervisor allowed besides the profile's budget, what did not fit any more.
    Column("month", Date, primary_key=True),  # its first day
    Column("used", Integer, nullable=False),
    Column("more", Integer, nullable=False),
    Column("refused", Integer, nullable=False),  # the parts of the message that did not fit
)

ENDED = ("sent", "replaced", "expired", "given_up")
"""The states of messages that are not sent any more."""

DECLARED = Declarations(
    retention=(
        # From the last try on; one that was never tried was due when it was written.
        RetentionRule(
            "messages",
            outbox.c.id,
            outbox.c.due_at,
            kept_for=lambda profile: profile.retention.messages,
            only_if=outbox.c.state.in_(ENDED),
        ),
        RetentionRule(
            "demo_messages",
            demo_messages.c.id,
            demo_messages.c.created_at,
            kept_for=lambda profile: profile.retention.messages,
        ),
        RetentionRule(
            "message_figures",
            message_figures.c.day,
            message_figures.c.day,
            kept_for=lambda profile: profile.retention.figures,
        ),
        RetentionRule(
            "sms_months", sms_months.c.month, sms_months.c.month, kept_for=lambda profile: profile.retention.figures
        ),
    ),
    written=(newest(outbox.c.created_at),),
)
