"""The latest moment that a process noted, kept where nothing else is written: it outlives a restart."""

from datetime import datetime

from services.store.engine import Store
from services.store.statements import insert_for
from services.store.tables.limits import NOTED_TIME, allowances


def note_time(store: Store, now: datetime) -> None:
    """Write down that it is `now`, where nothing else is written: what has ended meanwhile stays so after a restart."""
    with store.write() as connection:
        note = insert_for(connection, allowances).values(key=NOTED_TIME, used=0, ends_at=now)
        known = allowances.c.ends_at
        connection.execute(
            note.on_conflict_do_update(
                index_elements=[allowances.c.key],
                set_={"ends_at": note.excluded.ends_at},
                where=known < note.excluded.ends_at,
            )
        )
