"""The one form of the log, in every process: the server's, the pages', the worker's and the commands'.

A line has the time (UTC), the level, the process, the request's id and the logger. `BELEPO_LOG_FORMAT=json` writes the
same as an object a line.
"""

import logging
import sys
import time
from importlib import import_module
from typing import Any, ClassVar

from services import request_ids
from webapp.settings import Settings

SERVER: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {},
    "handlers": {},
    "loggers": {name: {"handlers": [], "propagate": True} for name in ("_granian", "granian.access")},
}
"""granian's own log, for `logging.config.dictConfig`: it hands its lines on to ours."""

_QUIET = ("alembic", "authlib", "urllib3")
"""Libraries whose lines below a warning speak of their own steps."""


def set_up(settings: Settings) -> None:
    """Log to standard error in the form and from the level of the settings; the last call of a process counts."""
    root = logging.getLogger()
    root.setLevel(settings.log_level.upper())
    for handler in [one for one in root.handlers if isinstance(one, _ToStandardError)]:
        root.removeHandler(handler)
    handler = _ToStandardError()
    handler.setFormatter(_json() if settings.log_format == "json" else _Lines(_Lines.FORM))
    handler.addFilter(_with_request)
    root.addHandler(handler)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


class _ToStandardError(logging.StreamHandler):  # type: ignore[type-arg]  # it is not generic when it runs
    """Writes to what standard error is at that moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)  # the stream is asked for at each line

    @property
    def stream(self) -> Any:
        return sys.stderr


class _Lines(logging.Formatter):
    """A line of text for each event; a line break within a message cannot begin another."""

    FORM: ClassVar = "%(asctime)s %(levelname)s %(process)d %(request)s %(name)s %(message)s"

    converter = time.gmtime  # type: ignore[assignment]  # declared for the local time's own type
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def formatMessage(self, record: logging.LogRecord) -> str:
        return super().formatMessage(record).replace("\r", "\\r").replace("\n", "\\n")


def _json() -> logging.Formatter:
    # Where text is written, the library stays out of memory.
    formatter: logging.Formatter = import_module("pythonjsonlogger.json").JsonFormatter(
        "%(levelname)s %(process)d %(request)s %(name)s %(message)s",
        rename_fields={"levelname": "level", "name": "logger"},
        timestamp="time",
        json_ensure_ascii=False,
    )
    return formatter


def _with_request(record: logging.LogRecord) -> bool:
    record.request = request_ids.current() or "-"
    return True
