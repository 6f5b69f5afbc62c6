"""That a worker is alive: each writes a moment down now and then, so that monitoring sees which one has stopped."""

import logging
import threading
from datetime import timedelta

from sqlalchemy import delete, select

from services.base import Base
from services.store.statements import insert_for
from services.store.tables.heartbeats import heartbeats

_log = logging.getLogger(__name__)

BEAT_SECONDS = 15.0
_FORGOTTEN = timedelta(days=1)
"""For how long a machine that has stopped without a word is spoken of."""


class Heartbeats:
    """The moments at which the workers of each machine were seen last."""

    def __init__(self, base: Base) -> None:
        self._store = base.store
        self._clock = base.clock

    def run(self, stop: threading.Event, worker: str) -> None:
        """Write a moment down every few seconds until `stop` is set; a worker that ends in order leaves nothing.

        `worker` is the machine's name: workers of one machine are one to monitoring.
        """
        while True:
            try:
                self.beat(worker)
            except Exception as error:  # the thread outlives an outage of the database
                _log.warning("the worker's heartbeat could not be written: %s", type(error).__name__)
            if stop.wait(BEAT_SECONDS):
                break
        try:
            self.end(worker)
        except Exception as error:
            _log.warning("the worker's end could not be written: %s", type(error).__name__)

    def beat(self, worker: str) -> None:
        """Write down that a worker of this machine is alive now, and forget machines that were not seen for a day."""
        now = self._clock.now()
        with self._store.write() as connection:
            beat = insert_for(connection, heartbeats).values(worker=worker, at=now)
            connection.execute(
                beat.on_conflict_do_update(index_elements=[heartbeats.c.worker], set_={"at": beat.excluded.at})
            )
            connection.execute(delete(heartbeats).where(heartbeats.c.at <= now - _FORGOTTEN))

    def end(self, worker: str) -> None:
        """Forget a machine whose worker ends in order."""
        with self._store.write() as connection:
            connection.execute(delete(heartbeats).where(heartbeats.c.worker == worker))

    def ages(self) -> dict[str, timedelta]:
        """Return how long ago each machine's worker was seen, by the machines' names."""
        with self._store.read() as connection:
            rows = connection.execute(select(heartbeats.c.worker, heartbeats.c.at)).all()
        now = self._clock.now()
        return {row.worker: now - row.at for row in rows}
