"""What is seen of registrations, counted in memory and written down some seconds later, many at once.

No request waits for it, by no statement and no commit. What is kept are counts by day, channel, browser family, step
and error: no id, no address, no text that somebody typed.
"""

import logging
import threading
from collections import Counter, OrderedDict
from datetime import date
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from services.base import Base
from services.store.statements import insert_in
from services.store.tables.figures import figures
from services.store.tables.staff import staff as staff_table

CUSTOMER = "customer"
"""Who begins most registrations; else it is the id of a member of staff."""

_log = logging.getLogger(__name__)

ENTERED, FINISHED, REFUSED, STOPPED = "entered", "finished", "refused", "stopped"
"""A step was shown, was done, its form was refused, or led to a dead end."""
WEB, SERVICE, ADVISER, API = "web", "service", "adviser", "api"
"""Who began the registration: the customer, customer service, an adviser (as the role is called), or a system."""
EVERY_SECONDS = 3.0
"""As much is lost when a process is killed."""
MOST = 5000
"""The most counters kept while the database is away; further ones are lost."""
_REMEMBERED = 10_000
"""Registrations whose furthest step this process remembers, so that no step is counted twice."""


class _Seen(NamedTuple):
    day: date
    begun_by: str
    browser: str
    step: str
    what: str
    error: str


class Observations:
    """Counts what this process sees; `flush` adds it to what all processes have written."""

    def __init__(self, base: Base) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._counts: Counter[_Seen] = Counter()
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._channels = {CUSTOMER: WEB}
        self._furthest: OrderedDict[str, int] = OrderedDict()

    def count(self, step: str, what: str, *, begun_by: str = CUSTOMER, browser: str = "", error: str = "") -> None:
        """Count once, for the time being in memory. `begun_by` is who began the registration: it tells the channel."""
        day = self._clock.now().astimezone(self._profile.zone).date()
        seen = _Seen(day, begun_by, browser[:32], step, what, error[:64])
        with self._lock:
            if seen in self._counts or len(self._counts) < MOST:
                self._counts[seen] += 1

    def is_further(self, registration_id: str, place: int) -> bool:
        """Tell whether this process has not seen the registration at this place of the journey, or beyond it, before.

        So the same step in another browser, or opened by a mail scanner first, counts once. Nothing of it is kept.
        """
        with self._lock:
            before = self._furthest.pop(registration_id, 0)
            self._furthest[registration_id] = max(before, place)
            if len(self._furthest) > _REMEMBERED:
                self._furthest.popitem(last=False)
        return place > before

    def count_assisted(self, by: str) -> None:
        """Count a registration that staff, or another system, have begun: up to the mail, which the customer opens."""
        *done, waiting = self._profile.journey[:3]
        for step in done:
            self.count(step, ENTERED, begun_by=by)
            self.count(step, FINISHED, begun_by=by)
        self.count(waiting, ENTERED, begun_by=by)

    def flush(self) -> None:
        """Write down what was counted. What cannot be written now is kept for the next time, and the error passed on.

        A call waits while another thread writes, so that a following read sees everything.
        """
        with self._writing:
            with self._lock:
                counts, self._counts = self._counts, Counter()
            if not counts:
                return
            try:
                with self._store.write() as connection:
                    self._add(connection, counts)
            except Exception:
                with self._lock:
                    self._counts.update(counts)
                raise

    def run(self, stop: threading.Event) -> None:
        """Write every few seconds until `stop` is set, and once more then."""
        while not stop.wait(EVERY_SECONDS):
            self._try_to_flush()
        self._try_to_flush()

    def _try_to_flush(self) -> None:
        try:
            self.flush()
        except Exception as error:  # the thread outlives whatever fails, such as an outage of the database
            _log.warning("the figures could not be written, will be tried again: %s", type(error).__name__)

    def _add(self, connection: Connection, counts: Counter[_Seen]) -> None:
        self._learn_channels(connection, {seen.begun_by for seen in counts})
        added: Counter[tuple[Any, ...]] = Counter()
        for seen, count in counts.items():
            added[seen.day, self._channels.get(seen.begun_by, API), *seen[2:]] += count
        names = ("day", "channel", "browser", "step", "what", "error")
        # In one order, so that of two processes one waits for the other and neither for both.
        rows = [{**dict(zip(names, key, strict=True)), "count": added[key]} for key in sorted(added)]
        connection.execute(_adding(connection.dialect.name), rows)

    def _learn_channels(self, connection: Connection, begun_by: set[str]) -> None:
        unknown = begun_by - set(self._channels)
        if unknown:
            staff = staff_table.c
            rows = connection.execute(select(staff.id, staff.role).where(staff.id.in_(unknown)))
            self._channels.update({row.id: ADVISER if row.role == ADVISER else SERVICE for row in rows})


@cache
def _adding(dialect: str) -> Any:
    add = insert_in(dialect, figures)
    return add.on_conflict_do_update(
        index_elements=list(figures.primary_key), set_={"count": figures.c.count + add.excluded.count}
    )
