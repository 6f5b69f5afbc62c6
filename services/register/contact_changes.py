"""What staff have learnt of customers' contact data, as events for the insurer's own system (M28)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from services import audit
from services.clock import Clock
from services.store.engine import Store
from services.store.tables.clients import api_keys
from services.store.tables.register import contact_changes as contact_changes_table
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


def contact_changes(store: Store, *, after: int = 0) -> Iterator[ContactChange]:
    """Yield the changes whose number is greater than `after`, in order: whoever keeps the last one gets each once."""
    query = (
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
        .where(contact_changes_table.c.id > after)
        .order_by(contact_changes_table.c.id)
    )
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
