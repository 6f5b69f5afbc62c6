"""SMS services through apprise."""

import importlib
import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from services.messages.composer import Composed
from services.messages.senders import PermanentFailure, TemporaryFailure, unwatched

_DECLARED = re.compile(r'^    (?:secure_)?protocol = (\(.*?\)|".*?")', re.MULTILINE | re.DOTALL)


class AppriseSender:
    """Sends SMS through one of the services that apprise knows, named by its URL.

    In the URL ``{to}`` stands for the recipient: ``twilio://SID:TOKEN@+3615550100/{to}``. The general
    webhooks (``json://``, ``xml://``, ``form://`` and their secure kinds) get the recipient as a field `to`
    where the URL does not place it.
    """

    def __init__(self, url: str) -> None:
        """Load the one service that is needed: all of apprise's take 2 seconds and 13 MB more.

        Raises ValueError, without the URL's secrets, when the URL cannot be used.
        """
        schema, separator, _ = url.partition("://")
        if not separator:  # what stands there may be a password
            raise ValueError("the SMS URL has the form service://…, with {to} where the recipient goes")
        schema = schema.lower()
        if "{to}" not in url and schema.rstrip("s") in ("json", "xml", "form"):
            url += f"{'&' if '?' in url else '?'}:to={{to}}"
        if "{to}" not in url:
            raise ValueError(f"the SMS URL ({schema}://…) does not say by {{to}} where the recipient goes")
        self._url = url
        self._log = _AppriseLog.install()
        self._service = _apprise_service(schema)
        if "36201234567" not in getattr(self._plugin("+36201234567"), "url", str)():
            raise ValueError(f"the SMS URL does not fit {schema}://, or {{to}} is at the wrong place in it")

    def send(
        self, recipient: str, composed: Composed, message_id: str, leaving: Callable[[], None] = unwatched
    ) -> None:
        """Send the text. apprise only answers yes or no: what happened is read from what it logs."""
        plugin = self._plugin(recipient)
        if plugin is None:
            raise PermanentFailure("the SMS service does not take this number")
        leaving()
        with self._log.listening() as lines:
            sent = bool(plugin.notify(body=composed.text))
            said = "\n".join(lines)
        if not sent:
            raise _failure(said)

    def _plugin(self, recipient: str) -> Any:
        from apprise import AppriseAsset  # noqa: PLC0415 (17 MB that only those who send SMS need)

        parsed = self._service.parse_url(self._url.replace("{to}", quote(recipient, safe="")))
        if not parsed:
            return None
        try:
            return self._service(**parsed, asset=AppriseAsset())
        except TypeError:
            return None


class _AppriseLog(logging.Handler):
    """Keeps to itself what apprise logs, since it writes down texts and numbers."""

    _installed: ClassVar["_AppriseLog | None"] = None

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self._said = threading.local()

    @classmethod
    def install(cls) -> "_AppriseLog":
        """Return the one handler, put where apprise logs."""
        if cls._installed is None:
            cls._installed = cls()
            apprise = logging.getLogger("apprise")
            apprise.handlers = [cls._installed]
            apprise.propagate = False
            apprise.setLevel(logging.DEBUG)
            # It logs the addresses that are called, and some gateways want the text in the address.
            logging.getLogger("urllib3").setLevel(logging.ERROR)
        return cls._installed

    @contextmanager
    def listening(self) -> Iterator[list[str]]:
        """Yield the lines that this thread has apprise log."""
        lines: list[str] = []
        self._said.lines = lines
        try:
            yield lines
        finally:
            del self._said.lines

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line, if this thread listens."""
        lines = getattr(self._said, "lines", None)
        if lines is not None:
            lines.append(record.getMessage())


def _apprise_service(schema: str) -> Any:
    """Return apprise's class for `schema`, found in its sources without loading the other 180 modules."""
    package = find_spec("apprise")
    for folder in (package.submodule_search_locations or []) if package else []:
        for file in sorted(Path(folder, "plugins").glob("*.py")):
            if any(f'"{schema}"' in names for names in _DECLARED.findall(file.read_text("utf-8"))):
                return _service_class(importlib.import_module(f"apprise.plugins.{file.stem}"), schema)
    raise ValueError(f"apprise knows no SMS service {schema}://")


def _service_class(module: Any, schema: str) -> Any:
    for item in vars(module).values():
        protocols: Mapping[str, Any] = getattr(item, "__dict__", {})
        names = (protocols.get("protocol"), protocols.get("secure_protocol"))
        if any(schema == name or (isinstance(name, tuple) and schema in name) for name in names):
            return item
    raise ValueError(f"apprise knows no SMS service {schema}://")


def _failure(said: str) -> PermanentFailure | TemporaryFailure:
    """Return what went wrong, by the lines that apprise logged."""
    status = re.search(r"error=(\d{3})", said)
    if status and status[1] in ("400", "422"):
        return PermanentFailure(f"the SMS gateway refused the message: {status[1]}")
    if status:
        # A gateway, or a proxy before it, that fails with 500, 502 or 504 may have passed the message on (RFC 9110,
        # 15.6). 503 and 4xx say that it was not taken.
        may_have_arrived = status[1].startswith("5") and status[1] != "503"
        return TemporaryFailure(f"the SMS gateway answered {status[1]}", may_have_arrived=may_have_arrived)
    if "Max retries exceeded" in said:  # how requests puts that no connection came about
        return TemporaryFailure("the SMS gateway cannot be reached")
    return TemporaryFailure("the SMS gateway broke off", may_have_arrived=True)
