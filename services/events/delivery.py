"""Calls the endpoints of webhooks: each in order, at least once for every event, none held up by another (P42).

An endpoint has a place in the feed. It is called for the next event after that place, and moves on when it answers 2xx.
A call that fails is repeated with growing waits. After `GIVEN_UP_AFTER` without success, events of that age go to a
list of given-up events, and the endpoint goes on with newer ones.
"""

import json
import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, ScalarSelect, delete, exists, or_, select, update
from standardwebhooks import Webhook as Signer

from services.base import Base
from services.crash_points import reach
from services.events.calls import Caller, CallFailed
from services.events.feed import last_number, number_all
from services.events.sealing import Secrets
from services.events.webhooks import is_waiting
from services.pauses import Pause
from services.randomness import opaque_id
from services.store.statements import insert_for
from services.store.tables.events import events, webhook_failures, webhooks

_log = logging.getLogger(__name__)

GIVEN_UP_AFTER = timedelta(days=3)
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=5), timedelta(hours=1)
"""The waits between calls that fail: each is three times as long as the one before."""
_LEASE = timedelta(minutes=1)
"""How long one worker holds an endpoint: longer than a call takes. Then others take over from a dead worker."""
_AT_ONCE = 50
"""Calls of one endpoint between two looks at what else is due."""
_MOST_GIVEN_UP = 1000
"""The most events that one transaction gives up."""
_PAUSE_SECONDS = 0.5


@dataclass(frozen=True)
class _Turn:
    """An endpoint, and the right to call it."""

    id: str
    url: str
    patterns: tuple[str, ...]
    attempts: int
    secret: str | None
    lease: str


@dataclass(frozen=True)
class _Upcoming:
    """The next event to call for, None if there is none."""

    event: Any
    position: int | None = None
    """Where the endpoint stands after it; None for an event that was given up before."""
    is_again: bool = False

    @property
    def moves(self) -> dict[str, int]:
        """How the endpoint's place changes."""
        return {} if self.position is None else {"position": self.position}


class WebhookDelivery:
    """Calls endpoints; several workers share them."""

    def __init__(self, base: Base, secrets: Secrets, caller: Caller) -> None:
        self._store = base.store
        self._clock = base.clock
        self._secrets = secrets
        self._caller = caller

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set. Each endpoint that is due has a thread of its own: a slow one holds no other up."""
        threads: dict[str, threading.Thread] = {}
        pause = Pause(_PAUSE_SECONDS)
        while not stop.wait(pause.seconds):
            try:
                due = self.due()
                pause.reset()
            except Exception as error:  # the thread outlives whatever fails, such as an outage of the database
                pause.grow()
                _log.warning("webhooks failed, will be tried again: %s", type(error).__name__)
                continue
            threads = {webhook_id: thread for webhook_id, thread in threads.items() if thread.is_alive()}
            for webhook_id in due:
                if webhook_id not in threads:
                    thread = threading.Thread(target=self._work, args=(webhook_id, stop), name="webhook", daemon=True)
                    threads[webhook_id] = thread
                    thread.start()
        for thread in threads.values():
            thread.join()

    def due(self) -> list[str]:
        """Return the ids of the endpoints that are to be called now."""
        number_all(self._store)
        now = self._clock.now()
        again = webhook_failures.c.webhook_id == webhooks.c.id, webhook_failures.c.number == events.c.number
        asked = exists().where(*again, webhook_failures.c.retry_at <= now)
        is_behind = exists().where(events.c.number > webhooks.c.position)
        with self._store.read() as connection:
            query = select(webhooks.c.id).where(webhooks.c.due_at <= now, or_(asked, is_behind))
            return list(connection.execute(query.order_by(webhooks.c.due_at)).scalars())

    def deliver(self, webhook_id: str, stop: threading.Event | None = None) -> int:
        """Call an endpoint for what is due, and return how often it took a call.

        It stops at the first call that fails. Does nothing while another worker calls the endpoint.
        """
        turn = self._take(webhook_id)
        if turn is None:
            return 0
        for taken in range(_AT_ONCE):
            upcoming = self._next(turn)
            if upcoming.event is None or (stop and stop.is_set()):
                self._leave(turn, upcoming)
                return taken
            try:
                self._call(turn, upcoming.event)
            except CallFailed as error:
                _log.warning("webhook %s failed: %s", turn.id, error)
                self._note_failure(turn, str(error), 0 if taken else turn.attempts)
                return taken
            reach("webhooks.called")
            if not self._note_success(turn, upcoming):
                return taken + 1
        self._leave(turn)
        return _AT_ONCE

    def _work(self, webhook_id: str, stop: threading.Event) -> None:
        try:
            self.deliver(webhook_id, stop)
        except Exception as error:  # what is left is due again when the lease is over
            _log.warning("a webhook failed, will be tried again: %s", type(error).__name__)

    # --- One call ----------------------------------------------------------------------------------------------------

    def _call(self, turn: _Turn, event: Any) -> None:
        if turn.secret is None:
            raise CallFailed("its secret was sealed with a key that is gone")
        body = json.dumps(
            {"type": event.type, "timestamp": _moment(event.at), "id": event.number, "data": event.data},
            separators=(",", ":"),
        )
        now, message_id = self._clock.now(), f"event_{event.number}"
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Signer(turn.secret).sign(message_id, now, body),
            "User-Agent": "belepo",
        }
        self._caller.post(turn.url, headers, body.encode())

    def _next(self, turn: _Turn) -> _Upcoming:
        columns = select(events.c.number, events.c.type, events.c.at, events.c.data).order_by(events.c.number).limit(1)
        again = columns.join(webhook_failures, webhook_failures.c.number == events.c.number).where(
            webhook_failures.c.webhook_id == turn.id, webhook_failures.c.retry_at.is_not(None)
        )
        with self._store.read() as connection:
            if (found := connection.execute(again).first()) is not None:
                return _Upcoming(found, is_again=True)
            # Read first: the next look covers what is numbered meanwhile.
            last = last_number(connection)
            found = connection.execute(columns.where(is_waiting(_place(turn), turn.patterns))).first()
            return _Upcoming(found, found.number if found else last)

    # --- Its turn ----------------------------------------------------------------------------------------------------

    def _take(self, webhook_id: str) -> _Turn | None:
        """Take the endpoint for a while; None if another worker has it, or it is not due."""
        now, lease = self._clock.now(), opaque_id()
        take = (
            update(webhooks)
            .where(webhooks.c.id == webhook_id, webhooks.c.due_at <= now)
            .values(lease=lease, due_at=now + _LEASE)
            .returning(*webhooks.c)
        )
        with self._store.write() as connection:
            row = connection.execute(take).first()
        if row is None:
            return None
        secret = self._secrets.open(row.sealed)
        return _Turn(row.id, row.url, tuple(row.patterns), row.attempts, secret, lease)

    def _change(self, connection: Connection, turn: _Turn, **values: Any) -> bool:
        """Change the endpoint's row unless another worker has taken the turn; tell whether it was changed."""
        mine = update(webhooks).where(webhooks.c.id == turn.id, webhooks.c.lease == turn.lease)
        return bool(connection.execute(mine.values(values)).rowcount)

    def _note_success(self, turn: _Turn, done: _Upcoming) -> bool:
        with self._store.write() as connection:
            is_mine = self._change(
                connection,
                turn,
                due_at=self._clock.now() + _LEASE,
                attempts=0,
                failing_since=None,
                error=None,
                **done.moves,
            )
            if is_mine and done.is_again:
                given_up = webhook_failures.c.webhook_id == turn.id, webhook_failures.c.number == done.event.number
                connection.execute(delete(webhook_failures).where(*given_up))
        return is_mine

    def _note_failure(self, turn: _Turn, error: str, attempts: int) -> None:
        now = self._clock.now()
        wait = min(LONGEST_WAIT, FIRST_WAIT * 3 ** min(attempts, 10))
        with self._store.write() as connection:
            since = select(webhooks.c.failing_since).where(webhooks.c.id == turn.id)
            failing_since: datetime = connection.execute(since).scalar() or now
            values = {"attempts": attempts + 1, "failing_since": failing_since, "error": error[:200]}
            if not self._change(connection, turn, due_at=now + wait, lease=None, **values):
                return
            # What was given up stays so until somebody asks again.
            again = update(webhook_failures).where(webhook_failures.c.webhook_id == turn.id)
            connection.execute(again.values(retry_at=None))
            if failing_since <= now - GIVEN_UP_AFTER:
                self._give_up(connection, turn, now)

    def _give_up(self, connection: Connection, turn: _Turn, now: datetime) -> None:
        too_old = (
            select(events.c.number)
            .where(is_waiting(_place(turn), turn.patterns), events.c.at <= now - GIVEN_UP_AFTER)
            .order_by(events.c.number)
            .limit(_MOST_GIVEN_UP)
        )
        numbers = list(connection.execute(too_old).scalars())
        if numbers:
            rows = [{"webhook_id": turn.id, "number": number, "given_up_at": now} for number in numbers]
            connection.execute(insert_for(connection, webhook_failures).on_conflict_do_nothing(), rows)
            connection.execute(update(webhooks).where(webhooks.c.id == turn.id).values(position=numbers[-1]))

    def _leave(self, turn: _Turn, seen: _Upcoming | None = None) -> None:
        moves = seen.moves if seen and seen.event is None else {}
        with self._store.write() as connection:
            self._change(connection, turn, due_at=self._clock.now(), lease=None, **moves)


def _place(turn: _Turn) -> ScalarSelect[int]:
    return select(webhooks.c.position).where(webhooks.c.id == turn.id).scalar_subquery()


def _moment(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
