"""`belepo serve`, as a process that the system starts and stops."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="only Linux lets a signal be sent to one thread")
def test_a_signal_stops_the_server_whichever_thread_gets_it(tmp_path: Path) -> None:
    """The system gives it to any; were one lost, a stop would wait for somebody to kill the process."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BELEPO_")}
    settings = {"DEMO": "1", "DATA_DIR": str(tmp_path), "PORT": str(port), "BCRYPT_ROUNDS": "4"}
    with subprocess.Popen(
        [sys.executable, "-m", "webapp.cli", "serve"],
        env=kept | {f"BELEPO_{name}": value for name, value in settings.items()},
        stdout=subprocess.DEVNULL,
    ) as server:
        deadline = time.monotonic() + 60
        while not _answers(port):
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        beside = max(int(thread.name) for thread in Path(f"/proc/{server.pid}/task").iterdir())
        assert beside != server.pid
        os.kill(beside, signal.SIGTERM)
        try:
            assert server.wait(30) == 0
        finally:
            server.kill()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=30) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
