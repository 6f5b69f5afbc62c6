"""WebKit as Debian has it, driven by Selenium: Playwright drives no WebKit but its own build.

It is the engine of Safari on Linux (WebKitGTK), not Safari. Each visitor has a browser and a screen of their own, so
that none takes the focus from another's window.
"""

import json
import os
import re
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.common import exceptions
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service
from urllib3.exceptions import ReadTimeoutError

from tests.e2e.driver import PATIENCE, is_page, is_serious, is_strange

T = TypeVar("T")

DRIVER, SCREEN, PYTHON = Path("/usr/bin/WebKitWebDriver"), Path("/usr/bin/Xvfb"), Path("/usr/bin/python3")
GTK = "*/girepository-1.0/WebKit2-4.1.typelib"
CANNOT = {
    "keep_trace": "WebDriver writes none",
    "tree": "WebDriver shows nobody the accessibility tree",
    "empty_scripts": "WebDriver does not come between a page and the network",
    "force_colours": "WebKit knows no forced colours",
    "lose_posts": "WebDriver does not come between a page and the network",
    "answer_posts": "WebDriver does not come between a page and the network",
    "hold_posts": "WebDriver does not come between a page and the network",
    "take_over_time": "WebDriver leaves the page's timers alone",
    "run_for": "WebDriver leaves the page's timers alone",
    "jump": "WebDriver leaves the page's timers alone",
    "page": "passkeys need Chromium's virtual authenticator",
}
"""What cannot be done this way, and why: a test that needs it is not for WebKit."""

# As WebKit writes it: “http://…/belepes:1:1: CONSOLE SECURITY ERROR Refused to …”.
_ERROR = re.compile(r"(?:(\S*?)(?::\d+)*: )?CONSOLE (?:[A-Z]+ )?ERROR (.*)")
# What WebKit's driver answers where the page that was asked has made room for another meanwhile.
_GONE = re.compile(r"unload event|no such frame|FrameNotFound")
_START_SECONDS = 90
_ANSWER_SECONDS = 20
"""After so long an answer is taken for lost, and asked for again: WebKit's driver gives none, ever, to a question that
comes while one page takes the place of another.
"""
# Returns the first element that fits, once it is seen and can be used.
_USABLE = """const found = document.querySelector(arguments[0])
  return found && found.checkVisibility() && !found.disabled ? found : null"""
_CLICK_TWICE = "arguments[0].click(), arguments[0].click()"
# What passes by itself: the page changes while it is looked at, or something is still on its way.
_PASSING = (
    exceptions.NoSuchElementException,
    exceptions.StaleElementReferenceException,
    exceptions.ElementNotInteractableException,
    exceptions.ElementClickInterceptedException,
)


def is_there() -> bool:
    """Tell whether Debian's packages are installed."""
    return all(program.exists() for program in (DRIVER, SCREEN, PYTHON)) and any(Path("/usr/lib").glob(GTK))


def version() -> str:
    """Start a window, and return the version that it tells."""
    if not is_there():
        raise RuntimeError("There is no webkit here; tests/run-all tells how to get one.")
    driver = SeleniumDriver.in_window("about:blank", (390, 844), is_scripted=True)
    try:
        return driver.version
    finally:
        driver.close()


@contextmanager
def _screen() -> Iterator[str]:
    """A screen that nobody sees, by its name; it ends with the browser that it shows."""
    told, number = os.pipe()
    options = ["-displayfd", str(number), "-screen", "0", "1600x1200x24", "-nolisten", "tcp", "-terminate"]
    with subprocess.Popen([SCREEN, *options], pass_fds=[number], stderr=subprocess.DEVNULL) as process:
        os.close(number)
        try:
            with os.fdopen(told) as answer:
                yield f":{answer.readline().strip()}"
        finally:
            process.terminate()


@dataclass
class _Seen:
    """What the diary says of a tab."""

    requests: list[str] = field(default_factory=list)
    status: int = 0
    waiting: int = 0
    """How many answers are still on their way."""


class _Browser:
    """A browser with its screen and its diary, which its tabs share."""

    def __init__(self, home: str, size: tuple[int, int], *, is_scripted: bool, locale: str = "hu-HU") -> None:
        self.home = home
        self.noise: list[str] = []
        self.tabs = defaultdict[int, _Seen](_Seen)
        """What was seen of each tab, in the order in which they were opened."""
        self.opened = 0
        self._rest = ""
        with ExitStack() as started:
            folder = started.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))
            screen = started.enter_context(_screen())
            diary = Path(folder) / "diary"
            diary.touch()
            self._diary = started.enter_context(diary.open(encoding="utf-8", errors="replace"))
            options = Options()
            options.binary_location = str(PYTHON)
            for argument in (
                str(Path(__file__).with_name("webkit_window.py")),
                "--automation",
                f"--width={size[0]}",
                f"--height={size[1]}",
                f"--language={locale}",
                f"--javascript={'on' if is_scripted else 'off'}",
                f"--folder={folder}",
            ):
                options.add_argument(argument)
            environment = os.environ | {"DISPLAY": screen, "GDK_BACKEND": "x11", "XDG_RUNTIME_DIR": folder}
            service = Service(str(DRIVER), env=environment | {"NO_AT_BRIDGE": "1"})
            started.callback(service.stop)
            service.start()
            config = ClientConfig(service.service_url, timeout=_START_SECONDS)
            self.web = webdriver.Remote(service.service_url, options=options, client_config=config)
            started.callback(self.web.quit)
            config.timeout = _ANSWER_SECONDS
            self._end = started.pop_all()
        self.at = self.web.current_window_handle

    def close(self) -> None:
        """End it, and what belongs to it."""
        self._end.close()

    def listen(self) -> None:
        """Read on in the diary, and tell each tab what is its own."""
        *lines, self._rest = (self._rest + self._diary.read()).split("\n")
        for line in lines:
            if line.startswith("{"):
                self._see(**json.loads(line))
            elif error := _ERROR.fullmatch(line):
                self._hear(*error.groups(""))

    def _see(self, view: int, url: str, method: str = "", status: int = 0) -> None:
        """Note that something was asked for, by its method, or has ended, with its status."""
        if is_strange(url, self.home):
            self.noise.append(f"request to another host: {url}")
        if not is_page(url):
            if status >= 400:
                self.noise.append(f"{status} for {url}")
            return
        tab = self.tabs[view]
        if method:
            tab.requests.append(f"{method} {urlsplit(url).path}")
            tab.waiting += 1
            return
        tab.waiting -= 1
        if status:
            tab.status = status

    def _hear(self, place: str, message: str) -> None:
        if is_serious(message, place):
            self.noise.append(f"console: {message} ({place})")


class SeleniumDriver:
    """One tab, driven by Selenium."""

    def __init__(self, browser: _Browser, handle: str) -> None:
        self._browser = browser
        self._handle = handle
        self._seen = browser.tabs[browser.opened]
        browser.opened += 1

    @classmethod
    def in_window(cls, home: str, size: tuple[int, int], *, is_scripted: bool, **looks: Any) -> "SeleniumDriver":
        """Open a window with no memory."""
        browser = _Browser(home, size, is_scripted=is_scripted, **looks)
        return cls(browser, browser.at)

    def __getattr__(self, name: str) -> NoReturn:
        """Say why it cannot be done."""
        if name in CANNOT:
            raise NotImplementedError(f"{name}: {CANNOT[name]}")
        raise AttributeError(name)

    @property
    def _web(self) -> webdriver.Remote:
        if self._browser.at != self._handle:
            self._browser.web.switch_to.window(self._handle)
            self._browser.at = self._handle
        return self._browser.web

    # --- What it saw and heard -----------------------------------------------------------------------------------

    @property
    def version(self) -> str:
        """The version of the engine."""
        return str(self._web.capabilities["browserVersion"])

    @property
    def status(self) -> int:
        """The status of the last page or fragment."""
        self._until(lambda: not self._is_waiting(), "the answer")
        return self._seen.status

    def _is_waiting(self) -> bool:
        self._browser.listen()
        return self._seen.waiting > 0

    @property
    def requests(self) -> list[str]:
        """Every request for a page or a fragment, as “POST /regisztracio”."""
        self._browser.listen()
        return self._seen.requests

    @property
    def noise(self) -> list[str]:
        """What must not happen."""
        self._browser.listen()
        return self._browser.noise

    # --- Going about ---------------------------------------------------------------------------------------------

    def go(self, url: str) -> None:
        """Type an address."""
        self._web.get(url)

    def back(self) -> None:
        """Press the browser's own button."""
        self._web.back()

    def forward(self) -> None:
        """Press the browser's own button; asked twice, it does not go beyond the newest page."""
        self._answered(self._web.forward)

    def reload(self) -> None:
        """Press the browser's own button."""
        self._answered(self._web.refresh)

    @property
    def url(self) -> str:
        """The address bar."""
        return self._answered(lambda: self._web.current_url)

    @property
    def title(self) -> str:
        """The title of the page."""
        return self._answered(lambda: self._web.title)

    # --- Looking -------------------------------------------------------------------------------------------------

    def wait_for(self, selector: str) -> None:
        """Wait until something is there, seen or not."""
        self._until(lambda: self._web.find_elements(By.CSS_SELECTOR, selector), selector)

    def wait_until_loaded(self) -> None:
        """Wait until the page and its scripts are there."""
        self._until(lambda: self.evaluate("() => document.readyState") == "complete", "the page")

    def evaluate(self, script: str, argument: Any = None) -> Any:
        """Return what a function of one argument returns in the page, again should the page change meanwhile."""
        return self._answered(lambda: self._web.execute_script(f"return ({script})(arguments[0])", argument))

    def _answered(self, question: Callable[[], T]) -> T:
        """Ask again where the answer was lost, or the page has made room for another."""
        for _ in range(3):
            try:
                return question()
            except ReadTimeoutError:
                continue
            except exceptions.WebDriverException as trouble:
                if not _GONE.search(str(trouble)):
                    raise
                self.pause()
        return question()

    def pause(self) -> None:
        """Let the browser go on for a moment, while something is waited for."""
        time.sleep(0.02)

    def _until(self, is_so: Callable[[], Any], what: str) -> None:
        deadline, lost = time.monotonic() + PATIENCE / 1000, 0
        while True:
            asked = time.monotonic()
            try:
                if is_so():
                    return
            except ReadTimeoutError:
                lost += 1
                deadline += time.monotonic() - asked
            except exceptions.WebDriverException as trouble:
                if not _GONE.search(str(trouble)):
                    raise
            if time.monotonic() > deadline or lost > 3:
                raise TimeoutError(f"Waited in vain for {what} at {self.url}")
            self.pause()

    # --- Doing ---------------------------------------------------------------------------------------------------

    def _on(self, selector: str, deed: Callable[[WebElement], Any]) -> None:
        """Do something to the first element that fits, once it is there and can be used."""
        trouble: list[str] = []

        def is_done() -> bool:
            try:
                element = self._web.execute_script(_USABLE, selector)
                return element is not None and deed(element) is not False
            except _PASSING as passing:
                trouble[:] = [str(passing)]
                return False

        self._until(is_done, f"{selector} {''.join(trouble)}")

    def fill(self, selector: str, text: str) -> None:
        """Type a text into a field, in place of what stands there."""

        def fill(field: WebElement) -> bool:
            field.clear()
            if text:
                field.send_keys(text)
            # A step that has just come takes the focus to its heading, and what was being typed goes nowhere.
            typed = field.get_property("value")
            return typed == text[: int(field.get_dom_attribute("maxlength") or len(text))]

        self._on(selector, fill)

    def click(self, selector: str) -> None:
        """Click."""
        self._on(selector, lambda element: element.click())

    def double_click(self, selector: str) -> None:
        """Click twice, as some do on everything: at once, or the page might be quicker."""
        self._on(selector, lambda element: self._web.execute_script(_CLICK_TWICE, element))

    def press_key(self, key: str) -> None:
        """Press a key such as Tab or Enter."""
        ActionChains(self._web, duration=0).send_keys(getattr(Keys, key.upper())).perform()

    def type_keys(self, text: str) -> None:
        """Type into whatever has the focus."""
        ActionChains(self._web, duration=0).send_keys(text).perform()

    def opened_by(self, deed: Callable[[], None]) -> "SeleniumDriver":
        """Return the window that a deed opens."""
        before = set(self._web.window_handles)
        deed()
        opened: list[str] = []

        def is_open() -> bool:
            opened[:] = set(self._web.window_handles) - before
            return bool(opened)

        self._until(is_open, "another window")
        tab = SeleniumDriver(self._browser, opened[0])
        tab.wait_until_loaded()
        return tab

    def new_tab(self) -> "SeleniumDriver":
        """Open another tab of the same browser."""
        self._web.switch_to.new_window("tab")
        self._browser.at = self._web.current_window_handle
        return SeleniumDriver(self._browser, self._browser.at)

    def take_picture(self, path: Path, *, whole: bool = True) -> None:
        """Take a picture of what is seen: there is no more to be had."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._web.save_screenshot(str(path))

    def clear_cookies(self) -> None:
        """Forget the session, as a browser does that was closed."""
        self._web.delete_all_cookies()

    def cookies(self) -> list[str]:
        """Return the names of the cookies."""
        return sorted(cookie["name"] for cookie in self._web.get_cookies())

    def resize(self, width: int, height: int) -> None:
        """Make the window another size."""
        self._web.set_window_size(width, height)

    def close_tab(self) -> None:
        """Close this tab alone."""
        self._web.close()
        self._browser.at = ""

    def close(self) -> None:
        """Close the browser's window with all its tabs."""
        self._browser.close()
