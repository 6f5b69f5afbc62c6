"""What messages leave and what text messages cost: counted where delivery commits, and held to the month's budget."""

import logging
import threading
import time
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from services.base import Base
from services.messages.outbox import Message
from services.refusal import OutOfTurn
from services.store.statements import insert_in
from services.store.tables.messages import message_figures, sms_months

_log = logging.getLogger(__name__)

SENT, DELIVERED, GIVEN_UP = "sent", "delivered", "given_up"
LOOK_SECONDS, STALE_SECONDS = 3.0, 10.0
"""How often a process that serves pages looks at the budget, and how old what it remembers may be."""
_UNLIMITED = 2**31 - 1

_parts = bindparam("parts", type_=sms_months.c.used.type)
_THIS = update(sms_months).where(sms_months.c.month == bindparam("of_month", type_=sms_months.c.month.type))
_USE = (
    _THIS.where(sms_months.c.used + _parts <= bindparam("limit", type_=sms_months.c.used.type) + sms_months.c.more)
    .values(used=sms_months.c.used + _parts)
    .returning(sms_months.c.used, sms_months.c.more)
)
_GIVE_BACK = _THIS.values(used=sms_months.c.used - _parts)


class BudgetSpent(Exception):
    """The text message must not leave: the month's budget has no room for it."""


@dataclass(frozen=True)
class Budget:
    """How a month's budget of text messages stands, counted in their parts."""

    used: int
    allowed: int
    more: int
    """How much of it a supervisor has allowed besides the profile's budget."""
    refused: int
    """The parts of the last message that did not fit; 0 when all have."""
    warn_at_percent: int

    @property
    def percent(self) -> int:
        """How much of it is used."""
        return 100 * self.used // self.allowed

    @property
    def is_stopped(self) -> bool:
        """Whether no text message leaves any more."""
        return self.used + max(1, self.refused) > self.allowed

    @property
    def is_short(self) -> bool:
        """Whether so much is used that somebody should know."""
        return 100 * self.used >= self.warn_at_percent * self.allowed


class SmsBudget:
    """Counts messages in the transactions of their delivery, and tells how the budget stands.

    A text message is charged where it is written down that it leaves, by one conditional statement: several processes
    together send no more than the budget allows. What the gateway refused for certain is given back.
    """

    def __init__(self, base: Base) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._limit = base.profile.messages.sms_budget
        self._remembered: tuple[float, Budget | None] | None = None

    @property
    def has_budget(self) -> bool:
        """Whether the profile sets one."""
        return self._limit is not None

    # --- In the transactions of the delivery -------------------------------------------------------------------

    def leave(self, connection: Connection, message: Message, parts: int) -> date:
        """Count a message that leaves now, `parts` of a text message; return the day. Raises BudgetSpent."""
        day = self._today()
        if message.kind == "sms":
            self._charge(connection, day.replace(day=1), parts)
        self._count(connection, day, message, SENT, parts=parts)
        return day

    def come_back(self, connection: Connection, message: Message, parts: int, day: date) -> None:
        """Take back what `leave` counted on that `day`: it certainly has not left."""
        if message.kind == "sms":
            connection.execute(_GIVE_BACK, {"of_month": day.replace(day=1), "parts": parts})
        self._count(connection, day, message, SENT, count=-1, parts=-parts)

    def note(self, connection: Connection, message: Message, what: str) -> None:
        """Count a message that was DELIVERED, taken over by the mail server or the gateway, or GIVEN_UP."""
        self._count(connection, self._today(), message, what)

    def refuse(self, parts: int) -> None:
        """Record that a message of `parts` segments did not fit, in a transaction of its own."""
        month = self._today().replace(day=1)
        with self._store.write() as connection:
            connection.execute(_THIS.values(refused=_parts), {"of_month": month, "parts": parts})
        _log.error("the month's SMS budget is used up: no text message leaves until a supervisor releases it")

    # --- The budget ----------------------------------------------------------------------------------------------

    def budget(self) -> Budget | None:
        """Return how this month's budget stands now; None where the profile sets none."""
        if self._limit is None:
            return None
        month = self._today().replace(day=1)
        with self._store.read() as connection:
            row = connection.execute(
                select(sms_months.c.used, sms_months.c.more, sms_months.c.refused).where(sms_months.c.month == month)
            ).first()
        used, more, refused = row or (0, 0, 0)
        budget = Budget(used, self._limit + more, more, refused, self._profile.messages.warn_at_percent)
        self._remembered = (time.monotonic(), budget)
        return budget

    def run(self, stop: threading.Event) -> None:
        """Look at the budget every few seconds until `stop` is set, so that no request has to."""
        while self.has_budget and not stop.wait(LOOK_SECONDS):
            try:
                self.budget()
            except Exception as error:  # the thread outlives an outage of the database
                _log.warning("the SMS budget could not be read: %s", type(error).__name__)

    def today(self) -> dict[str, int]:
        """Return how many text messages were `sent`, `delivered` and `given_up` today."""
        mine = message_figures.c.day == self._today(), message_figures.c.kind == "sms"
        counts = select(message_figures.c.what, func.sum(message_figures.c.count)).where(*mine)
        with self._store.read() as connection:
            rows = connection.execute(counts.group_by(message_figures.c.what)).all()
        return dict.fromkeys((SENT, DELIVERED, GIVEN_UP), 0) | {what: int(count) for what, count in rows}

    def is_stopped(self) -> bool:
        """Tell whether text messages are stopped, as this process has seen it some seconds ago at most."""
        if self._limit is None:
            return False
        if self._remembered is None or time.monotonic() - self._remembered[0] > STALE_SECONDS:
            self.budget()
        return self._remembered is not None and self._remembered[1] is not None and self._remembered[1].is_stopped

    def allow_more(self, connection: Connection, parts: int, *, seen: int) -> None:
        """Allow `parts` more segments this month; `seen` is what was allowed besides the budget until now.

        Raises OutOfTurn when that has changed meanwhile: of two clicks one counts.
        """
        month = self._today().replace(day=1)
        connection.execute(_beginning(connection.dialect.name), {"month": month})
        more = (
            _THIS.where(sms_months.c.more == bindparam("seen"))
            .values(more=sms_months.c.more + _parts, refused=0)
            .returning(sms_months.c.month)
        )
        if connection.execute(more, {"of_month": month, "parts": parts, "seen": seen}).first() is None:
            raise OutOfTurn

    # --- Inside --------------------------------------------------------------------------------------------------

    def _today(self) -> date:
        return self._clock.now().astimezone(self._profile.zone).date()

    def _charge(self, connection: Connection, month: date, parts: int) -> None:
        connection.execute(_beginning(connection.dialect.name), {"month": month})
        limit = _UNLIMITED // 2 if self._limit is None else self._limit
        row = connection.execute(_USE, {"of_month": month, "parts": parts, "limit": limit}).first()
        if row is None:
            raise BudgetSpent
        if self._limit is None:
            return
        now = Budget(row.used, limit + row.more, row.more, 0, self._profile.messages.warn_at_percent)
        before = Budget(row.used - parts, now.allowed, row.more, 0, now.warn_at_percent)
        if now.is_short and not before.is_short:
            _log.warning("%d %% of the month's SMS budget is used: %d of %d", now.percent, now.used, now.allowed)

    @staticmethod
    def _count(
        connection: Connection, day: date, message: Message, what: str, *, count: int = 1, parts: int = 0
    ) -> None:
        row = {"day": day, "kind": message.kind, "message": message.message, "what": what}
        connection.execute(_adding(connection.dialect.name), {**row, "count": count, "parts": parts})


@cache
def _adding(dialect: str) -> Any:
    table = message_figures
    add = insert_in(dialect, table)
    return add.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={"count": table.c.count + add.excluded.count, "parts": table.c.parts + add.excluded.parts},
    )


@cache
def _beginning(dialect: str) -> Any:
    begin = insert_in(dialect, sms_months).values(used=0, more=0, refused=0)
    return begin.on_conflict_do_nothing(index_elements=[sms_months.c.month])
