"""Takes files in: the bytes first, then the row that makes them a file of the customer's (P38, P39)."""

import os
from datetime import datetime, timedelta
from typing import IO

from sqlalchemy import Connection, func, insert, select, update

from services.base import Base
from services.crash_points import reach
from services.limits.allowances import Allowances
from services.randomness import opaque_id
from services.refusal import OutOfTurn, Refusal
from services.store.statements import queue_for
from services.store.tables.uploads import uploads
from services.uploads import rows
from services.uploads.kinds import HEAD, kind_of
from services.uploads.names import name_of
from services.uploads.objects import Kept, Objects
from services.uploads.renditions import Unmade, unlocked
from services.uploads.upload import LARGEST, LARGEST_DAY, MOST, MOST_OF_A_DAY, Kind, Upload

_DAY = timedelta(days=1)


class Intake:
    """Takes in files, and the passwords of those that have one."""

    def __init__(self, base: Base, objects: Objects, allowances: Allowances) -> None:
        self._store = base.store
        self._clock = base.clock
        self._objects = objects
        self._allowances = allowances

    def receive(self, owner: str, kutid: str | None, question: str, name: str, stream: IO[bytes]) -> Upload:
        """Take in a file for a question of `owner`, and return it with its receipt.

        `stream` is seekable; it is read in small pieces. `kutid` is the customer's id, None for somebody without an
        account (P45). Raises Refusal ``file.<reason>``: `empty_file`, `too_big` (20 MB), `too_many` (20 of a question),
        `of_day` with `moment` (500 files or 2 GB of a customer in a day) or `kind`; StorageUnavailable, and then
        nothing was taken in.
        """
        kind, size = _judge(stream)
        with self._store.read() as connection:
            self._count(connection, owner, question)
            self._check_day(connection, kutid, size)
        kept = self._objects.keep(stream)
        now, upload_id = self._clock.now(), opaque_id()
        with self._store.write() as connection:
            queue_for(connection, f"uploads {kutid or owner}")
            self._count(connection, owner, question)
            self._check_day(connection, kutid, size)
            self._take_of_day(connection, kutid, now)
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

    def _check_day(self, connection: Connection, kutid: str | None, size: int) -> None:
        """Raise Refusal ``file.of_day`` where a customer may add no file of this size today."""
        if kutid is None:
            return
        now = self._clock.now()
        is_of_day = uploads.c.kutid == kutid, uploads.c.received_at > now - _DAY
        known = select(func.coalesce(func.sum(uploads.c.size), 0), func.min(uploads.c.received_at)).where(*is_of_day)
        before, first = connection.execute(known).one()
        if first is not None and before + size > LARGEST_DAY:
            raise Refusal("file", "of_day", limit=MOST_OF_A_DAY, moment=first + _DAY)
        again = self._allowances.blocked_until(connection, self._key(kutid), limit=MOST_OF_A_DAY, now=now)
        if again is not None:
            raise Refusal("file", "of_day", limit=MOST_OF_A_DAY, moment=again)

    def _take_of_day(self, connection: Connection, kutid: str | None, now: datetime) -> None:
        if kutid is None:
            return
        again = self._allowances.take_of_window(connection, self._key(kutid), limit=MOST_OF_A_DAY, window=_DAY, now=now)
        if again is not None:
            raise Refusal("file", "of_day", limit=MOST_OF_A_DAY, moment=again)

    def _key(self, kutid: str) -> str:
        return self._allowances.key("files of a day", kutid)


def _judge(stream: IO[bytes]) -> tuple[Kind, int]:
    """Return what a file seems to be, and its size."""
    size = stream.seek(0, os.SEEK_END)
    if not size:
        raise Refusal("file", "empty_file")
    if size > LARGEST:
        raise Refusal("file", "too_big")
    stream.seek(0)
    kind = kind_of(stream.read(HEAD))
    if kind is None:
        raise Refusal("file", "kind")
    return kind, size
