"""Who walks, in which browser, on whose server."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from . import browsers, cast
from .driver import PlaywrightDriver
from .server import ROOT, OwnServer, Server
from .visitor import Visitor

KEPT = ROOT / "build" / "e2e"
_BASE_URL = os.environ.get("BASE_URL", "")
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}


@dataclass(frozen=True)
class Way:
    """In which browser, with or without scripts, on how large a screen a journey is walked."""

    browser: str
    js: str
    size: str

    def __str__(self) -> str:
        return f"{self.browser}-{self.js}-{self.size}"


# Each journey goes through both browsers with and without scripts; the sizes take turns.
_TURNS = [
    Way("chromium", "on", "desktop"),
    Way("chromium", "off", "phone"),
    Way("firefox", "on", "phone"),
    Way("firefox", "off", "desktop"),
]
_ALL = [Way(browser, js, size) for browser in browsers.KINDS for js in ("on", "off") for size in SIZES]
_MARKS = {
    "looked_at": "what is seen is judged: in one browser on both sizes, in the other on a phone",
    "everywhere": "walk it on both sizes too",
    "scripted": "it is about what the script does",
    "unscripted": "it is about what happens without the script",
    "crosswise": "two ways are enough, one with and one without the script: it is about the server",
    "once": "in one browser: it is about the server",
    "moves_time": "it needs a server of its own, whose clock it moves",
}


def pytest_configure(config: pytest.Config) -> None:
    """Name the marks."""
    for name, meaning in _MARKS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each journey its ways."""
    if "way" in metafunc.fixturenames:
        ways = _ways(metafunc.definition)
        metafunc.parametrize("way", ways, ids=str, scope="session")


def _ways(test: pytest.Item) -> list[Way]:
    if test.get_closest_marker("once"):
        return _TURNS[:1]
    if test.get_closest_marker("crosswise"):
        return [Way("chromium", "off", "phone"), Way("firefox", "on", "desktop")]
    if test.get_closest_marker("looked_at"):
        return [Way("chromium", "on", "desktop"), Way("chromium", "on", "phone"), Way("firefox", "on", "phone")]
    ways = _ALL if test.get_closest_marker("everywhere") else _TURNS
    if test.get_closest_marker("scripted"):
        ways = [way for way in ways if way.js == "on"]
    if test.get_closest_marker("unscripted"):
        ways = [way for way in ways if way.js == "off"]
    return ways


_NUMBER = pytest.StashKey[int]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give each test customers of its own, and leave out the browsers that were not asked for."""
    chosen = []
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    for number, item in enumerate(here):
        item.stash[_NUMBER] = number
        if _BASE_URL:
            # On a server that is shared, one after the other.
            item.add_marker(pytest.mark.xdist_group("shared-server"))
        way = getattr(item, "callspec", None) and item.callspec.params.get("way")  # type: ignore[attr-defined]
        if way is None or (way.browser in _asked("BROWSER", browsers.KINDS) and way.js in _asked("JS", ("on", "off"))):
            chosen.append(item)
    left_out = [item for item in here if item not in chosen]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def _asked(name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    # Desktops set BROWSER too, to the path of their own.
    return tuple(value for value in os.environ.get(name, "").split(",") if value in known) or known


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Keep on the test how it went, for those who tidy up after it."""
    report = yield
    if call.when == "call":
        item.stash[_FAILED] = report.failed
    return report


_FAILED = pytest.StashKey[bool]()


# --- Servers -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if _BASE_URL:
        yield Server(_BASE_URL)
        return
    own = OwnServer(tmp_path_factory.mktemp("server"))
    own.start()
    yield own
    own.stop()


@pytest.fixture
def server(_server: Server, request: pytest.FixtureRequest) -> Server:
    """The server, as new if it is the run's own."""
    if _server.is_own:
        _server.reset()
    elif request.node.get_closest_marker("moves_time"):
        pytest.skip("the server at BASE_URL is not the suite's own: its clock and data stay as they are")
    return _server


@pytest.fixture(scope="session")
def _server_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], OwnServer]]:
    running: dict[str, OwnServer] = {}

    def of(profile: str) -> OwnServer:
        if profile not in running:
            running[profile] = OwnServer(tmp_path_factory.mktemp(profile), profile=profile)
            running[profile].start()
        running[profile].reset()
        return running[profile]

    yield of
    for server in running.values():
        server.stop()


@pytest.fixture
def server_of(_server_of: Callable[[str], OwnServer]) -> Callable[[str], OwnServer]:
    """The server of another insurer's profile, as new."""
    if _BASE_URL:
        pytest.skip("the server at BASE_URL has its own profile")
    return _server_of


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Callable[..., OwnServer]]:
    """Start servers for one test alone."""
    started = []

    def start(**settings: Any) -> OwnServer:
        server = OwnServer(tmp_path, **settings)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.stop()


# --- Browsers ------------------------------------------------------------------------------------------------------


_WINDOWS_EACH = 40
"""So many windows are opened in a browser before it is started anew: Firefox grows with each, and slows down."""


@pytest.fixture(scope="session")
def _launch() -> Iterator[Callable[[str], Browser]]:
    running: dict[str, Browser] = {}
    opened = Counter[str]()
    with sync_playwright() as playwright:

        def launch(kind: str) -> Browser:
            if kind in running and opened[kind] >= _WINDOWS_EACH and not running[kind].contexts:
                running.pop(kind).close()
            if kind not in running:
                running[kind] = browsers.launch(playwright, kind)
                opened[kind] = 0
            opened[kind] += 1
            return running[kind]

        yield launch
        for browser in running.values():
            browser.close()


Meet = Callable[..., Visitor]


@pytest.fixture
def meet(request: pytest.FixtureRequest, way: Way, server: Server, _launch: Callable[[str], Browser]) -> Iterator[Meet]:
    """Meet visitors, each with a browser of their own; see to it that the pages behaved."""
    number = request.node.stash[_NUMBER] * 2
    met: list[Visitor] = []

    def meet_another(*, at: Server = server, email: str = "", **looks: Any) -> Visitor:
        if way.js == "off" and way.browser == "firefox" and _BASE_URL:
            pytest.skip("without scripts Firefox needs the suite's own server (tests/e2e/sandbox.py)")
        place = number + len(met)
        context = browsers.open_window(_launch(way.browser), way.browser, SIZES[way.size], way.js == "on", **looks)
        if email == "" and met:
            email = f"masik{place}@example.hu"
        visitor = Visitor(
            PlaywrightDriver.in_context(context, at.url),
            at,
            is_scripted=way.js == "on",
            email=email or f"vendeg{place}@example.hu",
            customer=cast.nth(place),
        )
        met.append(visitor)
        return visitor

    yield meet_another
    has_failed = request.node.stash.get(_FAILED, True)
    noise = [line for visitor in met for line in visitor.browser.noise]
    for place, visitor in enumerate(met):
        if has_failed:
            _keep(visitor, f"{request.node.name}-{place}")
        visitor.browser.close()
    assert not noise, "\n".join(noise)


@pytest.fixture
def visitor(meet: Meet) -> Visitor:
    """The visitor whom most journeys are about."""
    return meet()


def _keep(visitor: Visitor, name: str) -> None:
    """Keep what a visitor saw last."""
    file = KEPT / "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in name)
    KEPT.mkdir(parents=True, exist_ok=True)
    try:
        html = visitor.browser.evaluate("() => document.documentElement.outerHTML")
        file.with_suffix(".html").write_text(f"<!-- {visitor.browser.url} -->\n{html}", "utf-8")
        visitor.take_picture(file.with_suffix(".png"))
    except Exception as trouble:
        print(f"nothing could be kept of {name}: {trouble}")
