"""Delivers the outbox: leases what is due, sends it outside any transaction, and notes what came of it.

A message is sent at least once and at most twice. It is leased by one conditional statement, and turns `sending`
only when a sender is about to hand it over. If the process dies before, nothing has happened; if it dies after,
or the gateway breaks off, the message may have left and goes out once more, as `repeating`, never a third time.
A refusal that is certain puts it back as it was.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Integer,
    Select,
    Update,
    and_,
    bindparam,
    case,
    exists,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.exc import SQLAlchemyError

from services import request_ids
from services.clock import Clock
from services.crash_points import reach
from services.messages.composer import Composer
from services.messages.outbox import DOUBTFUL, REPEATING, SENDING, UNSENT, WAITING, Message
from services.messages.senders import PermanentFailure, Sender, TemporaryFailure, Withdrawn
from services.messages.sms_budget import DELIVERED, GIVEN_UP, BudgetSpent, SmsBudget
from services.store.engine import Store
from services.store.tables.messages import outbox
from services.values import masking
from services.values.segments import parts

_log = logging.getLogger(__name__)

POLL_SECONDS = 0.25
LANES = 8
"""Messages of one kind that are sent at once; a slow gateway holds up its own kind only."""
ABANDONED = 64
"""Sendings past their deadline that may hang in threads before their kind waits for them."""
DEADLINE_SECONDS = 25.0
LEASE = timedelta(seconds=6)
"""How soon a message of a process that died is taken up again; prolonged while its sending lasts."""

_LEAVING = {WAITING: SENDING, DOUBTFUL: REPEATING}
_COLUMNS = [outbox.c[name] for name in Message.__dataclass_fields__]

_ANY_DUE: Select[Any] = (
    select(literal_column("1"))
    .where(outbox.c.state.in_([literal_column(f"'{state}'") for state in UNSENT]))
    .where(outbox.c.due_at <= bindparam("now", type_=outbox.c.due_at.type))
    .limit(literal_column("1"))
)
"""Asked four times a second, so it is made once, for the drivers to run as it is."""

# So are the statements that every message needs: building one costs more than running it.
_now = bindparam("now", type_=outbox.c.due_at.type)
_leased_until = bindparam("leased_until", type_=outbox.c.due_at.type)
_IS_DUE = and_(
    outbox.c.state.in_(UNSENT),
    outbox.c.due_at <= _now,
    outbox.c.id.not_in(bindparam("mine", expanding=True)),  # what is under way here is not due
)
_DEAD = select(*_COLUMNS).where(_IS_DUE).where(or_(outbox.c.expires_at <= _now, outbox.c.state == REPEATING)).limit(100)


def _is_first() -> ColumnElement[bool]:
    """Return the condition that no message of the same topic that was written before waits to leave."""
    older = outbox.alias("older")
    is_same_time = and_(older.c.created_at == outbox.c.created_at, older.c.id < outbox.c.id)
    is_before = or_(older.c.created_at < outbox.c.created_at, is_same_time)
    return ~exists().where(older.c.topic == outbox.c.topic, older.c.state.in_(UNSENT), is_before)


def _taking() -> Update:
    due = (
        select(outbox.c.id)
        .where(_IS_DUE, outbox.c.kind == bindparam("of_kind"))
        .where(outbox.c.expires_at > _now, outbox.c.state != REPEATING, _is_first())
        .order_by(outbox.c.due_at)
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    return (
        update(outbox)
        .where(outbox.c.id.in_(select(due.c.id)))
        .values(
            state=case((outbox.c.state == SENDING, DOUBTFUL), else_=outbox.c.state),
            attempts=outbox.c.attempts + 1,
            due_at=_leased_until,
        )
        .returning(*_COLUMNS)
    )


_TAKE = _taking()
_UNSENT_ONE = update(outbox).where(outbox.c.id == bindparam("message_id"), outbox.c.state.in_(UNSENT))
_LEAVE = _UNSENT_ONE.where(
    outbox.c.state == bindparam("was"), outbox.c.attempts == bindparam("tries"), outbox.c.expires_at > _now
).values(state=bindparam("leaving"), due_at=_leased_until)
_SENT = _UNSENT_ONE.values(state="sent", facts={}, sent_at=_now, last_error=None)


@dataclass(frozen=True)
class Retries:
    """How long to wait after each failed attempt; the last wait repeats, up to `tries` attempts in all."""

    waits: tuple[int, ...]
    tries: int

    def after(self, attempts: int) -> timedelta | None:
        """Return the wait after this many attempts, or None when there is no further one."""
        if attempts >= self.tries:
            return None
        return timedelta(seconds=self.waits[min(attempts, len(self.waits)) - 1])


RETRIES = {
    # The customer waits for a code and can ask for another: after some three minutes say that it did not go.
    "sms": Retries((2, 10, 30, 60), tries=6),
    # A mail server may be down for a night: a day of tries.
    "email": Retries((5, 20, 60, 300, 900), tries=100),
}


@dataclass(frozen=True)
class _Outcome:
    result: Literal["sent", "temporary", "permanent", "withdrawn"]
    error: str = ""
    may_have_arrived: bool = False


@dataclass(eq=False)
class _Attempt:
    message: Message
    until: float
    parts: int = 0  # of a text message
    left_on: date | None = None
    has_left: bool = False
    is_over: bool = False
    is_abandoned: bool = False
    thread: threading.Thread | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Delivery:
    """Delivers what is in the outbox; several may run, in one process or in many.

    `undelivered(connection, topic, may_have_arrived)` is told of a message that was given up, in the transaction
    that ends it, and whether it may have left all the same. One Delivery is driven by one thread: by `run`, or by
    calls of `deliver_due`.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        composer: Composer,
        senders: Mapping[str, Sender],
        undelivered: Callable[[Connection, str, bool], None],
        *,
        sms_budget: SmsBudget,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        """`senders` are by kind, ``email`` and ``sms``; no sending may take longer than the deadline."""
        self._postage = sms_budget
        self._store = store
        self._clock = clock
        self._composer = composer
        self._senders = senders
        self._undelivered = undelivered
        self.delivered: Callable[[Connection, str], None] = _tell_nobody
        """Is given the topic of a message that was handed over, in the transaction that notes it."""
        self._deadline_seconds = deadline_seconds
        self._under_way: list[_Attempt] = []
        self._abandoned: list[_Attempt] = []
        self._finished: deque[tuple[_Attempt, _Outcome]] = deque()
        self._news = threading.Event()
        self._renewed = 0.0

    def deliver_due(self, limit: int = LANES) -> int:
        """Try up to `limit` due messages once, wait for the outcomes, and return how many were tried."""
        begun = self._turn(limit)
        while self._under_way:
            self._news.wait(POLL_SECONDS)
            self._news.clear()
            self._settle()
            self._renew_leases()
        return begun

    def run(self, stop: threading.Event) -> None:
        """Deliver until `stop` is set, then see what is under way to its end.

        A database that fails is asked again after growing waits.
        """
        self._store.wakes.append(self.wake)
        pause = POLL_SECONDS
        try:
            while not stop.is_set():
                try:
                    self._turn(2 * LANES)
                    pause = POLL_SECONDS
                    self._news.wait(pause)
                    self._news.clear()
                except Exception as error:  # the worker outlives whatever fails; the next turn starts afresh
                    # Only the class: a database error's text would hold the statement's parameters.
                    pause = min(pause * 2, 10.0)
                    _log.warning("delivery pauses for %.1f s: %s", pause, type(error).__name__)
                    stop.wait(pause)
            self._finish()
        finally:
            self._store.wakes.remove(self.wake)

    def wake(self) -> None:
        """Have `run` look at once."""
        self._news.set()

    def _finish(self) -> None:
        give_up_at = time.monotonic() + self._deadline_seconds
        while True:
            try:
                self._settle()
                self._renew_leases()
            except Exception as error:  # what cannot be noted now is repeated once by the next process
                _log.warning("a delivery could not be noted: %s", type(error).__name__)
            if not self._under_way or time.monotonic() > give_up_at:
                return
            self._news.wait(POLL_SECONDS)
            self._news.clear()

    def _turn(self, limit: int) -> int:
        self._settle()
        self._renew_leases()
        with self._store.read() as connection:
            if connection.execute(_ANY_DUE, {"now": self._clock.now()}).first() is None:
                return 0
        self._end_dead()
        begun = 0
        for kind in self._senders:
            begun += self._begin(kind, min(limit - begun, self._free_lanes(kind)))
        return begun

    # --- Taking ---------------------------------------------------------------------------------------------

    def _due(self, now: datetime) -> dict[str, Any]:
        """Return what `_IS_DUE` leaves open."""
        return {"now": now, "mine": [attempt.message.id for attempt in self._under_way]}

    def _free_lanes(self, kind: str) -> int:
        self._abandoned = [a for a in self._abandoned if a.thread and a.thread.is_alive()]
        if sum(attempt.message.kind == kind for attempt in self._abandoned) >= ABANDONED:
            return 0
        return LANES - sum(attempt.message.kind == kind for attempt in self._under_way)

    def _begin(self, kind: str, limit: int) -> int:
        if limit <= 0:
            return 0
        messages = self._take(kind, limit)
        if messages:
            reach("delivery.claimed")
        for message in messages:
            self._start(message)
        return len(messages)

    def _take(self, kind: str, limit: int) -> Sequence[Message]:
        """Lease due messages, of each topic the oldest, by one conditional statement."""
        now = self._clock.now()
        take = {**self._due(now), "of_kind": kind, "most": limit, "leased_until": now + LEASE}
        with self._store.write() as connection:
            rows = connection.execute(_TAKE, take).all()
        return sorted((Message(**row._mapping) for row in rows), key=lambda message: message.created_at)

    def _renew_leases(self) -> None:
        if not self._under_way or time.monotonic() - self._renewed < LEASE.total_seconds() / 3:
            return
        mine = [attempt.message.id for attempt in self._under_way]
        with self._store.write() as connection:
            connection.execute(
                update(outbox)
                .where(outbox.c.id.in_(mine), outbox.c.state.in_(UNSENT))
                .values(due_at=self._clock.now() + LEASE)
            )
        self._renewed = time.monotonic()

    # --- Sending, each in a thread of its own ---------------------------------------------------------------

    def _start(self, message: Message) -> None:
        seconds = min(self._deadline_seconds, (message.expires_at - self._clock.now()).total_seconds())
        attempt = _Attempt(message, until=time.monotonic() + seconds)
        # Not a ThreadPoolExecutor: the interpreter would wait at its exit for a sending that hangs.
        attempt.thread = threading.Thread(target=self._attempt, args=(attempt,), daemon=True, name="delivery")
        if not self._under_way:
            self._renewed = time.monotonic()
        self._under_way.append(attempt)
        attempt.thread.start()

    def _attempt(self, attempt: _Attempt) -> None:
        with request_ids.working_for(attempt.message.request_id):
            outcome = self._send(attempt)
        attempt.is_over = True
        self._finished.append((attempt, outcome))
        self.wake()

    def _send(self, attempt: _Attempt) -> _Outcome:
        message = attempt.message
        try:
            composed = self._composer.compose(message)
        except Exception as error:  # a text or fact is missing: mended by a new release, perhaps in time
            return _Outcome("temporary", f"the message cannot be composed: {type(error).__name__}")
        attempt.parts = parts(composed.text) if message.kind == "sms" else 0
        try:
            self._senders[message.kind].send(message.recipient, composed, message.id, lambda: self._leave(attempt))
        except Withdrawn:
            return _Outcome("withdrawn")
        except TemporaryFailure as failure:
            return _Outcome("temporary", str(failure), attempt.has_left and failure.may_have_arrived)
        except PermanentFailure as failure:
            return _Outcome("permanent", str(failure))
        except Exception as error:  # a sender's own fault; only the class, its text may hold anything
            return _Outcome("temporary", f"the sender failed: {type(error).__name__}", attempt.has_left)
        reach("delivery.sent")
        return _Outcome("sent")

    def _leave(self, attempt: _Attempt) -> None:
        """Write down that the message is handed over now.

        Raises Withdrawn when it must not be any more, or PermanentFailure when it is not in the budget.
        """
        now = self._clock.now()
        message = attempt.message
        leave = {
            "message_id": message.id,
            "was": message.state,
            "tries": message.attempts,
            "leaving": _LEAVING[message.state],
            "now": now,
            "leased_until": now + LEASE,
        }
        with attempt.lock:
            try:
                with self._store.write() as connection:
                    if attempt.is_abandoned or connection.execute(_LEAVE, leave).rowcount == 0:
                        raise Withdrawn
                    attempt.left_on = self._postage.leave(connection, message, attempt.parts)
            except BudgetSpent:
                self._postage.refuse(attempt.parts)
                raise PermanentFailure("the month's SMS budget is used up") from None
            attempt.has_left = True
        reach("delivery.leaving")

    # --- Noting what came of it -----------------------------------------------------------------------------

    def _settle(self) -> None:
        """Note every outcome; one that cannot be noted now stays under way until it can."""
        while self._finished:
            attempt, outcome = self._finished[0]
            if not attempt.is_abandoned or outcome.result == "sent":
                self._note(attempt, outcome)
            self._finished.popleft()
            if attempt in self._under_way:
                self._under_way.remove(attempt)
        for attempt in [a for a in self._under_way if not a.is_over and a.until < time.monotonic()]:
            self._abandon(attempt)

    def _abandon(self, attempt: _Attempt) -> None:
        if not attempt.lock.acquire(blocking=False):
            return  # it is writing down that it leaves
        try:
            attempt.is_abandoned = True
        finally:
            attempt.lock.release()
        self._note(attempt, _Outcome("temporary", "no answer in time", attempt.has_left))
        self._under_way.remove(attempt)
        self._abandoned.append(attempt)

    def _note(self, attempt: _Attempt, outcome: _Outcome) -> None:
        with request_ids.working_for(attempt.message.request_id):
            if outcome.result == "sent":
                self._note_sent(attempt.message)
            elif outcome.result == "withdrawn":
                self._let_go(attempt.message)
            else:
                self._note_failure(attempt, outcome)

    def _note_sent(self, message: Message) -> None:
        with self._store.write() as connection:
            sent = connection.execute(_SENT, {"message_id": message.id, "now": self._clock.now()})
            if sent.rowcount > 0:
                self.delivered(connection, message.topic)
            self._postage.note(connection, message, DELIVERED)
        _log.info("sent %s", _described(message))

    def _let_go(self, message: Message) -> None:
        """Give back what was not handed over: the next turn sees whether it was replaced or has died."""
        mine = _unsent(message).where(outbox.c.attempts == message.attempts)
        with self._store.write() as connection:
            connection.execute(mine.values(due_at=self._clock.now()))

    def _note_failure(self, attempt: _Attempt, outcome: _Outcome) -> None:
        message, due_at = attempt.message, self._next_try(attempt.message, outcome)
        did_not_leave = None if outcome.may_have_arrived else attempt
        if due_at is None:
            # What broke off before may have arrived then, however certain the last refusal was.
            may_have_arrived = outcome.may_have_arrived or message.state != WAITING
            self._end(message, "given_up", outcome.error, did_not_leave, may_have_arrived=may_have_arrived)
            return
        state = DOUBTFUL if outcome.may_have_arrived else message.state
        again = (
            _unsent(message)
            .where(outbox.c.attempts == message.attempts)
            .values(state=state, due_at=due_at, last_error=outcome.error)
        )
        with self._store.write() as connection:
            connection.execute(again)
            self._take_back(connection, did_not_leave)
        _log.warning("not sent, will be tried again: %s: %s", _described(message), outcome.error)

    def _next_try(self, message: Message, outcome: _Outcome) -> datetime | None:
        if outcome.result == "permanent" or (outcome.may_have_arrived and message.state == DOUBTFUL):
            return None
        wait = RETRIES[message.kind].after(message.attempts)
        if wait is None:
            return None
        due_at = self._clock.now() + wait
        return due_at if due_at < message.expires_at else None

    def _end_dead(self) -> None:
        """End what must not be sent any more: its link or code has died, or it may have left twice."""
        now = self._clock.now()
        with self._store.read() as connection:
            rows = connection.execute(_DEAD, self._due(now)).all()
        for message in (Message(**row._mapping) for row in rows):
            may_have_arrived = message.state != WAITING
            if message.expires_at <= now:
                self._end(message, "expired", "", may_have_arrived=may_have_arrived)
            else:
                died = "may have left twice: its process died both times"
                self._end(message, "given_up", died, may_have_arrived=may_have_arrived)

    def _take_back(self, connection: Connection, attempt: _Attempt | None) -> None:
        """Take back what was counted of an attempt that certainly has not left."""
        if attempt is not None and attempt.left_on is not None and attempt.has_left:
            self._postage.come_back(connection, attempt.message, attempt.parts, attempt.left_on)

    def _end(
        self,
        message: Message,
        state: str,
        error: str,
        did_not_leave: _Attempt | None = None,
        *,
        may_have_arrived: bool,
    ) -> None:
        ended = _unsent(message).where(outbox.c.attempts == message.attempts).values(state=state, facts={})
        if error:
            ended = ended.values(last_error=error)
        with self._store.write() as connection:
            result: CursorResult[Any] = connection.execute(ended)
            if result.rowcount > 0:
                self._tell_undelivered(connection, message, may_have_arrived)
                self._postage.note(connection, message, GIVEN_UP)
            self._take_back(connection, did_not_leave)
        if result.rowcount == 0:
            return
        _log.warning("%s: %s%s", state, _described(message), f": {error}" if error else "")

    def _tell_undelivered(self, connection: Connection, message: Message, may_have_arrived: bool) -> None:
        try:
            self._undelivered(connection, message.topic, may_have_arrived)
        except SQLAlchemyError:
            raise  # the message ends later, together with what is done about it
        except Exception as error:  # what is wrong with one message must not stop all the others
            _log.error("nothing was done about %s: %s", _described(message), type(error).__name__)


def _tell_nobody(_connection: Connection, _topic: str) -> None:
    """Do nothing: nobody waits to hear of it."""


def _unsent(message: Message) -> Update:
    return update(outbox).where(outbox.c.id == message.id, outbox.c.state.in_(UNSENT))


def _described(message: Message) -> str:
    recipient = masking.recipient(message.kind, message.recipient)
    return f"{message.kind} {message.message} {message.id} to {recipient}, try {message.attempts}"
