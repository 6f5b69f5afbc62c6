"""`make bench`: complete registrations, sign-ins and requests, and what each costs the server.

Counts are taken in this process, CPU and time from a server of its own on loopback. The figures compare one
state of the code with another on the same machine; they are no test.
"""

import gzip
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import Any

import brotli
import psutil
import requests
from flask import Flask
from rich.console import Console
from rich.table import Table
from sqlalchemy import event, insert

from services.clock import SystemClock
from services.events.feed import Feed, number_all
from services.passwords import hash_secret
from services.profiles import load as load_profile
from services.store.engine import Store
from services.store.migrate import migrate
from services.store.tables.events import events
from tests.bench_letters import letters
from tests.bench_requests import large_files, pages, photos
from tests.ports import free_port
from tests.world.world import base_of
from webapp.application import create_app
from webapp.demo import seed
from webapp.http.assets import BUILT, Assets
from webapp.settings import load

_PORT = free_port()
_ADDRESS = f"http://127.0.0.1:{_PORT}"
_ROUNDS, _PASSWORD = 12, "Meggyfa-2026-Kert"
_WARM, _MEASURED, _AT_ONCE = 5, 40, 32
_EVENTS = 100_000

_HTMX = MappingProxyType({"HX-Request": "true"})

Send = Callable[[str, str, dict[str, str] | None], str]
Inbox = Callable[[str], list[dict[str, Any]]]


def main() -> None:
    """Measure and print."""
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        fragments = count(Path(folder) / "a", {"HX-Request": "true"})
        whole = count(Path(folder) / "b", {})
    for title, *columns in zip(("A registration", "A sign-in", "A card payment"), fragments, whole, strict=True):
        console.print(table(title, *columns, heads=("with HTMX", "without JavaScript")))
    console.print(table("Front end, brotli", front_end()))
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as process:
        console.print(table("On one worker", on_a_server(process)))
        console.print(table("Large files on this worker", large_files(process, _signed_in(101), _ADDRESS)))
    with tempfile.TemporaryDirectory() as folder:
        console.print(table("Letters", letters(Path(folder))))
    with tempfile.TemporaryDirectory() as folder:
        costs = pages(_app(Path(folder)))
        console.print(table("Pages of requests", *costs.values(), heads=tuple(costs)))
    with tempfile.TemporaryDirectory() as folder:
        console.print(table("Files of requests", photos(Path(folder))))
    with tempfile.TemporaryDirectory() as folder:
        console.print(table(f"The feed of {_EVENTS} events", feed(Path(folder))))


def register(send: Send, inbox: Inbox, number: int) -> None:
    """Walk one demo customer through the whole registration."""
    email = f"bench{number}@example.hu"
    page = send("GET", "/regisztracio", None)
    page = send(
        "POST",
        "/regisztracio",
        _form(page, "identify", policy_number=f"940100{number}", holder_type="person", birth_date="1990-01-01"),
    )
    send("POST", "/regisztracio", _form(page, "email", email=email, email_confirm=email))
    page = send("GET", re.sub("^https?://[^/]+", "", inbox(email)[-1]["links"][0]), None)
    finalise = "/regisztracioveglegesites"
    page = send("POST", finalise, _form(page, "mobile", mobile=f"+36201000{number}"))
    code = re.findall(r"#(\d+)$", inbox(f"+36201000{number}")[-1]["text"])[0]
    page = send("POST", finalise, _form(page, "sms-code", sms_code=code))
    send("GET", "/aszf", None)
    page = send("POST", finalise, _form(page, "terms", terms="1"))
    page = send("POST", finalise, _form(page, "password", password=_PASSWORD, password_confirm=_PASSWORD))
    if 'data-step="done"' not in page:
        raise RuntimeError(f"registration {number} did not reach its end")


def sign_in(send: Send, number: int) -> None:
    """Sign one customer in who has registered, as far as the account's page."""
    page = send("GET", "/belepes", None)
    page = send("POST", "/belepes", _form(page, "login", email=f"bench{number}@example.hu", password=_PASSWORD))
    if 'data-step="logout"' not in page:
        raise RuntimeError(f"sign-in {number} did not reach the account")


def pay(send: Send, work: Callable[[], object]) -> None:
    """Pay a signed-in customer's invoice at the demonstration's provider, as far as the page that says so."""
    address = re.findall(r'href="(/szamlak/[^"]+/fizetes)"', send("GET", "/szamlak", None))[0]
    token = _form(send("GET", address, None), "pay")
    page = send("POST", address, {**token, "way": "card"})
    send("POST", re.findall(r'action="(/dev/fizetes/[^"]+)"', page)[0], {"action": "pay"})
    work()
    if 'data-state="paid"' not in send("GET", "/szamlak", None):
        raise RuntimeError("the invoice is not paid")


def _form(page: str, step: str, **values: str) -> dict[str, str]:
    hidden = dict(re.findall(r'<input type="hidden" name="(csrf_token|token)" value="([^"]*)"', page))
    return {**hidden, "step": step, **values}


def count(folder: Path, headers: dict[str, str]) -> list[dict[str, float]]:
    """Register and sign in once in this process and count what the server does for each."""
    app = _app(folder)
    parts = app.extensions["belepo"]
    names = ("requests", "HTML, gzipped", "largest answer, gzipped", "SQL statements", "write commits")
    tally = dict.fromkeys(names, 0.0)
    customer, tester = app.test_client(), app.test_client()
    is_counting = [True]

    @event.listens_for(parts.store.engine, "before_cursor_execute")
    def statement(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
        tally["SQL statements"] += is_counting[0] and not text.startswith("BEGIN")

    @event.listens_for(parts.store.engine, "commit")
    def commit(connection: Any) -> None:
        tally["write commits"] += is_counting[0] and bool(connection.info.get("writes"))

    def send(method: str, url: str, data: dict[str, str] | None) -> str:
        answer = customer.open(url, method=method, data=data, headers=headers if data else {})
        size = len(gzip.compress(answer.data))
        tally["requests"] += 1
        tally["HTML, gzipped"] += size
        tally["largest answer, gzipped"] = max(tally["largest answer, gzipped"], size)
        further = answer.headers.get("Location" if answer.status_code == 303 else "HX-Redirect")
        return send("GET", further, None) if further else answer.text

    def inbox(to: str) -> list[dict[str, Any]]:
        is_counting[0] = False
        messages: list[dict[str, Any]] = tester.get("/dev/messages.json", query_string={"to": to}).json
        is_counting[0] = True
        return messages

    register(send, inbox, 101)
    registered, tally = tally, dict.fromkeys(names, 0.0)
    customer.delete_cookie("session")
    sign_in(send, 101)
    signed_in, tally = tally, dict.fromkeys(names, 0.0)
    pay(send, parts.portal.payments.worker.ask_due)
    parts.store.close()
    return [registered, signed_in, tally]


def _app(folder: Path) -> Flask:
    """Return the application in demo mode, with the register of the demonstration."""
    os.environ.update(_environment(folder, rounds=4))
    app = create_app(load())
    parts = app.extensions["belepo"]
    migrate(parts.store)
    seed.load(parts.store, parts.profile, parts.clock, 4)
    return app


def front_end() -> dict[str, float]:
    """Return the weight of the files that a first visit loads."""
    sizes = {
        name: float(len(brotli.compress((BUILT / Assets().url(name).rpartition("/")[2]).read_bytes())))
        for name in ("app.css", "app.js", "htmx.min.js", "icons.svg", "favicon.svg")
    }
    return {**sizes, "in all": sum(sizes.values())}


def feed(folder: Path) -> dict[str, float]:
    """Number many events, and read some of them at both ends and in the middle."""
    store = Store(f"sqlite:///{folder / 'feed.sqlite3'}")
    migrate(store)
    row = {"type": "document.opened", "at": SystemClock().now()}
    with store.write() as connection:
        connection.execute(insert(events), [{**row, "data": {"document": str(one)}} for one in range(_EVENTS)])
    begun = time.perf_counter()
    number_all(store)
    figures = {"numbering, s": time.perf_counter() - begun}
    reader = Feed(base_of(store, SystemClock()))
    for name, after in (("first", 0), ("middle", _EVENTS // 2), ("last", _EVENTS - 100)):
        spent = []
        for _ in range(10):
            begun = time.perf_counter()
            reader.read(after, 100)
            spent.append(time.perf_counter() - begun)
        figures[f"{name} hundred, ms"] = 1000 * min(spent)
    store.close()
    return figures


def on_a_server(process: psutil.Process) -> dict[str, float]:
    """Register many customers one after another, then many at once; return the worker's CPU, times and memory."""
    numbers = iter(range(101, 600))
    at_start = process.memory_info().rss / 1e6
    _register_over_http(islice(numbers, _WARM))
    # Before and after: on a machine that others use too, a processor's pace changes within a minute.
    hash_cpu = _cpu_of_hashes()
    delivered = _cpu(process.parent())
    cpu, pages_cpu = (_cpu_of_registrations(process, numbers, headers) for headers in (_HTMX, {}))
    delivered = (_cpu(process.parent()) - delivered) / _MEASURED / 2
    hash_cpu = (hash_cpu + _cpu_of_hashes()) / 2
    signed_in = _cpu_of_sign_ins(process)
    first, seconds = _at_once(numbers)
    return {
        "CPU of a registration, ms": cpu,
        "the hash alone, ms": hash_cpu,
        "CPU without the hash, ms": cpu - hash_cpu,
        "CPU / hash": cpu / hash_cpu,
        "without JavaScript: CPU without the hash, ms": pages_cpu - hash_cpu,
        "without JavaScript: CPU / hash": pages_cpu / hash_cpu,
        "CPU of the delivery of its messages, ms": delivered,
        "CPU of a sign-in, ms": signed_in,
        "CPU of a sign-in without the hash, ms": signed_in - hash_cpu,
        f"{_AT_ONCE} at once: registrations a second": _AT_ONCE / seconds,
        f"{_AT_ONCE} at once: slowest first page meanwhile, ms": max(first) * 1000,
        "memory at the start, MB": at_start,
        "memory, MB": process.memory_info().rss / 1e6,
    }


def _cpu_of_registrations(process: psutil.Process, numbers: Iterator[int], headers: Mapping[str, str]) -> float:
    before = _cpu(process)
    _register_over_http(islice(numbers, _MEASURED), headers)
    return (_cpu(process) - before) / _MEASURED


def _cpu_of_sign_ins(process: psutil.Process) -> float:
    before = _cpu(process)
    for number in range(101, 101 + _MEASURED):
        _signed_in(number)
    return (_cpu(process) - before) / _MEASURED


def _signed_in(number: int) -> requests.Session:
    """Return the browser of a customer who has registered and signs in now."""
    session = requests.Session()

    def send(method: str, url: str, data: dict[str, str] | None) -> str:
        return session.request(method, _ADDRESS + url, data=data, timeout=120).text

    sign_in(send, number)
    return session


def _cpu_of_hashes() -> float:
    begun = time.process_time()
    for _ in range(10):
        hash_secret(_PASSWORD, _ROUNDS)
    return (time.process_time() - begun) / 10 * 1000


def _cpu(process: psutil.Process | None) -> float:
    return sum(process.cpu_times()[:2]) * 1000 if process else 0.0


def _at_once(numbers: Iterator[int]) -> tuple[list[float], float]:
    begun = time.monotonic()
    first: list[float] = []
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        runs = [pool.submit(_register_over_http, [number]) for number in islice(numbers, _AT_ONCE)]
        while not all(run.done() for run in runs):
            asked = time.monotonic()
            requests.get(f"{_ADDRESS}/regisztracio", timeout=60)
            first.append(time.monotonic() - asked)
    for run in runs:
        run.result()
    return first, time.monotonic() - begun


def _register_over_http(numbers: Iterable[int], headers: Mapping[str, str] = _HTMX) -> None:
    for number in numbers:
        session = requests.Session()

        def send(method: str, url: str, data: dict[str, str] | None, session: requests.Session = session) -> str:
            return session.request(method, _ADDRESS + url, data=data, headers=headers if data else {}, timeout=120).text

        def inbox(to: str) -> list[dict[str, Any]]:
            # From the folder, not through a door of the server: only its own work is to be measured.
            file = _MESSAGES / to
            while not (file.exists() and (text := file.read_text("utf-8").strip())):
                time.sleep(0.005)
            return [{"text": text, "links": re.findall(r"https?://\S+token=\S+", text)}]

        register(send, inbox, number)


_MESSAGES = Path(tempfile.gettempdir()) / f"belepo-bench-{os.getpid()}"


@contextmanager
def server(folder: Path) -> Iterator[psutil.Process]:
    """Run a server in production mode; yield its only worker."""
    environment = {**os.environ, **_environment(folder, rounds=_ROUNDS), "BELEPO_DEMO": "0"}
    for name in ("MAIL", "SMS"):
        environment[f"BELEPO_{name}_URL"] = f"folder:{_MESSAGES}"
    files = seed.files(load_profile("mygenerali"))
    customers = [f"--{name.replace('_', '-')}={file}" for name, file in files.items()]
    belepo = [sys.executable, "-m", "webapp.cli"]
    subprocess.run(
        [*belepo, "import", *customers, f"--rejects={folder / 'rejects.csv'}"],
        env=environment,
        check=True,
        capture_output=True,
    )
    process = subprocess.Popen(
        [*belepo, "serve"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_for(process)
        children = psutil.Process(process.pid).children(recursive=True)
        yield max(children, key=lambda child: child.memory_info().rss)
    finally:
        process.terminate()
        process.wait(30)


def wait_for(process: "subprocess.Popen[bytes]", seconds: float = 60) -> None:
    """Wait until the server answers. Fails where it ends before, or takes longer than that."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            requests.get(f"{_ADDRESS}/readyz", timeout=5)
        except requests.RequestException:
            assert process.poll() is None, "the server did not start"
            assert time.monotonic() < deadline, f"the server does not answer after {seconds:.0f} seconds"
            time.sleep(0.05)
        else:
            return


def _environment(folder: Path, rounds: int) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "BELEPO_DEMO": "1",
        "BELEPO_DATA_DIR": str(folder),
        "BELEPO_DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3",
        "BELEPO_PORT": str(_PORT),
        "BELEPO_PUBLIC_URL": _ADDRESS,
        "BELEPO_BCRYPT_ROUNDS": str(rounds),
        "BELEPO_SECRET_KEYS": "b3nCh-Mark_0nly-4nd-n0-S3cret-at-a11",
    }


def table(title: str, *columns: dict[str, float], heads: tuple[str, ...] = ("",)) -> Table:
    """Return a table of figures."""
    shown = Table("", *heads, title=title, title_justify="left")
    for name in columns[0]:
        shown.add_row(name, *(f"{column[name]:,.2f}".rstrip("0").rstrip(".") for column in columns))
    return shown


if __name__ == "__main__":
    main()
