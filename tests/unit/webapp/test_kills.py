"""A real server is killed while people fill in, upload and send; `python -m tests.kills 200` is the long run."""

from pathlib import Path

from tests.kills import survive


def test_killed_at_random_nothing_is_lost_and_nothing_is_there_twice(tmp_path: Path) -> None:
    counted = survive(tmp_path, kills=5, people=2, seed=4)
    assert counted["requests"] > 0
    assert counted["interruptions"] > 0
    assert counted["kills of the server"] > 0
    assert counted["kills of the worker"] > 0
