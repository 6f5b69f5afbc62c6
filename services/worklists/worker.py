"""The worklists' work in the background: mails of batches, reminders that are due, and data to be put right."""

import logging
import threading

from services.pauses import Pause
from services.worklists.dispatch import InvitationDispatch
from services.worklists.scan import QualityScan

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 0.5
_BUSY_SECONDS = 0.02
"""Seconds between two pieces of the register, so that other transactions get the database."""
_TRIES_EVERY = 20


class WorklistWorker:
    """Goes on with what there is to do; several workers share it."""

    def __init__(self, dispatch: InvitationDispatch, scan: QualityScan) -> None:
        self.dispatch = dispatch
        self.scan = scan

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; what fails is tried again."""
        turn, is_busy, pause = 0, False, Pause(_PAUSE_SECONDS)
        while not stop.wait(_BUSY_SECONDS if is_busy else pause.seconds):
            try:
                if not is_busy or turn % _TRIES_EVERY == 0:
                    self.dispatch.go_on()
                if turn % _TRIES_EVERY == 0:
                    self.scan.find_failed_attempts()
                is_busy = self.scan.go_on()
                pause.reset()
            except Exception as error:  # the thread outlives whatever fails, such as an outage of the database
                is_busy = False
                pause.grow()
                # Only the class: a database error's text would hold the statement's parameters.
                _log.warning("worklists failed, will be tried again: %s", type(error).__name__)
            turn += 1

    def finish(self) -> None:
        """Do all there is to do at this moment."""
        while self.dispatch.go_on():
            pass
        while self.scan.go_on():
            pass
        self.scan.find_failed_attempts()
