"""Takes files in: the bytes first, then the row that makes them a file of the customer's (P38, P39)."""

import os
from typing import IO

from sqlalchemy import Connection, func, insert, select, update

from services.base import Base
from services.crash_points import reach
from services.randomness import opaque_id
from services.refusal import OutOfTurn, Refusal
from services.store.statements import queue_for
from services.store.tables.uploads import uploads
from services.uploads import rows
from services.uploads.kinds import HEAD, kind_of
from services.uploads.names import name_of
from services.uploads.objects import Kept, Objects
from services.uploads.renditions import Unmade, unlocked
from services.uploads.upload import LARGEST, MOST, Kind, Upload


class Intake:
    """Takes in files, and the passwords of those that have one."""

    def __init__(self, base: Base, objects: Objects) -> None:
        self._store = base.store
        self._clock = base.clock
        self._objects = objects

    def receive(self, owner: str, kutid: str | None, question: str, name: str, stream: IO[bytes]) -> Upload:
        """Take in a file for a question of `owner`, and return it with its receipt.

        `stream` is seekable; it is read in small pieces. `kutid` is the customer's id, None for somebody without an
        account (P45). Raises Refusal ``file.<reason>``: `empty_file`, `too_big` (20 MB), `too_many` (20 of a question)
        or `kind`; StorageUnavailable, and then nothing was taken in.
        """
        kind = _judge(stream)
        with self._store.read() as connection:
            self._count(connection, owner, question)
        kept = self._objects.keep(stream)
        now, upload_id = self._clock.now(), opaque_id()
        with self._store.write() as connection:
            queue_for(connection, f"uploads {owner}")
            self._count(connection, owner, question)
            connection.execute(
                insert(uploads).values(
                    id=upload_id, owner=owner, question=question, kutid=kutid, unsent_kutid=kutid, name=name_of(name),
                    kind=kind, size=kept.size, sha256=kept.sha256, state="received", source=kept.key,
                    received_at=now, due_at=now,
                )
            )  # fmt: skip
            self._objects.give(connection, kept.key, upload_id)
            rows.note(connection, upload_id, "received", now)
            reach("uploads.writing")
            received = rows.found(connection, uploads.c.id == upload_id)
        reach("uploads.received")
        return received

    def unlock(self, owner: str, upload_id: str, password: str) -> Upload:
        """Open a PDF that waits for its password, which is not kept (P40).

        What is checked from here on is the file without its password. Raises Refusal ``file_password.empty`` or
        ``file_password.wrong``, OutOfTurn for a file that does not wait, StorageUnavailable.
        """
        if not password:
            raise Refusal("file_password", "empty")
        is_locked = uploads.c.id == upload_id, uploads.c.owner == owner, uploads.c.locked_at.is_not(None)
        with self._store.read() as connection:
            source = connection.execute(select(uploads.c.source).where(*is_locked)).scalar()
        if source is None:
            raise OutOfTurn
        opened = self._opened(source, password)
        now = self._clock.now()
        with self._store.write() as connection:
            goes_on = update(uploads).where(*is_locked).values(
                source=opened.key, locked_at=None, state="received", due_at=now, tries=0
            )  # fmt: skip
            if not connection.execute(goes_on).rowcount:
                raise OutOfTurn
            self._objects.let_go(connection, upload_id)
            self._objects.give(connection, opened.key, upload_id)
            rows.note(connection, upload_id, "unlocked", now)
            return rows.found(connection, uploads.c.id == upload_id)

    def _opened(self, source: str, password: str) -> Kept:
        with self._objects.copy(source) as locked:
            try:
                plain = unlocked(locked, password)
            except Unmade as unmade:
                raise Refusal("file_password", "wrong" if unmade.reason == "locked" else "damaged") from None
        with plain:
            return self._objects.keep(plain)

    def _count(self, connection: Connection, owner: str, question: str) -> None:
        of_question = select(func.count()).where(uploads.c.owner == owner, uploads.c.question == question)
        if connection.execute(of_question).scalar_one() >= MOST:
            raise Refusal("file", "too_many", limit=MOST)


def _judge(stream: IO[bytes]) -> Kind:
    size = stream.seek(0, os.SEEK_END)
    if not size:
        raise Refusal("file", "empty_file")
    if size > LARGEST:
        raise Refusal("file", "too_big")
    stream.seek(0)
    kind = kind_of(stream.read(HEAD))
    if kind is None:
        raise Refusal("file", "kind")
    return kind
