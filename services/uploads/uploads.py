"""The files of one owner: shown, described, taken away, sent, handed over."""

from typing import get_args

from sqlalchemy import Connection, delete, select, update

from services import events
from services.base import Base
from services.crash_points import reach
from services.messages.outbox import Outbox
from services.refusal import OutOfTurn
from services.store.tables.uploads import upload_events, uploads
from services.uploads import rows
from services.uploads.names import description_of
from services.uploads.objects import Objects
from services.uploads.upload import EventType, Upload, UploadEvent

_ORDER = {event: place for place, event in enumerate(get_args(EventType))}


class Uploads:
    """What there is of an owner's files. Another owner's file raises OutOfTurn, as one that never was.

    `submit`, `hand_over` and `forget` are parts of the caller's transaction.
    """

    def __init__(self, base: Base, objects: Objects, outbox: Outbox) -> None:
        self._store = base.store
        self._clock = base.clock
        self._objects = objects
        self._outbox = outbox

    def all(self, owner: str, question: str | None = None) -> tuple[Upload, ...]:
        """Return the owner's files, or those of one question, oldest first."""
        query = rows.UPLOAD.where(uploads.c.owner == owner).order_by(uploads.c.received_at, uploads.c.id)
        if question is not None:
            query = query.where(uploads.c.question == question)
        with self._store.read() as connection:
            return tuple(Upload(**row._mapping) for row in connection.execute(query))

    def find(self, owner: str, upload_id: str) -> Upload:
        """Return one of the owner's files. Raises OutOfTurn."""
        with self._store.read() as connection:
            return rows.found(connection, uploads.c.id == upload_id, uploads.c.owner == owner)

    def events(self, owner: str, upload_id: str) -> tuple[UploadEvent, ...]:
        """Return what happened to a file, oldest first. Raises OutOfTurn."""
        happened = select(upload_events.c.type, upload_events.c.at).where(upload_events.c.upload_id == upload_id)
        with self._store.read() as connection:
            rows.found(connection, uploads.c.id == upload_id, uploads.c.owner == owner)
            found = [UploadEvent(**row._mapping) for row in connection.execute(happened)]
        # Several things may happen at one moment, which alone does not tell their order.
        return tuple(sorted(found, key=lambda one: (one.at, _ORDER[one.type])))

    def describe(self, owner: str, upload_id: str, description: str) -> Upload:
        """Note what a file shows, in the customer's words. Raises OutOfTurn once it is sent."""
        is_unsent = uploads.c.id == upload_id, uploads.c.owner == owner, uploads.c.sent_at.is_(None)
        with self._store.write() as connection:
            says = update(uploads).where(*is_unsent).values(description=description_of(description))
            if not connection.execute(says).rowcount:
                raise OutOfTurn
            return rows.found(connection, uploads.c.id == upload_id)

    def remove(self, owner: str, upload_id: str) -> Upload:
        """Take a file away, and return what it was. Raises OutOfTurn once it is sent."""
        is_unsent = uploads.c.id == upload_id, uploads.c.owner == owner, uploads.c.sent_at.is_(None)
        with self._store.write() as connection:
            removed = rows.found(connection, *is_unsent)
            self._objects.let_go(connection, upload_id)
            connection.execute(delete(uploads).where(*is_unsent))
            self._outbox.replace(connection, f"upload:{upload_id}")
            reach("uploads.removing")
        return removed

    def submit(self, connection: Connection, owner: str) -> None:
        """Note that the owner's files were sent: from here on they can no longer be taken away.

        The insurer's systems learn by events of those that are ready; of others, when they are (P42).
        """
        now = self._clock.now()
        sent = (
            update(uploads)
            .where(uploads.c.owner == owner, uploads.c.sent_at.is_(None))
            .values(sent_at=now, unsent_kutid=None)
            .returning(uploads.c.id, uploads.c.kutid, uploads.c.state)
        )
        for row in connection.execute(sent).all():
            rows.note(connection, row.id, "sent", now)
            if row.state == "ready":
                events.note(connection, "file.ready", now, kutid=row.kutid, request=owner, file=row.id)

    def hand_over(self, connection: Connection, owner: str) -> None:
        """Note that the insurer took over what was sent; what is still checked is handed over once it is ready."""
        now = self._clock.now()
        taken = uploads.c.owner == owner, uploads.c.sent_at.is_not(None), uploads.c.taken_at.is_(None)
        connection.execute(update(uploads).where(*taken).values(taken_at=now))
        ready = (
            update(uploads)
            .where(uploads.c.owner == owner, uploads.c.taken_at.is_not(None), uploads.c.state == "ready")
            .values(state="handed-over")
            .returning(uploads.c.id)
        )
        for upload_id in connection.execute(ready).scalars().all():
            rows.note(connection, upload_id, "handed-over", now)

    def belong(self, connection: Connection, owner: str, kutid: str) -> None:
        """Note whose the files are that somebody without an account has sent (P45)."""
        unknown = uploads.c.owner == owner, uploads.c.kutid.is_(None)
        connection.execute(update(uploads).where(*unknown).values(kutid=kutid))

    def forget(self, connection: Connection, owner: str) -> None:
        """Erase all of the owner's files, as when a draft is deleted."""
        for upload_id in connection.execute(select(uploads.c.id).where(uploads.c.owner == owner)).scalars().all():
            self._objects.let_go(connection, upload_id)
            self._outbox.replace(connection, f"upload:{upload_id}")
        connection.execute(delete(uploads).where(uploads.c.owner == owner))
