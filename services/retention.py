"""Erases what is over: each kind of data after its time, a little at a time, beside whatever else goes on.

(GDPR, article 5 (1) e.) What an account holds stays as long as the account. Every package declares beside its tables
what else is erased, and when.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, case, delete, func, select, update

from services.accounts.closing import end_unactivated
from services.base import Base
from services.crash_points import reach
from services.limits.allowances import Allowances
from services.limits.noted_time import note_time
from services.messages.outbox import Outbox
from services.store.declarations import RetentionRule
from services.store.tables import DECLARED

_log = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
BATCH = 250
"""Rows erased in one transaction: on SQLite all other writers wait for it."""
PAUSE_SECONDS = 0.1
"""Between two transactions, so that those who waited have their turn."""
_LOOK_SECONDS = 20.0

_GUARD = "tidy"
"""A key of the allowances: of all processes, one at a time has used it."""


@dataclass(frozen=True)
class Erased:
    """What was erased of one kind, or would be: `kept_for` says from which age on."""

    kind: str
    kept_for: timedelta
    count: int


class Tidying:
    """Erases what the profile's `retention` no longer keeps.

    Every batch is a transaction by itself and decides again what is over: killed or stopped between any two, the rest
    is erased the next time. It waits for no row that another transaction holds, so it can be in no deadlock. Where
    `may_erase` says no, because the time is in doubt, nothing is.
    """

    def __init__(
        self,
        base: Base,
        allowances: Allowances,
        may_erase: Callable[[], bool] = lambda: True,
    ) -> None:
        self._may_erase = may_erase
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._rules = tuple(rule for declared in DECLARED for rule in declared.retention)
        self._allowances = allowances
        self._outbox = Outbox(base)

    def run(self, stop: threading.Event) -> None:
        """Tidy once an hour by the application's clock until `stop` is set; what fails is tried again.

        Each look, and the end, is noted as a moment that has been: see `services.clock`.
        """
        is_over = False
        while not is_over:
            is_over = stop.wait(_LOOK_SECONDS)
            try:
                note_time(self._store, self._clock.now())
                if not is_over:
                    self.tidy_if_due(stop)
            except Exception as error:  # the thread outlives whatever fails, such as an outage of the database
                # Only the class: a database error's text would hold the statement's parameters.
                _log.warning("tidying failed, will be tried again: %s", type(error).__name__)

    def tidy_if_due(self, stop: threading.Event | None = None) -> list[Erased] | None:
        """Tidy unless any process has begun to within the hour; return what was erased, None if it was not due."""
        now = self._clock.now()
        with self._store.read() as connection:
            until = self._allowances.blocked_until(connection, _GUARD, limit=1, now=now)
        is_absurd = until is not None and until > now + EVERY  # from a clock that was wrong then
        if until is not None and not is_absurd:
            return None
        with self._store.write() as connection:
            if is_absurd:
                self._allowances.give_back(connection, _GUARD)
            if self._allowances.take(connection, _GUARD, limit=1, quiet=EVERY, now=now):
                return None
        reach("retention.begun")
        tidied = self.tidy(stop)
        if erased := [f"{one.count} {one.kind}" for one in tidied if one.count]:
            _log.info("erased %s", ", ".join(erased))
        return tidied

    def tidy(self, stop: threading.Event | None = None) -> list[Erased]:
        """Erase all that is over, or as much as there is time for until `stop` is set; return what was erased."""
        stop = stop or threading.Event()
        return [Erased(rule.kind, rule.kept_for(self._profile), sum(self._erase(rule, stop))) for rule in self._rules]

    def count(self) -> list[Erased]:
        """Return what would be erased now; changes nothing."""
        now = self._clock.now()
        with self._store.read() as connection:
            return [
                Erased(
                    rule.kind,
                    rule.kept_for(self._profile),
                    connection.execute(select(func.count()).where(rule.is_over(self._profile, now))).scalar_one(),
                )
                for rule in self._rules
            ]

    def last_begun(self) -> datetime | None:
        """Return when `tidy_if_due` last began, None when it never has."""
        with self._store.read() as connection:
            rests_until = self._allowances.ends_at(connection, _GUARD)
        return rests_until - EVERY if rests_until else None

    # --- Inside ------------------------------------------------------------------------------------------------

    def _erase(self, rule: RetentionRule, stop: threading.Event) -> Iterator[int]:
        while not stop.is_set() and self._may_erase():
            found, erased = self._erase_some(rule)
            yield erased
            # Rows that somebody holds at this moment are left for the next time.
            if found < BATCH or not erased:
                return
            stop.wait(PAUSE_SECONDS)

    def _erase_some(self, rule: RetentionRule) -> tuple[int, int]:
        is_over = rule.is_over(self._profile, self._clock.now())
        # Looked for without the lock that writers on SQLite share, and looked at again with it.
        with self._store.read() as connection:
            keys = connection.execute(select(rule.key).where(is_over).limit(BATCH)).scalars().all()
        if not keys:
            return 0, 0
        if rule.is_account:
            return len(keys), sum(self._end_account(key, is_over) for key in keys)
        # As a CASE it cannot be searched for: the rows are found by their keys, not by an index of all that is over.
        is_still_over = case((is_over, 1), else_=0) == 1
        found = select(rule.key).where(rule.key.in_(keys), is_still_over).with_for_update(skip_locked=True)
        table = rule.key.table
        erase = delete(table) if rule.emptied is None else update(table).values({rule.emptied: None})
        with self._store.write() as connection:
            erased = connection.execute(erase.where(rule.key.in_(found))).rowcount
            reach(f"retention.erasing.{rule.kind}")
        reach(f"retention.erased.{rule.kind}")
        return len(keys), erased

    def _end_account(self, account_id: str, is_over: ColumnElement[bool]) -> bool:
        with self._store.write() as connection:
            return end_unactivated(connection, self._outbox, account_id, is_over, self._clock.now())
