"""What each process measures for `/metrics`. Several processes of one host share it by files of the library's.

What the database knows is asked at each call instead: `webapp.operations.health`.
"""

import os
from contextlib import suppress
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable by which the library finds the folder of the files; the server's processes get it."""
REGISTRY = CollectorRegistry()
disable_created_metrics()  # type: ignore[no-untyped-call]
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Seconds; a password's hash takes a third of one."""

_ANSWERS = Counter(
    "belepo_answers_total", "Answers, by method, route and status.", ("method", "route", "status"), registry=REGISTRY
)
_SECONDS = Histogram(
    "belepo_request_seconds",
    "Seconds from the last byte of a request to its answer, by method and route.",
    ("method", "route"),
    buckets=_BUCKETS,
    registry=REGISTRY,
)
HASHES_WAITING = Gauge(
    "belepo_hashes_waiting",
    "Requests that wait for a password to be hashed, or for one that is being hashed.",
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
LIMITS_ALONE = Gauge(
    "belepo_limits_alone",
    "Processes that count requests for themselves, because the store of the limits does not answer.",
    multiprocess_mode="livesum",
    registry=REGISTRY,
)


def note_answer(method: str, route: str, status: int, seconds: float) -> None:
    """Count an answer. `route` is the pattern of its address, so the number of series is limited."""
    _ANSWERS.labels(method, route, str(status)).inc()
    _SECONDS.labels(method, route).observe(seconds)


def measured() -> CollectorRegistry:
    """Return what the processes of this host have measured; without a folder to share, what this process has."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return REGISTRY
    _forget_ended(Path(folder))
    registry = CollectorRegistry()
    MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]
    return registry


def _forget_ended(folder: Path) -> None:
    """Forget the present state of processes that are gone; what they have counted stays."""
    for file in folder.glob("gauge_live*_*.db"):
        process = int(file.stem.rpartition("_")[2])
        try:
            os.kill(process, 0)
        except ProcessLookupError:
            with suppress(FileNotFoundError):  # another process has looked at the same time
                mark_process_dead(process, str(folder))  # type: ignore[no-untyped-call]
        except PermissionError:
            continue
