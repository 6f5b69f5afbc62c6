"""`belepo serve`, as a process of its own."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import psutil

from tests.ports import free_port


class ServerEnded(AssertionError):
    """The process has ended by itself; the message is the end of what it said."""


class Server:
    """A server on a port of its own."""

    def __init__(self, folder: Path, at: str = "127.0.0.1", **more: str) -> None:
        self.at = at
        self.port = free_port()
        settings = {"DEMO": "1", "DATA_DIR": str(folder), "PORT": str(self.port), "BCRYPT_ROUNDS": "4"} | more
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BELEPO_")}
        self.environment = kept | {f"BELEPO_{name}": value for name, value in settings.items()}
        self.process = self.begin()
        self.wait_for_answer()
        self.worker = max(psutil.Process(self.process.pid).children(), key=lambda child: child.memory_info().rss)

    def begin(self) -> "subprocess.Popen[str]":
        """Start a server with these settings."""
        return subprocess.Popen(
            [sys.executable, "-m", "webapp.cli", "serve"],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for_answer(self) -> None:
        """Wait until it serves. Raises ServerEnded."""
        deadline = time.monotonic() + 60
        while not self._answers():
            if self.process.poll() is not None:
                raise ServerEnded(self.process.communicate()[1][-2000:])
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def connect(self, sent: bytes) -> socket.socket:
        """Open a connection and send these bytes."""
        connection = socket.create_connection((self.at, self.port), timeout=30)
        connection.sendall(sent)
        return connection

    def ask(self, *headers: str, address: str = "/healthz", version: str = "1.1") -> int:
        """Ask with these headers alone; return the status."""
        lines = [f"GET {address} HTTP/{version}", *headers, "Connection: close", "", ""]
        with self.connect("\r\n".join(lines).encode()) as connection:
            return int(connection.makefile("rb").readline().split()[1])

    def workers(self) -> list[psutil.Process]:
        """Return the processes that answer requests: the biggest ones."""
        children = psutil.Process(self.process.pid).children()
        return [child for child in children if "spawn_main" in " ".join(child.cmdline())]

    def end(self) -> None:
        """Stop it by whatever helps."""
        self.process.kill()
        with suppress(psutil.NoSuchProcess):
            self.worker.kill()
        self.process.communicate()

    def _answers(self) -> bool:
        host = f"[{self.at}]" if ":" in self.at else self.at
        try:
            with urllib.request.urlopen(f"http://{host}:{self.port}/healthz", timeout=30) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
