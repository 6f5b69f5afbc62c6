"""Sends invitations and reminders, a few at a time, beside everything else that leaves.

What a batch writes to a customer is decided by the database: `invitations` has one row a customer, and its UPDATE asks
what it was. A batch goes on from its `position`, which is moved in the transaction that writes the mails: a process
that is killed has written all of a piece or nothing, and two workers never write the same one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Update, and_, case, func, or_, select, update

from services import audit, randomness
from services.accounts.conditions import is_registered
from services.base import Base
from services.crash_points import reach
from services.messages.conditions import unsent_topics
from services.messages.outbox import Outbox
from services.register.conditions import address, has_address, is_advised_by, manages_own_account
from services.registrations.conditions import is_registering, registering
from services.staff.member import is_employed
from services.store.statements import insert_for
from services.store.tables.register import customers
from services.store.tables.worklists import batches as batches_table
from services.store.tables.worklists import invitations
from services.worklists.lists import (
    AGAIN,
    HAS_ACCOUNT,
    INVITATION,
    INVITED,
    IS_LIVE,
    REMINDER,
    ListPosition,
    View,
    after,
    may_remind,
    reached,
)

AHEAD = 40
"""The most invitations that wait in the outbox: a customer's own mail must not wait behind a million."""
_AT = time(9)
"""When reminders leave by themselves, in the insurer's zone."""
_TOPIC = "invitation:"
_UNDER_WAY = select(*batches_table.c).where(batches_table.c.ended_at.is_(None)).order_by(batches_table.c.created_at)
_DUE = select(invitations.c.kutid, invitations.c.remind_at).order_by(invitations.c.remind_at)


@dataclass(frozen=True)
class _Recipient:
    kutid: str
    address: str
    is_manager: bool


class InvitationDispatch:
    """Sends what was ordered and what is due. Several workers may do so at once."""

    def __init__(self, base: Base, outbox: Outbox) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._outbox = outbox

    def go_on(self) -> int:
        """Write as many mails as there is room for, and withdraw the ones that are no longer needed.

        Returns how many customers had their turn.
        """
        now = self._clock.now()
        due_now = _DUE.where(invitations.c.remind_at <= now).limit(AHEAD)
        with self._store.read() as connection:
            batches = connection.execute(_UNDER_WAY).all()
            due = connection.execute(due_now).all()
        room = AHEAD - self._waiting()
        sides = len(batches) + bool(due)
        if not sides or room < 1:
            return 0
        share = max(1, room // sides)
        done = self._remind(due[:share], now) if due else 0
        return done + sum(self._go_on_with(batch, share, now) for batch in batches[:room])

    def _waiting(self) -> int:
        """Take back the mails that are of no use any more; return how many others wait to leave."""
        is_of_no_use = or_(is_registered(invitations.c.kutid), invitations.c.declined_at.is_not(None))
        with self._store.read() as connection:
            waiting = connection.execute(unsent_topics((INVITATION, REMINDER))).scalars()
            links = [topic.removeprefix(_TOPIC) for topic in waiting]
            query = select(invitations.c.link_id).where(invitations.c.link_id.in_(links), is_of_no_use)
            useless = connection.execute(query).scalars().all()
        if useless:
            with self._store.write() as connection:
                for link_id in useless:
                    self._outbox.replace(connection, _TOPIC + link_id)
        return len(links) - len(useless)

    # --- Batches -----------------------------------------------------------------------------------------------

    def _go_on_with(self, batch: Any, limit: int, now: datetime) -> int:
        own = update(batches_table).where(batches_table.c.id == batch.id)
        if batch.total is None:
            self._count(batch, now)
        kutids = self._next(batch, limit, now)
        reach("dispatch.chosen")
        with self._store.write() as connection:
            # Another worker was quicker, or somebody has stopped it.
            if not _move_on(connection, batch, kutids[-1:], ended_at=now if len(kutids) < limit else None):
                return 0
            write = self._invite if batch.kind == INVITATION else self._remind_by_hand
            sent = sum(write(connection, batch, one, now) for one in self._recipients(connection, batch, kutids, now))
            columns = batches_table.c
            connection.execute(own.values(sent=columns.sent + sent, skipped=columns.skipped + len(kutids) - sent))
            reach("dispatch.writing")
        reach("dispatch.written")
        return len(kutids)

    def _count(self, batch: Any, now: datetime) -> None:
        """Note how many customers a batch for everybody in a list has."""
        everybody = _people(batch, now).order_by(None).subquery()
        with self._store.read() as connection:
            total = connection.execute(select(func.count()).select_from(everybody)).scalar_one()
        with self._store.write() as connection:
            connection.execute(update(batches_table).where(batches_table.c.id == batch.id).values(total=total))

    def _next(self, batch: Any, limit: int, now: datetime) -> list[str]:
        if batch.chosen is not None:
            return [kutid for kutid in batch.chosen if kutid > batch.position][:limit]
        place = ListPosition(batch.position) if batch.position else None
        with self._store.read() as connection:
            following = after(_people(batch, now), _view(batch), place, by_number=True).limit(limit)
            return list(connection.execute(following).scalars())

    def _recipients(self, connection: Connection, batch: Any, kutids: Sequence[str], now: datetime) -> list[_Recipient]:
        is_theirs: list[ColumnElement[bool]] = []
        if batch.adviser is not None:
            is_theirs = [is_advised_by(customers.c.kutid, batch.adviser)]
        return _reached(connection, now, customers.c.kutid.in_(kutids), *is_theirs)

    def _invite(self, connection: Connection, batch: Any, one: _Recipient, now: datetime) -> bool:
        link_id = randomness.opaque_id()
        row = {
            "kutid": one.kutid, "link_id": link_id, "batch_id": batch.id, "invited_at": now,
            "deadline_at": batch.deadline_at, "remind_at": self._remind_at(batch.deadline_at, now), "reminded_at": None,
        }  # fmt: skip
        if batch.deadline_at <= now:
            return False
        statement = insert_for(connection, invitations).values(row)
        # A second invitation needs the first deadline to be over, and is never sent after declining.
        may_write_over = and_(invitations.c.deadline_at <= now, invitations.c.declined_at.is_(None))
        statement = statement.on_conflict_do_update(
            index_elements=[invitations.c.kutid], set_=row, where=may_write_over
        ).returning(invitations.c.kutid)
        if connection.execute(statement).first() is None:
            return False
        self._put(connection, INVITATION, one, link_id, batch.deadline_at)
        audit.record(connection, "invited", kutid=one.kutid, at=now, actor=batch.actor)
        return True

    def _remind_by_hand(self, connection: Connection, batch: Any, one: _Recipient, now: datetime) -> bool:
        # What would leave by itself soon has left by hand.
        soon = now + timedelta(days=self._profile.invitations.remind_days)
        reminded = connection.execute(
            update(invitations)
            .where(invitations.c.kutid == one.kutid, may_remind(now))
            .values(
                reminded_at=now, remind_at=case((invitations.c.remind_at < soon, None), else_=invitations.c.remind_at)
            )
            .returning(invitations.c.link_id, invitations.c.deadline_at)
        ).first()
        if reminded is None:
            return False
        self._put(connection, REMINDER, one, reminded.link_id, reminded.deadline_at)
        audit.record(connection, "reminded", kutid=one.kutid, at=now, actor=batch.actor)
        return True

    # --- Reminders by themselves -----------------------------------------------------------------------------------

    def _remind(self, due: Sequence[Any], now: datetime) -> int:
        with self._store.write() as connection:
            kutids = [row.kutid for row in due]
            recipients = {one.kutid: one for one in _reached(connection, now, customers.c.kutid.in_(kutids))}
            busy = set(connection.execute(registering(kutids, now)).scalars())
            for row in due:
                mine = update(invitations).where(
                    invitations.c.kutid == row.kutid, invitations.c.remind_at == row.remind_at
                )
                one = recipients.get(row.kutid)
                if row.kutid in busy:
                    # Who gives up on it is reminded then.
                    connection.execute(mine.values(remind_at=now + self._profile.registration.longest))
                elif one is None or not self._remind_by_itself(connection, mine, one, now):
                    # Registered meanwhile, or written to by hand.
                    connection.execute(mine.values(remind_at=None))
            reach("dispatch.reminding")
        return len(due)

    def _remind_by_itself(self, connection: Connection, mine: Update, one: _Recipient, now: datetime) -> bool:
        taken = mine.where(may_remind(now)).values(remind_at=None, reminded_at=now)
        reminded = connection.execute(taken.returning(invitations.c.link_id, invitations.c.deadline_at)).first()
        if reminded is None:
            return False
        self._put(connection, REMINDER, one, reminded.link_id, reminded.deadline_at)
        audit.record(connection, "reminded", kutid=one.kutid, at=now, actor="system")
        return True

    def _remind_at(self, deadline_at: datetime, now: datetime) -> datetime | None:
        """Return when the reminder is due; None where the invitation itself comes so late."""
        day = deadline_at.astimezone(self._profile.zone).date() - timedelta(days=self._profile.invitations.remind_days)
        at = datetime.combine(day, _AT, self._profile.zone)
        return at if at > now + AGAIN else None

    def _put(self, connection: Connection, message: str, one: _Recipient, link_id: str, deadline_at: datetime) -> None:
        self._outbox.put(
            connection,
            kind="email",
            recipient=one.address,
            message=message,
            language=self._profile.languages[0],
            topic=_TOPIC + link_id,
            expires_at=deadline_at,
            facts={
                "link_id": link_id,
                "deadline": deadline_at.isoformat(),
                **({"is_manager": "yes"} if one.is_manager else {}),
            },
        )


def _move_on(connection: Connection, batch: Any, to: Sequence[str], *, ended_at: datetime | None) -> bool:
    """Move a batch on from the position where it was read, if it is still there; tell whether it was."""
    step = {**({"position": to[-1]} if to else {}), **({"ended_at": ended_at} if ended_at else {})}
    mine = update(batches_table).where(
        batches_table.c.id == batch.id,
        batches_table.c.position == batch.position,
        batches_table.c.ended_at.is_(None),
        is_employed(batch.actor),
    )
    return bool(connection.execute(mine.values(step)).rowcount)


def _view(batch: Any) -> View:
    return View(batch.listed or INVITED, batch.adviser)


def _people(batch: Any, now: datetime) -> Select[str]:
    return reached(_view(batch), batch.kind, now, by_number=True)


def _reached(connection: Connection, now: datetime, *conditions: ColumnElement[bool]) -> list[_Recipient]:
    """Return the condition that a customer may still be written to: can register, has not, and is not registering."""
    manages = manages_own_account(customers.c.kutid)
    query = select(customers.c.kutid, address().label("address"), manages.label("manages"))
    query = query.where(IS_LIVE, ~HAS_ACCOUNT, ~is_registering(customers.c.kutid, now))
    rows = connection.execute(query.where(has_address(), *conditions).order_by(customers.c.kutid))
    return [_Recipient(row.kutid, row.address, bool(row.manages)) for row in rows]
