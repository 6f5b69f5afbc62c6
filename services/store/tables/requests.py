"""Requests of customers, from the first answer to the end; `services.requests` writes them."""

from sqlalchemy import (
    JSON,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from services.store.declarations import Declarations, ErasedRows, ExportedRows, RetentionRule, newest
from services.store.tables.base import Moment, metadata

request_drafts = Table(
    "request_drafts",
    metadata,
    # What is begun and not sent (P35). Sending takes the row away, so of two that send one does; the id stays.
    Column("id", String(32), primary_key=True),
    Column("kutid", ForeignKey("customers.kutid")),  # whose it is; None where somebody else fills it in
    Column("kind", String(40), nullable=False),
    Column("answers", JSON, nullable=False),  # by the names of the questions
    # What was typed into a page and left before it could be an answer.
    Column("typed", JSON(none_as_null=True)),
    # Grows with each change: a save whose version is not the newest changes nothing.
    Column("version", Integer, nullable=False),
    Column("begun_at", Moment, nullable=False, index=True),
    Column("saved_at", Moment, nullable=False),
    # Who fills it in, where it is not the customer: see services.requests.applicant.
    Column("asker", String(100)),
    UniqueConstraint("kutid", "kind"),  # one of a kind at a time: it is gone on with on any device
    UniqueConstraint("asker", "kind"),
)

requests = Table(
    "requests",
    metadata,
    Column("id", String(32), primary_key=True),  # opaque: it stands in addresses
    Column("reference", String(12), nullable=False, unique=True),  # what customers read out
    Column("number", String(64)),  # the insurer's own, once its system has taken the request over
    Column("kutid", ForeignKey("customers.kutid")),  # None of a claim whose sender is not identified (P45)
    Column("kind", String(40), nullable=False),
    Column("policy_number", String(32)),  # of the contract that it is about
    Column("state", String(10), nullable=False),  # see services.requests.request.STATES
    Column("answers", JSON, nullable=False),
    Column("sent_at", Moment, nullable=False, index=True),
    Column("promised_on", Date, nullable=False),  # by which the customer was promised an answer
    Column("answer_by", Date),  # by which the customer is to answer a question
    Column("changed_at", Moment, nullable=False),
    Column("ended_at", Moment, index=True),  # closed or withdrawn
    Column("holder", String(64)),  # who works on it: the actor who has taken it, or to whom it was passed on
    Column("holder_note", Text),  # for the colleague to whom it was passed on
    # Of a claim without an account: who has sent it, the address to answer to, and the language (P45).
    Column("asker", String(100)),
    Column("email", String(320)),
    Column("email_key", String(320), index=True),
    Column("language", String(8)),
    Index("ix_requests_kutid_sent_at_id", "kutid", "sent_at", "id"),
    Index("ix_requests_state_promised_on", "state", "promised_on"),
)

request_events = Table(
    "request_events",
    metadata,
    # Appended, never changed (P37).
    Column("id", String(32), primary_key=True),
    Column("request_id", ForeignKey("requests.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("place", Integer, nullable=False),  # in the order of one request: several may be of one moment
    Column("type", String(16), nullable=False),  # see services.requests.request.EVENTS
    Column("at", Moment, nullable=False),
    Column("actor", String(64), nullable=False),
    Column("text", Text),  # a question, an answer
    Column("letters", JSON(none_as_null=True)),  # the ids of the letters that answer
    UniqueConstraint("request_id", "place"),
)

DECLARED = Declarations(
    retention=(
        RetentionRule(
            "request_drafts",
            request_drafts.c.id,
            request_drafts.c.begun_at,
            lambda profile: profile.request_rules.draft,
        ),
        RetentionRule("requests", requests.c.id, requests.c.ended_at, lambda profile: profile.request_rules.kept),
    ),
    erased_with_account=(ErasedRows(request_drafts.c.kutid, "kutid", topic="request_draft"),),
    exported=(
        ExportedRows(
            "request_drafts",
            (request_drafts.c.kind, request_drafts.c.answers, request_drafts.c.begun_at),
            request_drafts.c.kutid,
            "kutid",
        ),
        ExportedRows(
            "requests",
            (
                requests.c.reference,
                requests.c.number,
                requests.c.kind,
                requests.c.policy_number,
                requests.c.state,
                requests.c.answers,
                requests.c.sent_at,
                requests.c.ended_at,
            ),
            requests.c.kutid,
            "kutid",
        ),
    ),
    written=(newest(requests.c.changed_at), newest(request_drafts.c.saved_at)),
)
