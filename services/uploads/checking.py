"""The worker's part: scans a file, has its rendition made, and tells its owner when it is refused (P39–P41)."""

import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO, Any

from sqlalchemy import Connection, func, select, update

from services import events
from services.base import Base
from services.crash_points import reach
from services.gateways.scanner import Scanner, ScannerUnavailable
from services.gateways.storage import StorageUnavailable
from services.messages.outbox import Outbox
from services.pauses import Pause
from services.store.tables.accounts import accounts
from services.store.tables.uploads import uploads
from services.uploads import rows
from services.uploads.objects import Objects
from services.uploads.renditions import Rendition, Unmade, rendition_of

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.5
_ROUNDS_TO_SWEEP = 120
_AT_ONCE = 20
_LEASE = timedelta(minutes=3)
"""How long a file is one worker's: who dies over it leaves it to the others after this time."""
_MOST_TRIES = 3
"""Workers that may die over a file before it is refused."""
_UNTIL_NEXT = timedelta(seconds=5)
"""How long a file waits for a scanner or a storage that is away."""
_WORTH_SENDING = timedelta(days=3)


@dataclass(frozen=True)
class Queue:
    """The files that wait to be checked, for operators and staff."""

    waiting: int
    since: datetime | None
    """When the oldest of them came."""
    refused: int
    """Files that were refused after they had been taken in, as long as they are kept."""


class Checking:
    """Checks the files that are due; several workers share them."""

    def __init__(self, base: Base, objects: Objects, outbox: Outbox, scanner: Scanner | None) -> None:
        """Without a scanner, files are not scanned."""
        self._store = base.store
        self._clock = base.clock
        self._objects = objects
        self._outbox = outbox
        self._scanner = scanner

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; what fails is tried again."""
        rounds, pause = 0, Pause(_PAUSE_SECONDS)
        while not stop.wait(pause.seconds):
            rounds += 1
            try:
                self.check_due(stop)
                if rounds % _ROUNDS_TO_SWEEP == 0:
                    self._objects.sweep()
                pause.reset()
            except Exception as error:  # the thread outlives whatever fails, such as an outage of the database
                pause.grow()
                # Only the class: a database error's text would hold the statement's parameters.
                _log.warning("files failed, will be tried again: %s", type(error).__name__)

    def check_due(self, stop: threading.Event | None = None) -> int:
        """Check the files that are due now, some at most, until `stop` is set; return how many were taken."""
        now = self._clock.now()
        due = select(uploads.c.id, uploads.c.due_at).where(uploads.c.due_at <= now).order_by(uploads.c.due_at)
        with self._store.read() as connection:
            found = connection.execute(due.limit(_AT_ONCE)).all()
        taken = 0
        for row in found:
            if stop is not None and stop.is_set():
                break
            if claim := self._claim(row.id, row.due_at):
                taken += 1
                self._check(claim)
        return taken

    def sweep(self) -> int:
        """Erase bytes that belong to no file any more, and return of how many objects."""
        return self._objects.sweep()

    def probe(self) -> bool:
        """Ask whether the scanner is there; return False where none is set. Raises ScannerUnavailable."""
        if self._scanner is None:
            return False
        self._scanner.probe()
        return True

    def queue(self) -> Queue:
        """Return what waits to be checked."""
        is_waiting = uploads.c.state.in_(("received", "checking")), uploads.c.locked_at.is_(None)
        waiting = select(func.count(), func.min(uploads.c.received_at)).where(*is_waiting)
        refused = select(func.count()).where(uploads.c.state == "refused")
        with self._store.read() as connection:
            count, since = connection.execute(waiting).one()
            return Queue(int(count), since, int(connection.execute(refused).scalar_one()))

    # --- Inside ------------------------------------------------------------------------------------------------

    def _claim(self, upload_id: str, due_at: datetime) -> Any:
        """Return the row of a file that is this worker's from here on, None when it is another's."""
        now = self._clock.now()
        claim = (
            update(uploads)
            .where(uploads.c.id == upload_id, uploads.c.due_at == due_at)
            .values(state="checking", due_at=now + _LEASE, tries=uploads.c.tries + 1)
            .returning(uploads)
        )
        with self._store.write() as connection:
            row = connection.execute(claim).first()
            if row is not None:
                rows.note(connection, upload_id, "checking", now)
        reach("uploads.claimed")
        return row

    def _check(self, claim: Any) -> None:
        if claim.tries > _MOST_TRIES:
            _log.error("file %s is given up: workers die over it", claim.id)
            self._refuse(claim, "damaged")
            return
        try:
            with self._objects.copy(claim.source) as source:
                found = self._scanner.find(source) if self._scanner else None
                reach("uploads.scanned")
                if found is not None:
                    self._refuse(claim, "virus")
                    return
                self._make(claim, source)
        except (ScannerUnavailable, StorageUnavailable) as error:
            _log.warning("a file waits: %s", error)
            self._end(claim, due_at=self._clock.now() + _UNTIL_NEXT, tries=0)

    def _make(self, claim: Any, source: IO[bytes]) -> None:
        try:
            made = rendition_of(claim.kind, source)
        except Unmade as unmade:
            if unmade.reason == "locked":
                self._end(claim, "locked", locked_at=self._clock.now(), due_at=None, tries=0)
            else:
                self._refuse(claim, unmade.reason)
            return
        with made.file:
            self._keep(claim, made)

    def _keep(self, claim: Any, made: Rendition) -> None:
        kept, now = self._objects.keep(made.file), self._clock.now()
        with self._store.write() as connection:
            ready = {"rendition": kept.key, "rendition_type": made.type, "rendition_size": kept.size, "tries": 0}
            row = self._change(connection, claim, state="ready", due_at=None, **ready)
            if row is None:
                return
            self._objects.give(connection, kept.key, claim.id)
            rows.note(connection, claim.id, "ready", now)
            if row.sent_at is not None:  # of one that is not sent yet they learn when it is
                events.note(connection, "file.ready", now, kutid=row.kutid, request=row.owner, file=row.id)
            if row.taken_at is not None:
                connection.execute(update(uploads).where(uploads.c.id == claim.id).values(state="handed-over"))
                rows.note(connection, claim.id, "handed-over", now)
            reach("uploads.finishing")
        reach("uploads.finished")

    def _refuse(self, claim: Any, reason: str) -> None:
        """Refuse a file for good: its bytes go, its receipt stays, and its owner is told by a mail (P39)."""
        with self._store.write() as connection:
            row = self._change(connection, claim, state="refused", reason=reason, source=None, due_at=None)
            if row is None:
                return
            rows.note(connection, claim.id, "refused", self._clock.now())
            self._objects.let_go(connection, claim.id)
            self._tell(connection, row)
            reach("uploads.refusing")
        try:
            self._objects.sweep()
        except StorageUnavailable:
            _log.warning("the bytes of a refused file wait to be erased")

    def _end(self, claim: Any, event: Any = None, **values: Any) -> None:
        with self._store.write() as connection:
            if self._change(connection, claim, **values) is not None and event is not None:
                rows.note(connection, claim.id, event, self._clock.now())

    def _change(self, connection: Connection, claim: Any, **values: Any) -> Any:
        """Change a file that is still this worker's, and return its row, else None."""
        is_mine = uploads.c.id == claim.id, uploads.c.due_at == claim.due_at, uploads.c.state == "checking"
        return connection.execute(update(uploads).where(*is_mine).values(**values).returning(uploads)).first()

    def _tell(self, connection: Connection, row: Any) -> None:
        account = connection.execute(
            select(accounts.c.email, accounts.c.language).where(accounts.c.kutid == row.kutid)
        ).first()
        if account is None:
            return
        self._outbox.put(
            connection,
            kind="email",
            recipient=account.email,
            message="upload_refused",
            language=account.language,
            topic=f"upload:{row.id}",
            expires_at=self._clock.now() + _WORTH_SENDING,
            facts={"link_id": row.owner, "at": row.received_at.isoformat()},
        )
