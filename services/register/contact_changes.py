"""What staff and customers have changed of contact data, as events for the insurer's own system (M28)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from services import audit, events
from services.clock import Clock
from services.register.conditions import learnt
from services.store.engine import Store
from services.store.statements import queue_for
from services.store.tables.clients import api_keys
from services.store.tables.register import contact_changes as contact_changes_table
from services.store.tables.register import customers, phones
from services.store.tables.staff import staff


@dataclass(frozen=True)
class ContactChange:
    """One change: `before` is what was known here, several numbers side by side; `actor` the id of who did it,
    `who` their address or, of a client of the API, its name.
    """

    id: int
    kutid: str
    kind: str
    before: str
    after: str
    actor: str
    who: str | None
    at: datetime


def learn(connection: Connection, kutid: str, kind: str, after: str, *, actor: str, now: datetime) -> list[str]:
    """Keep, in a caller's transaction, that `after` is the customer's address or mobile from now on.

    `kind` is ``email`` or ``mobile``. Returns the addresses or numbers that counted before; none where nothing differs.
    """
    # One after the other: a reader who goes on from a number misses none that is written later.
    queue_for(connection, "contact_changes")
    current, known = _known(connection, kutid, kind)
    if after.casefold() in (one.casefold() for one in current):
        return []
    change = connection.execute(
        insert(contact_changes_table)
        .values(kutid=kutid, kind=kind, before=", ".join(known)[:1000], after=after, actor=actor, at=now)
        .returning(contact_changes_table.c.id)
    ).scalar_one()
    audit.record(connection, f"{kind}_recorded", kutid=kutid, at=now, actor=actor)
    events.note(connection, "contact.changed", now, kutid=kutid, contact_change=change)
    return known


def note_own(connection: Connection, kutid: str, kind: str, *, before: str, after: str, now: datetime) -> None:
    """Note, in a caller's transaction, that a customer has changed the ``email`` or ``mobile`` of their account.

    The insurer's system learns of it. It is settled at once: it counts for the account alone, because in a registration
    the number stands in for a signature and must be one that the insurer has (decision 30).
    """
    queue_for(connection, "contact_changes")
    values = {"kutid": kutid, "kind": kind, "before": before, "after": after, "actor": "customer", "at": now}
    written = insert(contact_changes_table).values(**values, settled_at=now).returning(contact_changes_table.c.id)
    change = connection.execute(written).scalar_one()
    events.note(connection, "contact.changed", now, kutid=kutid, contact_change=change)


def _known(connection: Connection, kutid: str, kind: str) -> tuple[list[str], list[str]]:
    """Return what need not be written again, and all that is known."""
    known = list(connection.execute(learnt(kutid, kind)).scalars())
    if kind == "mobile":
        numbers = select(phones.c.number).where(phones.c.kutid == kutid).distinct().order_by(phones.c.number)
        on_record = connection.execute(numbers).scalars().all()
        # One that was recorded before the last is written again: an import that brings the last ends the older ones.
        return [*known[:1], *on_record], [*known, *on_record]
    address = select(customers.c.email).where(customers.c.kutid == kutid)
    counts = (known or [one for one in connection.execute(address).scalars() if one])[:1]
    return counts, counts


_CHANGES = (
    select(
        contact_changes_table.c.id,
        contact_changes_table.c.kutid,
        contact_changes_table.c.kind,
        contact_changes_table.c.before,
        contact_changes_table.c.after,
        contact_changes_table.c.actor,
        func.coalesce(staff.c.email, api_keys.c.name),
        contact_changes_table.c.at,
    )
    .select_from(
        contact_changes_table.outerjoin(staff, staff.c.id == contact_changes_table.c.actor).outerjoin(
            api_keys, api_keys.c.id == contact_changes_table.c.actor
        )
    )
    .order_by(contact_changes_table.c.id)
)
"""Each change, with the name of the actor who recorded it."""


def contact_changes(store: Store, *, after: int = 0) -> Iterator[ContactChange]:
    """Yield the changes whose number is greater than `after`, in order.

    Asking with the last number yields each change once.
    """
    query = _CHANGES.where(contact_changes_table.c.id > after)
    with store.read() as connection:
        for row in connection.execute(query, execution_options={"yield_per": 1000}):
            yield ContactChange(*row)


def export_contact_changes(store: Store, clock: Clock, *, after: int = 0) -> Iterator[ContactChange]:
    """Yield what `contact_changes` yields to somebody outside; a row of the audit trail says so."""
    with store.write() as connection:
        audit.record(
            connection, "exported", kutid=None, at=clock.now(), actor="system", what="contact_changes", after=str(after)
        )
    yield from contact_changes(store, after=after)
