"""Ways out for messages: a folder, and SMS services through apprise."""

import hashlib
import importlib
import logging
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from email.utils import format_datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Protocol
from urllib.parse import quote

from services.clock import Clock
from services.messages.composer import Composed

_DECLARED = re.compile(r'^    (?:secure_)?protocol = (\(.*?\)|".*?")', re.MULTILINE | re.DOTALL)


class DeliveryFailure(Exception):
    """A message did not leave, as far as is known. The text is logged: no code, link or recipient in it."""


class TemporaryFailure(DeliveryFailure):
    """Another try may succeed. `may_have_arrived`: the gateway had it all and broke off without a word."""

    def __init__(self, text: str, *, may_have_arrived: bool = False) -> None:
        super().__init__(text)
        self.may_have_arrived = may_have_arrived


class PermanentFailure(DeliveryFailure):
    """The gateway refused this message for good."""


class Withdrawn(Exception):
    """The message must not leave any more: it was replaced, its code has died, or its time is up."""


def _unwatched() -> None:
    """Let a message leave that nobody keeps account of."""


class Sender(Protocol):
    """One way out. May be called from several threads at once."""

    def send(
        self, recipient: str, composed: Composed, message_id: str, leaving: Callable[[], None] = _unwatched
    ) -> None:
        """Hand the message over; the same `message_id` again is a repetition of the same message.

        `leaving` is called right before the point from which the message may arrive; what it raises,
        such as Withdrawn, is passed on. Raises TemporaryFailure or PermanentFailure.
        """
        ...


class FolderSender:
    """Appends each message, readably, to a file named after its recipient."""

    def __init__(self, path: Path | str, clock: Clock) -> None:
        self._folder = Path(path)
        self._clock = clock
        self._folder.mkdir(parents=True, exist_ok=True)

    def send(
        self, recipient: str, composed: Composed, message_id: str, leaving: Callable[[], None] = _unwatched
    ) -> None:
        """Append by one write, so that a reader sees whole messages only."""
        heads = (
            f"To: {_one_line(recipient)}",
            f"Subject: {_one_line(composed.subject)}",
            f"Date: {format_datetime(self._clock.now())}",
            f"Message-ID: <{message_id}>",
            *(f"{name}: {value}" for name, value in composed.headers.items()),
        )
        entry = "\n".join((*heads, "", composed.text.strip("\n"), "", "")).encode()
        try:
            path = self._folder / _file_name(recipient)
            file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                leaving()
                written = os.write(file, entry)
            finally:
                os.close(file)
        except OSError as error:
            raise TemporaryFailure(f"the folder cannot be written: errno {error.errno}") from None
        if written != len(entry):
            raise TemporaryFailure("the folder's disk is full", may_have_arrived=True)


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
        self, recipient: str, composed: Composed, message_id: str, leaving: Callable[[], None] = _unwatched
    ) -> None:
        """Send the text. apprise only answers yes or no: what happened is read from what it logs."""
        plugin = self._plugin(recipient)
        if plugin is None:
            raise PermanentFailure("the SMS service does not take this number")
        leaving()
        with self._log.listening() as lines:
            sent = bool(plugin.notify(body=composed.text))
            said = "\n".join(lines)
        if sent:
            return
        status = re.search(r"error=(\d{3})", said)
        if status and status[1] in ("400", "422"):
            raise PermanentFailure(f"the SMS gateway refused the message: {status[1]}")
        if status:
            # A gateway, or a proxy before it, that fails with 500, 502 or 504 may have passed the message on (RFC 9110,
            # 15.6). 503 and 4xx say that it was not taken.
            may_have_arrived = status[1].startswith("5") and status[1] != "503"
            raise TemporaryFailure(f"the SMS gateway answered {status[1]}", may_have_arrived=may_have_arrived)
        if "Max retries exceeded" in said:  # how requests puts that no connection came about
            raise TemporaryFailure("the SMS gateway cannot be reached")
        raise TemporaryFailure("the SMS gateway broke off", may_have_arrived=True)

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


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _file_name(recipient: str) -> str:
    """Return the recipient as a file's name; ordinary addresses and numbers stay as they are."""
    name = "".join(quote(c, safe="") if c in "/%\\" or not c.isprintable() else c for c in recipient)
    if name.startswith("."):
        name = f"%2E{name[1:]}"
    if len(name.encode()) <= 200:
        return name
    return f"{name[:40]}~{hashlib.sha256(recipient.encode()).hexdigest()[:32]}"
