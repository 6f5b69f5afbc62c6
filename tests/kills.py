"""`python -m tests.kills 200`: a server is killed at random while people fill in, upload and send requests.

Each person goes on as people do: after an error they open the page again and look what is there. In the end every
receipt that somebody has seen is kept, and nothing is lost or doubled (portal, section 9). The server is a
demonstration on a port and in a folder of its own; only its own processes are killed.
"""

import argparse
import hashlib
import random
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import psutil
import requests
from rich.console import Console

from services.store.engine import Store
from services.store.tables.events import events
from services.store.tables.messages import outbox
from services.store.tables.requests import request_drafts, request_events
from services.store.tables.requests import requests as sent_requests
from services.store.tables.uploads import upload_events, upload_objects, uploads
from tests.world.cast import PASSWORD, Customer, one_of_many
from tests.world.claims import ADDRESS, TO_THE_FILES
from tests.world.files import photo
from tests.world.served import Server, ServerEnded
from tests.world.site import Secrets, Site
from webapp.application import create_app
from webapp.demo.states.reading import Element, form_of, read, step_of, values_of
from webapp.settings import load

_PHOTOS = 2
_WAIT = 0.1
_LONGEST_REST = 60
_ANSWERS = {
    "happened_at": "00:00",
    "place": "M1, 45 km",
    "police": "no",
    "account": "HU42117730161111101800000000",
    "statement": "1",
}


class Interrupted(Exception):
    """The server gave no answer, or one that asks to try again."""


@dataclass
class Claim:
    """One claim as its customer means it."""

    text: str
    photos: dict[str, bytes]
    is_sent: bool = False
    """Whether the customer has pressed the last button."""


@dataclass
class Receipts:
    """What a customer has seen."""

    files: dict[str, str] = field(default_factory=dict)
    """The hash of each file by its id."""
    requests: dict[str, str] = field(default_factory=dict)
    """The text of each claim by the id of the request that has come in."""


class Person(threading.Thread):
    """A customer who reports one damage after another until told to stop."""

    def __init__(self, customer: Customer, address: str, stop: threading.Event) -> None:
        super().__init__(name=customer.policy_number, daemon=True)
        self.customer = customer
        self.receipts = Receipts()
        self.interruptions = 0
        self._address = address
        self._stop_soon = stop
        self._browser = requests.Session()
        self._number = 0
        self._claim = self._next_claim()

    def run(self) -> None:
        while not (self._stop_soon.is_set() and not self._has_begun):
            try:
                self._move()
            except (requests.RequestException, Interrupted):
                self.interruptions += 1
                time.sleep(_WAIT)

    # --- One move ------------------------------------------------------------------------------------------------

    def _move(self) -> None:
        """Look at the page that is due, and do what it asks for."""
        if self._claim.is_sent and self._has_come_in():
            return
        page = self._open(ADDRESS)
        self._has_begun = True
        match step_of(page):
            case "login":
                form = {"email": self.customer.email, "password": PASSWORD}
                self._post(form_of(page, "login"), form)
            case "request-review":
                self._claim.is_sent = True
                self._note_sent(self._post(form_of(page, "request-review"), {"action": "send"}))
            case _:
                self._answer(page)

    def _answer(self, page: Element) -> None:
        uploads_ = [one for one in page.all("form") if one["data-step"] == "upload"]
        if uploads_:
            there = self._note_files(page)
            absent = [content for sha256, content in self._claim.photos.items() if sha256 not in there]
            if absent:
                self._note_files(self._upload(uploads_[0], absent[0]))
                return
        form = form_of(page, "", "next")
        fields = {one["name"] for one in form.all("input", "textarea")}
        today = time.strftime("%Y-%m-%d").split("-")
        answers = {
            **_ANSWERS,
            "description": self._claim.text,
            "contract": next((one["value"] for one in form.all("input") if one["name"] == "contract"), ""),
            **dict(zip(("happened_on-year", "happened_on-month", "happened_on-day"), today, strict=True)),
        }
        self._post(form, {"action": "next", **{name: answers[name] for name in fields if name in answers}})

    def _has_come_in(self) -> bool:
        """Look whether a claim, whose last button got no answer, is among the requests."""
        found = [
            one["data-request"]
            for one in self._open("/ugyintezes").all("li")
            if "data-request" in one and one["data-state"] != "draft"
        ]
        fresh = [one for one in found if one not in self.receipts.requests]
        for request_id in fresh:
            self._finish(request_id)
        self._claim.is_sent = False
        return bool(fresh)

    def _note_sent(self, page: Element) -> None:
        (main,) = page.all("main")
        if main["data-reference"]:
            self._finish(main["data-request"])

    def _finish(self, request_id: str) -> None:
        self.receipts.requests[request_id] = self._claim.text
        self._claim = self._next_claim()

    def _next_claim(self) -> Claim:
        self._number += 1
        self._has_begun = False
        text = f"Kár {self.customer.policy_number}/{self._number}"
        contents = [photo() + f"{text}/{number}".encode() for number in range(_PHOTOS)]
        return Claim(text, {hashlib.sha256(content).hexdigest(): content for content in contents})

    def _note_files(self, page: Element) -> set[str]:
        """Note the receipts of files that the page shows; return their hashes."""
        shown = {
            one["data-upload"]: next(inner["data-sha256"] for inner in one.all() if "data-sha256" in inner)
            for one in page.all("li")
            if "data-upload" in one
        }
        self.receipts.files |= shown
        return set(shown.values())

    # --- By HTTP -------------------------------------------------------------------------------------------------

    def _open(self, address: str) -> Element:
        return self._seen(self._browser.get(self._address + address, timeout=60))

    def _post(self, form: Element, values: dict[str, str]) -> Element:
        address = self._address + (form["action"] or ADDRESS)
        return self._seen(self._browser.post(address, {**values_of(form), **values}, timeout=60))

    def _upload(self, form: Element, content: bytes) -> Element:
        assert form["action"] == TO_THE_FILES
        files = {"file": ("a.jpg", content, "image/jpeg")}
        return self._seen(self._browser.post(self._address + form["action"], values_of(form), files=files, timeout=60))

    def _seen(self, answer: requests.Response) -> Element:
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise Interrupted
        assert answer.status_code == HTTPStatus.OK, f"{answer.status_code} {answer.url}"
        return read(answer.text)


# --- The kills ---------------------------------------------------------------------------------------------------


def kill(server: Server, chance: random.Random) -> str:
    """Kill a worker, or the server with all that it has begun; return which."""
    processes = psutil.Process(server.process.pid)
    if chance.random() < 0.5 and (workers := server.workers()):
        chance.choice(workers).kill()
        return "worker"
    everything = [*processes.children(recursive=True), processes]
    for one in everything:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    server.process.wait(30)
    psutil.wait_procs(everything, timeout=30)
    return "server"


def survive(folder: Path, kills: int, people: int, seed: int) -> Counter[str]:
    """Kill so often, let everybody finish, and return what was counted. Raises AssertionError where anything is lost.

    A kill comes up to a second and a half after the server answers again.
    """
    chance, stop, counted = random.Random(seed), threading.Event(), Counter[str]()
    customers = [one_of_many(number) for number in range(101, 101 + 2 * people, 2)]
    server = Server(folder, REQUESTS_A_MINUTE="1000000")
    try:
        _open_accounts(folder, customers)
        crowd = [Person(one, f"http://127.0.0.1:{server.port}", stop) for one in customers]
        for person in crowd:
            person.start()
        for _ in range(kills):
            time.sleep(chance.random() * 1.5)
            killed = kill(server, chance)
            counted[f"kills of the {killed}"] += 1
            _serve_again(server)
        stop.set()
        for person in crowd:
            person.join(_LONGEST_REST)
            assert not person.is_alive(), f"{person.name} does not come to an end"
        counted["interruptions"] = sum(person.interruptions for person in crowd)
        # What a dead worker had begun is taken up by another after a while.
        requests.post(f"http://127.0.0.1:{server.port}/dev/clock", {"advance": "600"}, timeout=60)
        _wait_for_work(folder)
        return counted + check(folder, {person.customer: person.receipts for person in crowd})
    finally:
        server.end()


def _serve_again(server: Server) -> None:
    """Wait until the server answers; start it where it has ended, as an operator's supervisor would.

    granian ends by itself when two workers die within some five seconds.
    """
    while True:
        try:
            server.wait_for_answer()
        except ServerEnded:
            server.process = server.begin()
        else:
            return


def _open_accounts(folder: Path, customers: list[Customer]) -> None:
    site = Site(create_app(load(demo=True, data_dir=str(folder), bcrypt_rounds=4)), Secrets())
    for customer in customers:
        site.open_account(customer)
    site.parts.store.close()


def _wait_for_work(folder: Path) -> None:
    store, deadline = _store(folder), time.monotonic() + _LONGEST_REST
    while True:
        is_busy = any(row.due_at for row in _rows(store, uploads)) or any(
            row.state == "waiting" and row.message == "request_sent" for row in _rows(store, outbox)
        )
        if not is_busy:
            break
        assert time.monotonic() < deadline, "work is left undone"
        time.sleep(_WAIT)
    store.close()


# --- What is left ------------------------------------------------------------------------------------------------


def check(folder: Path, seen: Mapping[Customer, Receipts]) -> Counter[str]:
    """Return how much there is, having looked that the sum of states is the sum of receipts."""
    store, kutids = _store(folder), {customer.kutid for customer in seen}
    files, sent = (
        {row.id: row for row in _rows(store, table) if row.kutid in kutids} for table in (uploads, sent_requests)
    )
    known, texts = _check_files(store, folder, files), Counter(row.answers["description"] for row in sent.values())
    for receipts in seen.values():
        for upload_id, sha256 in receipts.files.items():
            assert files[upload_id].sha256 == sha256, "a receipt was shown for a file that is not there"
        for request_id, text in receipts.requests.items():
            assert sent[request_id].answers["description"] == text, "a request that has come in is not there"
    wanted = {text for receipts in seen.values() for text in receipts.requests.values()}
    assert texts == Counter(wanted), "a claim was lost or sent twice"
    assert not [row for row in _rows(store, request_drafts) if row.kutid in kutids]
    per_request = Counter(row.owner for row in files.values())
    assert per_request == Counter(dict.fromkeys(sent, _PHOTOS)), "a file was lost or taken in twice"
    for rows, of in (
        ([row.request_id for row in _rows(store, request_events) if row.type == "sent"], sent),
        ([row.data["request"] for row in _rows(store, events) if row.type == "request.sent"], sent),
        ([row.data["file"] for row in _rows(store, events) if row.type == "file.ready"], files),
        ([row.upload_id for row in _rows(store, upload_events) if row.type == "ready"], files),
    ):
        found = Counter(one for one in rows if one in of)
        assert found == Counter(dict.fromkeys(of, 1)), "an event is absent or there twice"
    addresses = {customer.address.typed for customer in seen}
    mails = [row.state for row in _rows(store, outbox) if row.message == "request_sent" and row.recipient in addresses]
    assert mails == ["sent"] * len(sent), "a mail is absent or there twice"
    store.close()
    return Counter({"requests": len(sent), "files": len(files), "objects": known, "mails": len(mails)})


def _check_files(store: Store, folder: Path, files: dict[str, Any]) -> int:
    """Look that every file has its bytes and its rendition, and that no bytes are forgotten; return their number."""
    known = {row.key: row.upload_id for row in _rows(store, upload_objects)}
    on_disk = {f"uploads/{path.name}": path for path in folder.rglob("uploads/*") if "#" not in path.name}
    assert set(on_disk) <= set(known), "bytes that nobody knows of"
    for row in files.values():
        assert row.state in ("ready", "handed-over"), row.state
        assert hashlib.sha256(on_disk[row.source].read_bytes()).hexdigest() == row.sha256
        assert known[row.source] == known[row.rendition] == row.id
        assert row.rendition in on_disk
    return len(on_disk)


def _store(folder: Path) -> Store:
    return Store(load(demo=True, data_dir=str(folder)).database_url)


def _rows(store: Store, table: Any) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(table.select()).all())


def main() -> None:
    """Kill as often as the command line says, and print what was counted."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("kills", type=int, nargs="?", default=200)
    parser.add_argument("--people", type=int, default=4)
    parser.add_argument("--seed", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        counted = survive(Path(folder), given.kills, given.people, given.seed)
    for what, count in counted.items():
        Console().print(f"{count:>8} {what}")


if __name__ == "__main__":
    main()
