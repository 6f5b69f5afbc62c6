"""The server under test: started here on a free port, or running already; and its doors for testers."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from tests import ROOT
from tests.ports import free_port

_PATIENCE = 60
_MORNING = 8 * 3600
"""In seconds of a day in UTC: nine or ten o’clock in Budapest."""


class Server:
    """A server in demo mode, at `url`."""

    is_own = False

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def messages(self, to: str, kind: str) -> list[dict[str, Any]]:
        """Return what was sent to an address or number, oldest first."""
        query = urllib.parse.urlencode({"to": to, "kind": kind})
        found: list[dict[str, Any]] = json.loads(self._ask(f"/dev/messages.json?{query}"))
        return found

    def newest_mail(self) -> dict[str, Any]:
        """Return the newest mail to anybody."""
        mail: dict[str, Any] = json.loads(self._ask("/dev/messages.json?kind=email"))[-1]
        return mail

    def mails(self, to: str) -> list[dict[str, Any]]:
        """Return the mails to an address, oldest first."""
        return self.messages(to, "email")

    def link(self, to: str) -> str:
        """Return the link of the newest mail to an address."""
        link: str = self.mails(to)[-1]["links"][0]
        return link

    def subjects(self, to: str) -> list[str]:
        """Return the subjects of the mails to an address, oldest first."""
        return [mail["subject"] for mail in self.mails(to)]

    def codes(self, mobile: str) -> list[str]:
        """Return the codes sent to a number (E.164), oldest first."""
        return [re.findall(r": (\d+)\.", message["text"])[0] for message in self.messages(mobile, "sms")]

    def states(self) -> list[dict[str, Any]]:
        """Return the catalogue of states: their names, and where they are."""
        listed: list[dict[str, Any]] = json.loads(self._ask("/dev/states.json"))
        return listed

    def advance(self, *, minutes: float = 0, seconds: float = 0) -> None:
        """Move the application's clock forward."""
        self._ask("/dev/clock", advance=str(minutes * 60 + seconds))

    def publish_terms(self, version: str) -> None:
        """Put a new version of the terms into force."""
        self._ask("/dev/terms", version=version)

    def reset(self) -> None:
        """Go back to the demo data, the real time and no messages."""
        self._ask("/dev/reset", confirm="yes")

    def _ask(self, path: str, **form: str) -> bytes:
        body = urllib.parse.urlencode(form).encode() if form else None
        with urllib.request.urlopen(self.url + path, data=body, timeout=_PATIENCE) as answer:
            content: bytes = answer.read()
            return content


class OwnServer(Server):
    """A server of the test run's own, in `folder`, which nobody else uses."""

    is_own = True

    def __init__(self, folder: Path, *, rounds: int = 4, host: str = "127.0.0.1", profile: str = "mygenerali") -> None:
        self._folder = folder
        self._profile = profile
        self._rounds = rounds
        self._port = free_port()
        super().__init__(f"http://{host}:{self._port}")
        self._process: subprocess.Popen[bytes] | None = None

    def reset(self) -> None:
        """Go back to the demo data, to no messages, and to a morning: at night a deadline is one of another day."""
        super().reset()
        self.advance(seconds=_until_morning())

    def start(self) -> None:
        """Start, and wait until it answers."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BELEPO_")}
        settings = {
            "BELEPO_DEMO": "1",
            "BELEPO_PROFILE": self._profile,
            "BELEPO_DATA_DIR": str(self._folder),
            "BELEPO_PORT": str(self._port),
            "BELEPO_PUBLIC_URL": self.url,
            "BELEPO_BCRYPT_ROUNDS": str(self._rounds),
            "BELEPO_SQLITE_SYNCHRONOUS": "OFF",
            "BELEPO_SETTINGS_FILE": str(self._folder / "settings.env"),
        }
        (self._folder / "settings.env").touch()
        with (self._folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.e2e.serve"], cwd=ROOT, env=kept | settings, stdout=log, stderr=log
            )
        deadline = time.monotonic() + _PATIENCE
        while not self._is_up():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The server did not start:\n{self.log()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop as an operator would."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(_PATIENCE)
            self._process = None

    def log(self) -> str:
        """Return what the server wrote."""
        return (self._folder / "server.log").read_text("utf-8")

    def _is_up(self) -> bool:
        try:
            self._ask("/healthz")
        except (urllib.error.URLError, ConnectionError):
            return False
        return True


def _until_morning() -> float:
    return (_MORNING - time.time()) % 86_400
