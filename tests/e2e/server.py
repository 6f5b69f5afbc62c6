"""The server under test: started here on a free port, or running already; and its doors for testers."""

import json
import os
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
from tests.world.demonstration import Demonstration

_PATIENCE = 60
_MORNING = 8 * 3600
"""In seconds of a day in UTC: nine or ten o’clock in Budapest."""


class Server(Demonstration):
    """A server in demo mode, at `url`."""

    is_own = False

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def newest_mail(self) -> dict[str, Any]:
        """Return the newest mail to anybody."""
        return self.mails()[-1]

    def states(self) -> list[dict[str, Any]]:
        """Return the catalogue of states: their names, and where they are."""
        listed: list[dict[str, Any]] = json.loads(self.ask("/dev/states.json"))
        return listed

    def reset(self) -> None:
        """Go back to the demo data, the real time and no messages."""
        self.ask("/dev/reset", confirm="yes")

    def ask(self, address: str, **form: str) -> bytes:
        body = urllib.parse.urlencode(form).encode() if form else None
        with urllib.request.urlopen(self.url + address, data=body, timeout=_PATIENCE) as answer:
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
            self.ask("/healthz")
        except (urllib.error.URLError, ConnectionError):
            return False
        return True


def _until_morning() -> float:
    return (_MORNING - time.time()) % 86_400
