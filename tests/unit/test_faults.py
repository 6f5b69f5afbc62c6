"""The short form of `make faults`: each fault, and some kills, while customers register at one server."""

import random
from pathlib import Path

from tests import faults
from tests.faults import FAULTS, Running
from tests.world.redis_server import redis_server


def test_whatever_breaks_is_seen_named_and_mended_and_nothing_is_lost(tmp_path: Path) -> None:
    random.seed(7)
    problems: list[str] = []
    with redis_server(tmp_path) as (port, process):
        server = Running(tmp_path / "server", LIMITS_URL=f"redis://127.0.0.1:{port}", WORKERS="1")
        server.environment["FAULTS_REDIS"] = str(process)
        try:
            server.fill()
            for number, fault in enumerate(FAULTS, 101):
                problems += faults.break_and_mend(server, fault, number, ask_doctor=False)
            problems += faults.kill_while_customers_register(server, 2, iter(range(110, 200)), at_once=3)
        finally:
            server.stop()
    assert problems == []
