"""`belepo serve` and `belepo worker`, as processes that the system starts and stops."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner

from tests.ports import free_port
from webapp.cli import main

_ON_LINUX = pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="elsewhere no signal can be sent by way of one thread"
)


class Server:
    """A server on a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        settings = {"DEMO": "1", "DATA_DIR": str(folder), "PORT": str(self.port), "BCRYPT_ROUNDS": "4"}
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
        """Wait until it serves."""
        deadline = time.monotonic() + 60
        while not self._answers():
            assert self.process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=30) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that runs, and is stopped at the end by whatever helps."""
    running = Server(tmp_path)
    yield running
    running.process.kill()
    with suppress(psutil.NoSuchProcess):
        running.worker.kill()
    running.process.communicate()


def _signal_by_way_of_another_thread(process: int) -> None:
    """As the system does now and then: it hands a process's signal to the thread that is named here."""
    threads = {int(thread.name) for thread in Path(f"/proc/{process}/task").iterdir()}
    os.kill(max(threads - {process}), signal.SIGTERM)


@_ON_LINUX
def test_a_signal_stops_the_server_whichever_thread_gets_it(server: Server) -> None:
    """Were one lost, a stop would wait for somebody to kill the process."""
    _signal_by_way_of_another_thread(server.process.pid)
    assert server.process.wait(25) == 0


@_ON_LINUX
def test_a_signal_stops_a_worker_too_and_another_takes_its_place(server: Server) -> None:
    """Were one lost, a stop would wait half a minute, and the worker be killed with what it has counted."""
    _signal_by_way_of_another_thread(server.worker.pid)
    server.worker.wait(25)
    server.wait_for_answer()
    server.process.terminate()
    assert server.process.wait(25) == 0


def test_nobody_answers_for_a_server_that_was_killed(server: Server) -> None:
    server.process.kill()
    server.worker.wait(25)


def test_a_port_is_not_shared_with_another_server(server: Server) -> None:
    second = server.begin()
    _, told = second.communicate(timeout=60)
    assert second.returncode == 1
    assert told.splitlines() == [
        f"Error: The server cannot listen at 127.0.0.1, port {server.port}: Address already in use."
    ]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "The database is not up to date: run `belepo migrate`."),
        ({"DATA_DIR": "/dev/null/data"}, "Not a directory"),
        ({"DATABASE_URL": "postgresql://belepo:secret@127.0.0.1:1/belepo"}, "The database cannot be used: connection "),
        ({"MAIL_URL": "pigeon://home"}, "BELEPO_MAIL_URL: it must begin with smtp://"),
    ],
)
def test_what_keeps_the_worker_from_starting_is_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: dict[str, str], told: str
) -> None:
    for name, value in {"DEMO": "1", "DATA_DIR": str(tmp_path), **settings}.items():
        monkeypatch.setenv(f"BELEPO_{name}", value)
    result = CliRunner().invoke(main, ["worker"])
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit), result.exception
    assert told in result.output
    assert "secret" not in result.output
