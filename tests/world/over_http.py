"""A server in demo mode and its visitors, over HTTP alone: whatever serves it, from whichever installation."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urljoin

import requests

from tests.ports import free_port
from tests.world.cast import ANNA, Customer
from tests.world.demonstration import Demonstration
from tests.world.walk import FIRST, Walk, names_of
from tests.world.wheel import Installed
from webapp.demo.states.reading import Element, form_of, read, step_of, values_of

_PATIENCE = 60


class Served(Demonstration):
    """A demonstration at an address."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, address: str, **form: str) -> bytes:
        answer = requests.request("POST" if form else "GET", self.url + address, data=form, timeout=_PATIENCE)
        answer.raise_for_status()
        return answer.content


class HttpVisitor(Walk[Element]):
    """A browser without JavaScript: its cookies, and the page that came last."""

    def __init__(self, served: Served, customer: Customer = ANNA) -> None:
        super().__init__(served, customer, customer.email)
        self._url = served.url
        self._session = requests.Session()
        self._page = Element("", {})
        self._filled: dict[str, str] = {}
        self.html = ""

    def open(self, address: str = FIRST) -> Element:
        return self._read(self._session.get(urljoin(self._url, address), timeout=_PATIENCE))

    def fill(self, **fields: str) -> None:
        self._filled |= names_of(fields)

    def submit(self, step: str = "") -> Element:
        return self._send(form_of(self._page, step or self.step))

    def act(self, action: str, /, **fields: str) -> Element:
        self.fill(**fields, action=action)
        return self._send(form_of(self._page, action=action))

    def open_document(self, name: str) -> None:
        link = next(link for link in self._page.all("a") if link["data-opens"] == name)
        self._session.get(urljoin(self._url, link["href"]), timeout=_PATIENCE).raise_for_status()

    def sign_out(self) -> Element:
        self.open("/fiok")
        return self._send(form_of(self._page, "logout"))

    @property
    def step(self) -> str:
        return step_of(self._page)

    @property
    def seen(self) -> Element:
        return self._page

    def status_of(self, address: str) -> int:
        """Return the status with which an address answers."""
        return self._session.get(urljoin(self._url, address), timeout=_PATIENCE).status_code

    def text_of(self, address: str) -> str:
        """Return what an address answers."""
        answer = self._session.get(urljoin(self._url, address), timeout=_PATIENCE)
        answer.raise_for_status()
        return answer.text

    def _send(self, form: Element) -> Element:
        filled, self._filled = self._filled, {}
        address = urljoin(self._url, form["action"])
        return self._read(self._session.post(address, data=values_of(form) | filled, timeout=_PATIENCE))

    def _read(self, answer: requests.Response) -> Element:
        self.html = answer.text
        self._page = read(self.html)
        return self._page


@contextmanager
def served(installed: Installed, folder: Path, **settings: str) -> Iterator[Served]:
    """Serve a demonstration from an installation, with a folder as the working one."""
    port = free_port()
    environment = installed.environment(DEMO="1", PORT=str(port), BCRYPT_ROUNDS="4", **settings)
    log = folder / "server.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            ["belepo", "serve"],
            executable=installed.command,
            cwd=folder,
            env=environment,
            stdout=written,
            stderr=written,
        )
    try:
        found = Served(f"http://127.0.0.1:{port}")
        deadline = time.monotonic() + _PATIENCE
        while not _is_up(found):
            assert process.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < deadline, log.read_text("utf-8")
            time.sleep(0.05)
        yield found
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def _is_up(found: Served) -> bool:
    try:
        found.ask("/healthz")
    except requests.RequestException:
        return False
    return True
