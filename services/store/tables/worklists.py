"""Worklists; `services.worklists` writes them."""

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    or_,
)

from services.store.declarations import Declarations, EndedRows, RetentionRule
from services.store.statements import insert_for
from services.store.tables.base import Moment, metadata

batches = Table(
    "invitation_batches",
    metadata,
    # What somebody ordered to be sent; a worker goes through it, and on from `position` wherever it was stopped.
    Column("id", String(32), primary_key=True),  # made with the form: the same form sent twice is one batch
    Column("kind", String(16), nullable=False),  # invitation, reminder
    Column("actor", ForeignKey("staff.id"), nullable=False),
    Column("created_at", Moment, nullable=False, index=True),
    Column("deadline_at", Moment),  # of invitations
    Column("chosen", JSON(none_as_null=True)),  # the customers; or else everybody in a list, which is:
    Column("listed", String(16)),
    Column("adviser", String(64)),
    Column("position", String(32), nullable=False),  # up to this customer everybody has had their turn
    Column("total", Integer),  # None until somebody has counted
    Column("sent", Integer, nullable=False),
    Column("skipped", Integer, nullable=False),  # who had registered meanwhile, or been written to by another batch
    Column("ended_at", Moment),
    Column("stopped_by", String(32)),
    Index("ix_invitation_batches_ended_at", "ended_at", "created_at"),
)

invitations = Table(
    "invitations",
    metadata,
    # One row a customer: nobody is invited twice until the deadline is over.
    Column("kutid", ForeignKey("customers.kutid"), primary_key=True),
    Column("link_id", String(32), nullable=False, unique=True),
    Column("batch_id", String(32), nullable=False),
    Column("invited_at", Moment, nullable=False),
    Column("deadline_at", Moment, nullable=False),
    Column("remind_at", Moment, index=True),  # when the reminder is due; None once it has left
    Column("reminded_at", Moment),
    Column("declined_at", Moment),  # the customer wants no more of these mails: nothing is written over it
    Index("ix_invitations_deadline_at_kutid", "deadline_at", "kutid"),
)

quality_cases = Table(
    "quality_cases",
    metadata,
    # Something about a customer's data that somebody should put right.
    Column("id", String(32), primary_key=True),
    Column("kutid", ForeignKey("customers.kutid"), nullable=False),
    Column("kind", String(16), nullable=False),  # see services.worklists.quality
    Column("evidence", String(64)),  # a hash of what it was seen by; None once it is not so any more
    Column("found_at", Moment, nullable=False),
    Column("closed_at", Moment),
    Column("closed_by", String(32)),
    Column("note", String(300)),
    Index("ix_quality_cases_kutid_kind", "kutid", "kind", unique=True),
    Index("ix_quality_cases_closed_at_found_at", "closed_at", "found_at"),
    Index("ix_quality_cases_closed_at_kind_found_at", "closed_at", "kind", "found_at"),
)

quality_sweep = Table(
    "quality_sweep",
    metadata,
    # One row: how far the register has been looked through since it was imported.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("wanted", Integer, nullable=False),  # raised by every import
    Column("done", Integer, nullable=False),
    Column("position", String(32), nullable=False),
)

OF_TRIES = ("failed", "old_account")
"""The kinds of cases that are found by what customers have tried."""


def _want_sweep(connection: Connection) -> None:
    """Have the register's new data looked through for what somebody should put right."""
    raised = {"wanted": quality_sweep.c.wanted + 1, "position": ""}
    statement = insert_for(connection, quality_sweep).values(id=1, wanted=1, done=0, position="")
    connection.execute(statement.on_conflict_do_update(index_elements=[quality_sweep.c.id], set_=raised))


DECLARED = Declarations(
    retention=(
        # Who has declined stays known: a row that is gone would be invited again.
        RetentionRule(
            "invitations",
            invitations.c.kutid,
            invitations.c.deadline_at,
            kept_for=lambda profile: profile.retention.worklists,
            only_if=invitations.c.declined_at.is_(None),
        ),
        RetentionRule(
            "invitation_batches",
            batches.c.id,
            batches.c.created_at,
            kept_for=lambda profile: profile.retention.worklists,
            only_if=batches.c.ended_at.is_not(None),
        ),
        # A case that is closed and still so keeps its row, or it would open again; what was written about it goes.
        RetentionRule(
            "quality_cases",
            quality_cases.c.id,
            quality_cases.c.closed_at,
            kept_for=lambda profile: profile.retention.worklists,
            only_if=or_(quality_cases.c.evidence.is_(None), quality_cases.c.kind.in_(OF_TRIES)),
        ),
        RetentionRule(
            "quality_notes",
            quality_cases.c.id,
            quality_cases.c.closed_at,
            kept_for=lambda profile: profile.retention.worklists,
            only_if=quality_cases.c.note.is_not(None),
            emptied=quality_cases.c.note,
        ),
    ),
    after_import=(_want_sweep,),
    ended_with_staff=(EndedRows(batches.c.actor, batches.c.ended_at, ended_by=batches.c.stopped_by),),
)
