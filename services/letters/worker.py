"""What is done in the background about letters that nobody opens (P20)."""

import logging
import threading
from pathlib import Path

from services.letters.print_list import PrintList
from services.letters.reminding import Reminding
from services.pauses import Pause

_log = logging.getLogger(__name__)

_PAUSE_SECONDS = 1.0


class LetterWorker:
    """Reminds, and writes the print list where a folder for it is set; several workers share it."""

    def __init__(self, reminding: Reminding, print_list: PrintList) -> None:
        self._reminding = reminding
        self._print_list = print_list

    def run(self, stop: threading.Event, print_folder: Path | None = None) -> None:
        """Work until `stop` is set; what fails is tried again. Without a folder nothing is printed here."""
        pause = Pause(_PAUSE_SECONDS)
        while not stop.wait(pause.seconds):
            try:
                self.go_on(print_folder)
                pause.reset()
            except Exception as error:  # the thread outlives whatever fails, such as an outage of the database
                pause.grow()
                # Only the class: a database error's text would hold the statement's parameters.
                _log.warning("letters failed, will be tried again: %s", type(error).__name__)

    def go_on(self, print_folder: Path | None = None) -> None:
        """Do what is due now."""
        self._reminding.remind_due()
        if print_folder is not None and self._print_list.is_due():
            self._print_list.write(print_folder)
