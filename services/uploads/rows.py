"""Reads and writes the rows of files, in a caller's transaction."""

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, select

from services.refusal import OutOfTurn
from services.store.statements import insert_for
from services.store.tables.uploads import upload_events, uploads
from services.uploads.upload import EventType, Upload

UPLOAD: Select[tuple[object, ...]] = select(*[uploads.c[name] for name in Upload.__dataclass_fields__])
"""Selects what an `Upload` holds."""


def note(connection: Connection, upload_id: str, event: EventType, at: datetime) -> None:
    """Append an event; one that has happened already keeps its moment."""
    row = insert_for(connection, upload_events).values(upload_id=upload_id, type=event, at=at)
    connection.execute(row.on_conflict_do_nothing(index_elements=[upload_events.c.upload_id, upload_events.c.type]))


def found(connection: Connection, *conditions: ColumnElement[bool]) -> Upload:
    """Return the one file that the conditions name. Raises OutOfTurn."""
    row = connection.execute(UPLOAD.where(*conditions)).first()
    if row is None:
        raise OutOfTurn
    return Upload(**row._mapping)
