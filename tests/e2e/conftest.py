"""Who walks, in which browser, on whose server."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from playwright.sync_api import Browser, Error, sync_playwright

from tests import ROOT
from tests.e2e import browsers, webkit
from tests.e2e.differences import WITHOUT_SCRIPTS
from tests.e2e.driver import Driver, PlaywrightDriver
from tests.e2e.server import OwnServer, Server
from tests.e2e.visitor import Visitor
from tests.world import cast

KEPT = ROOT / "build" / "e2e"
_BASE_URL = os.environ.get("BASE_URL", "")


@dataclass(frozen=True)
class Way:
    """In which browser, with or without scripts, on which device a journey is walked."""

    browser: str
    js: str
    device: str

    def __str__(self) -> str:
        return f"{self.browser}-{self.js}-{self.device}"


# Each journey goes through both browsers with and without scripts, and through WebKit. The devices take turns: of one
# journey these, of another the others. Its name says which, so that a new one changes no other's.
_TURNS = [
    Way("chromium", "on", "desktop"),
    Way("chromium", "off", "pixel"),
    Way("firefox", "on", "pixel-across"),
    Way("firefox", "off", "desktop"),
]
_OTHER_TURNS = [
    Way("chromium", "on", "pixel"),
    Way("chromium", "off", "desktop"),
    Way("firefox", "on", "desktop"),
    Way("firefox", "off", "pixel-across"),
]
_MORE_DEVICES = [
    Way("chromium", "on", "pixel"),
    Way("chromium", "on", "iphone-across"),
    Way("chromium", "off", "desktop"),
    Way("firefox", "off", "iphone"),
]
_IN_WEBKIT = [Way("webkit", "on", "iphone"), Way("webkit", "off", "desktop")]
_MORE_IN_WEBKIT = [Way("webkit", "on", "iphone-across")]
_MARKS = {
    "looked_at": "what is seen is judged where the catalogue of states is not looked at: it is, in Chromium",
    "of_states": "every state is looked at, on a desktop and a phone",
    "everywhere": "walk it on more devices too",
    "in_webkit": "a main journey, or a place where engines differ: WebKit takes it in each way that it has",
    "scripted": "it is about what only the scripts do, by its name in `differences`",
    "crosswise": "in one browser, with and without scripts: it is about the server",
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
    ways = _ways_of_playwright(test)
    known = {way.js for way in ways}
    if test.get_closest_marker("in_webkit"):
        more = _MORE_IN_WEBKIT if test.get_closest_marker("everywhere") else []
        return [*ways, *(way for way in [*_IN_WEBKIT, *more] if way.js in known)]
    is_journey = len(ways) >= len(_TURNS)
    return [*ways, *_IN_WEBKIT[:1]] if is_journey else ways


def _ways_of_playwright(test: pytest.Item) -> list[Way]:
    if test.get_closest_marker("once"):
        return _TURNS[:1]
    if test.get_closest_marker("of_states"):
        return [Way("chromium", "on", device) for device in ("desktop", "iphone")]
    if test.get_closest_marker("crosswise"):
        return [Way("chromium", "off", "iphone-across"), Way("chromium", "on", "desktop")]
    if test.get_closest_marker("looked_at"):
        return [Way("firefox", "on", "iphone")]
    is_everywhere = test.get_closest_marker("everywhere")
    ways = [*_TURNS, *_MORE_DEVICES] if is_everywhere else (_TURNS, _OTHER_TURNS)[crc32(test.name.encode()) % 2]
    if scripted := test.get_closest_marker("scripted"):
        assert scripted.args[0] in WITHOUT_SCRIPTS
        ways = [way for way in ways if way.js == "on"]
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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the versions of the browsers that were asked for: no header is written where pytest is to be quiet.

    A worker of xdist writes a summary too, which nobody sees; it would be stopped amid the start of a browser.
    """
    if hasattr(terminalreporter.config, "workerinput"):
        return
    with sync_playwright() as playwright:
        for kind in _asked("BROWSER", browsers.KINDS):
            try:
                terminalreporter.write_line(f"{kind}: {browsers.version(playwright, kind)}")
            except (Error, RuntimeError) as missing:
                terminalreporter.write_line(str(missing))


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
def _open_window() -> Iterator[Callable[..., Driver]]:
    running: dict[str, Browser] = {}
    opened = Counter[str]()
    with sync_playwright() as playwright:

        def launched(kind: str) -> Browser:
            if kind in running and opened[kind] >= _WINDOWS_EACH and not running[kind].contexts:
                running.pop(kind).close()
            if kind not in running:
                running[kind] = browsers.launch(playwright, kind)
                opened[kind] = 0
            opened[kind] += 1
            return running[kind]

        def open_window(way: Way, home: str, **looks: Any) -> Driver:
            device, is_scripted = browsers.DEVICES[way.device], way.js == "on"
            if browsers.is_playwrights(playwright, way.browser):
                context = browsers.open_window(launched(way.browser), way.browser, device, is_scripted, **looks)
                return PlaywrightDriver.in_context(context, home, is_touched=browsers.is_touched(way.browser, device))
            if not webkit.is_there():
                pytest.skip("there is no WebKit here; tests/run-all tells how to get one")
            return webkit.SeleniumDriver.in_window(home, device.size, is_scripted=is_scripted, **looks)

        yield open_window
        for browser in running.values():
            browser.close()


Meet = Callable[..., Visitor]


@pytest.fixture
def meet(
    request: pytest.FixtureRequest, way: Way, server: Server, _open_window: Callable[..., Driver]
) -> Iterator[Meet]:
    """Meet visitors, each with a browser of their own; see to it that the pages behaved."""
    number = request.node.stash[_NUMBER] * 2
    met: list[Visitor] = []

    def meet_another(*, at: Server = server, email: str = "", **looks: Any) -> Visitor:
        if way.js == "off" and way.browser == "firefox" and _BASE_URL:
            pytest.skip("without scripts Firefox needs the suite's own server (tests/e2e/sandbox.py)")
        place = number + len(met)
        if email == "" and met:
            email = f"masik{place}@example.hu"
        visitor = Visitor(
            _open_window(way, at.url, **looks),
            at,
            is_scripted=way.js == "on",
            email=email or f"vendeg{place}@example.hu",
            customer=cast.one_of_many(101 + place % 500),
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
        visitor.browser.keep_trace(file.with_suffix(".zip"))
    except Exception as trouble:
        print(f"not everything could be kept of {name}: {trouble}")
