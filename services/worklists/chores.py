"""The worklists' work in the background: mails of batches, reminders that are due, and data to be put right."""

import logging
import threading

from services.worklists.rounds import Rounds
from services.worklists.sweep import QualitySweep

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.5
_BUSY_SECONDS = 0.02
"""Between two pieces of the register, so that whoever waits for the database has their turn."""
_TRIES_EVERY = 20


class Chores:
    """Goes on with what there is to do; several workers share it."""

    def __init__(self, rounds: Rounds, sweep: QualitySweep) -> None:
        self.rounds = rounds
        self.sweep = sweep

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; what fails is tried again."""
        turn, is_busy = 0, False
        while not stop.wait(_BUSY_SECONDS if is_busy else _PAUSE_SECONDS):
            try:
                if not is_busy or turn % _TRIES_EVERY == 0:
                    self.rounds.go_on()
                if turn % _TRIES_EVERY == 0:
                    self.sweep.look_at_tries()
                is_busy = self.sweep.go_on()
            except Exception as error:  # the thread outlives whatever fails, such as an outage of the database
                is_busy = False
                # Only the class: a database error's text would hold the statement's parameters.
                _log.warning("worklists failed, will be tried again: %s", type(error).__name__)
            turn += 1

    def finish(self) -> None:
        """Do all there is to do at this moment."""
        while self.rounds.go_on():
            pass
        while self.sweep.go_on():
            pass
        self.sweep.look_at_tries()
