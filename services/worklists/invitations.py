"""Invitations and reminders by mail: ordered here in batches, sent by `services.worklists.dispatch` (B2)."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select, update

from services import audit
from services.base import Base
from services.refusal import OutOfTurn, Refusal
from services.register.prefill import Prefill, number_of
from services.staff import StaffSession
from services.store.statements import insert_for, queue_for
from services.store.tables.register import customers
from services.store.tables.staff import staff
from services.store.tables.worklists import batches, invitations
from services.worklists.lists import HAS_ACCOUNT, INVITATION, IS_LIVE, REMINDER, View
from services.worklists.selection_tokens import SelectionTokens

_LONGEST = timedelta(days=365)
_RECENT = timedelta(days=7)
_MOST_RECENT = 5
_MOST_CHOSEN = 200
_CHOSEN_A_DAY = 500
"""The most customers that one member of customer service may invite a day; more is a supervisor's decision."""
_FORM = re.compile(r"[A-Za-z0-9_-]{16,32}")


@dataclass(frozen=True)
class Batch:
    """How far a batch is. `total` is None until somebody has counted."""

    id: str
    kind: str
    by: str
    created_at: datetime
    deadline_at: datetime | None
    total: int | None
    sent: int
    skipped: int
    ended_at: datetime | None
    is_stopped: bool


class Invitations:
    """The verbs of invitations; each public method is one transaction."""

    def __init__(self, base: Base, *, marks: SelectionTokens) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._marks = marks

    # --- Ordering ----------------------------------------------------------------------------------------------

    def end_of(self, day: str) -> datetime:
        """Return the last moment of a day (ISO), the insurer's.

        Raises Refusal ``due_on.…``: `empty`, `malformed`, `past` or `too_far`.
        """
        if not day.strip():
            raise Refusal("due_on", "empty")
        try:
            chosen = date.fromisoformat(day.strip())
        except ValueError:
            raise Refusal("due_on", "malformed") from None
        now = self._clock.now().astimezone(self._profile.zone)
        if chosen <= now.date():
            raise Refusal("due_on", "past")
        if chosen > (now + _LONGEST).date():
            raise Refusal("due_on", "too_far")
        following = datetime.combine(chosen + timedelta(days=1), time.min, self._profile.zone)
        return following - timedelta(milliseconds=1)

    def order(
        self,
        session: StaffSession,
        form_id: str,
        kind: str,
        *,
        marks: Sequence[str] | None = None,
        view: View | None = None,
        deadline_at: datetime | None = None,
    ) -> str:
        """Have invitations or reminders sent to the customers of `marks`, or to everybody in a list; return the batch.

        `form_id` is made with the form, so that the same form sent twice is one batch. Raises Refusal ``customers.…``:
        `empty`, `supervisor` when a member of customer service wants to write to everybody at once, or `too_many` when
        they come to do so by choosing more and more within a day; or OutOfTurn.
        """
        is_of_kind = {INVITATION: deadline_at is not None, REMINDER: deadline_at is None}
        if not _FORM.fullmatch(form_id) or not is_of_kind.get(kind):
            raise OutOfTurn
        view = (view or View()).seen_by(session)
        chosen = None if marks is None else self._chosen(session, marks)
        if chosen is None and not (session.member.is_supervisor or session.member.is_adviser):
            raise Refusal("customers", "supervisor")
        # The chosen customers must still be the adviser's when the mail is written.
        adviser = view.adviser if chosen is None or session.member.is_adviser else None
        self._begin(session, {
            "id": form_id, "kind": kind, "actor": session.member.id, "deadline_at": deadline_at,
            "chosen": chosen, "listed": None if chosen else view.listed, "adviser": adviser,
            "position": "", "total": len(chosen) if chosen else None, "sent": 0, "skipped": 0,
        })  # fmt: skip
        return form_id

    def _begin(self, session: StaffSession, batch: dict[str, Any]) -> None:
        """Store a batch, unless the same form has; see `order`."""
        now, chosen = self._clock.now(), batch["chosen"]
        with self._store.write() as connection:
            if not connection.execute(select(session.lasts(now))).scalar():
                raise OutOfTurn
            queue_for(connection, f"batches {session.member.id}")
            if not self._is_new(connection, session, {**batch, "created_at": now}):
                return
            if chosen is not None and self._has_chosen_too_many(connection, session, now):
                raise Refusal("customers", "too_many", count=_CHOSEN_A_DAY)
            facts = {"what": batch["listed"] or "chosen", "found": str(len(chosen)) if chosen else ""}
            action = f"{batch['kind']}s_ordered"
            audit.record(connection, action, kutid=None, at=now, actor=session.member.id, **facts)

    @staticmethod
    def _is_new(connection: Connection, session: StaffSession, batch: dict[str, Any]) -> bool:
        """Store the batch unless the same form has; tell whether it was new. Raises OutOfTurn for another's form."""
        new = insert_for(connection, batches).values(batch).on_conflict_do_nothing()
        if connection.execute(new.returning(batches.c.id)).first() is not None:
            return True
        owner = connection.execute(select(batches.c.actor).where(batches.c.id == batch["id"])).scalar_one()
        if owner != session.member.id:
            raise OutOfTurn
        return False

    def stop(self, session: StaffSession, batch_id: str) -> None:
        """Send nothing more of a batch. Raises OutOfTurn when it is over already, or is not the member's."""
        now = self._clock.now()
        with self._store.write() as connection:
            stopped = connection.execute(
                update(batches)
                .where(batches.c.id == batch_id, batches.c.ended_at.is_(None), *self._own(session))
                .values(ended_at=now, stopped_by=session.member.id)
                .returning(batches.c.id)
            ).first()
            if stopped is None:
                raise OutOfTurn
            audit.record(connection, "batch_stopped", kutid=None, at=now, actor=session.member.id)

    # --- Seeing ------------------------------------------------------------------------------------------------

    def batch(self, session: StaffSession, batch_id: str) -> Batch:
        """Return a batch. Raises OutOfTurn when it is not the member's; a supervisor sees all."""
        with self._store.read() as connection:
            row = connection.execute(self._batches(session).where(batches.c.id == batch_id)).first()
        if row is None:
            raise OutOfTurn
        return _batch(row)

    def recent(self, session: StaffSession) -> list[Batch]:
        """Return the member's last batches, a supervisor's everybody's: the newest first."""
        since = self._clock.now() - _RECENT
        recent = (
            self._batches(session)
            .where(batches.c.created_at > since)
            .order_by(batches.c.created_at.desc())
            .limit(_MOST_RECENT)
        )
        with self._store.read() as connection:
            return [_batch(row) for row in connection.execute(recent)]

    def prefill(self, link_id: str) -> Prefill | None:
        """Return the number that an invitation's link fills in; None when it is outdated, or of no use any more."""
        kind = next(iter(self._profile.identification.identifiers))
        is_good = invitations.c.link_id == link_id, invitations.c.deadline_at > self._clock.now(), IS_LIVE, ~HAS_ACCOUNT
        query = select(customers.c.kutid, number_of(kind).label("number")).join_from(customers, invitations)
        query = query.where(*is_good)
        with self._store.read() as connection:
            found = connection.execute(query).first()
        return Prefill(found.kutid, kind, found.number) if found is not None and found.number else None

    # --- Declining ---------------------------------------------------------------------------------------------

    def has_declined(self, link_id: str) -> bool | None:
        """Tell whether the customer of a mail's link has declined; None when a newer mail has replaced it."""
        with self._store.read() as connection:
            row = connection.execute(select(invitations.c.declined_at).where(invitations.c.link_id == link_id)).first()
        return None if row is None else row.declined_at is not None

    def decline(self, link_id: str) -> bool:
        """Note that the customer wants no more invitations and reminders; tell whether the link is (still) one.

        A worker takes back what waits to leave. Declined again, it changes nothing.
        """
        now = self._clock.now()
        mine = update(invitations).where(invitations.c.link_id == link_id, invitations.c.declined_at.is_(None))
        with self._store.write() as connection:
            kutid = connection.execute(
                mine.values(declined_at=now, remind_at=None).returning(invitations.c.kutid)
            ).scalar()
            if kutid is not None:
                audit.record(connection, "invitations_declined", kutid=kutid, at=now)
                return True
        return self.has_declined(link_id) is not None

    # --- Inside ------------------------------------------------------------------------------------------------

    def _chosen(self, session: StaffSession, marks: Sequence[str]) -> list[str]:
        if not marks:
            raise Refusal("customers", "empty")
        found = [self._marks.read(session, "customer", mark) for mark in marks[:_MOST_CHOSEN]]
        if None in found:
            raise OutOfTurn
        return sorted({kutid for kutid in found if kutid is not None})

    @staticmethod
    def _has_chosen_too_many(connection: Connection, session: StaffSession, now: datetime) -> bool:
        """Tell whether who may not write to everybody has done so piece by piece, this batch with the others."""
        if session.member.is_supervisor or session.member.is_adviser:
            return False
        mine = (
            batches.c.actor == session.member.id,
            batches.c.created_at > now - timedelta(days=1),
            batches.c.listed.is_(None),
        )
        return int(connection.execute(select(func.sum(batches.c.total)).where(*mine)).scalar() or 0) > _CHOSEN_A_DAY

    @staticmethod
    def _own(session: StaffSession) -> list[ColumnElement[bool]]:
        return [] if session.member.is_supervisor else [batches.c.actor == session.member.id]

    def _batches(self, session: StaffSession) -> Select[Any]:
        return (
            select(*batches.c, staff.c.name)
            .select_from(batches.join(staff, staff.c.id == batches.c.actor))
            .where(*self._own(session))
        )


def _batch(row: Any) -> Batch:
    return Batch(
        row.id, row.kind, row.name, row.created_at, row.deadline_at,
        row.total, row.sent, row.skipped, row.ended_at, row.stopped_by is not None,
    )  # fmt: skip
