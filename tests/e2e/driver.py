"""The thin layer below the visitor: what a browser can be told, by CSS selectors alone.

`Driver` is all that a visitor needs of a browser; `PlaywrightDriver` is one way to drive it, `webkit` has another.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Error, Page, Request, Response, Route

PATIENCE = 15_000

IS_TRACED = bool(os.environ.get("TRACE"))
"""Not always: every test would pay for those that fail."""

EAR = Path(__file__).with_name("ear.js")
"""What runs before the scripts of every page."""


class Driver(Protocol):
    """What a visitor needs of a browser. A selector means the first element that fits."""

    status: int
    """The status of the last page or fragment."""
    noise: list[str]
    """What must not happen: errors in the console, breaches of the policy, requests to other hosts."""
    requests: list[str]
    """Every request for a page or a fragment, as “POST /regisztracio”."""

    def go(self, url: str) -> None: ...
    def back(self) -> None: ...
    def forward(self) -> None: ...
    def reload(self) -> None: ...
    @property
    def url(self) -> str: ...
    @property
    def title(self) -> str: ...
    def wait_for(self, selector: str) -> None: ...
    def wait_until_loaded(self) -> None: ...
    def fill(self, selector: str, text: str) -> None: ...
    def click(self, selector: str) -> None: ...
    def double_click(self, selector: str) -> None: ...
    def press_key(self, key: str) -> None: ...
    def type_keys(self, text: str) -> None: ...
    def evaluate(self, script: str, argument: Any = None) -> Any: ...
    def tree(self) -> str: ...
    def opened_by(self, deed: Callable[[], None]) -> "Driver": ...
    def new_tab(self) -> "Driver": ...
    def take_picture(self, path: Path, *, whole: bool = True) -> None: ...
    def keep_trace(self, path: Path) -> None: ...
    def clear_cookies(self) -> None: ...
    def cookies(self) -> list[str]: ...
    def resize(self, width: int, height: int) -> None: ...
    def pause(self) -> None: ...
    def close_tab(self) -> None: ...
    def close(self) -> None: ...


class PlaywrightDriver:
    """One tab, driven by Playwright."""

    def __init__(
        self, context: BrowserContext, page: Page, home: str, noise: list[str], *, is_touched: bool = False
    ) -> None:
        self.status = 0
        self.noise = noise
        self.requests: list[str] = []
        self.page = page
        self._context = context
        self._home = home
        self._is_touched = is_touched
        self._is_firefox = context.browser is not None and context.browser.browser_type.name == "firefox"
        page.set_default_timeout(PATIENCE)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: noise.append(f"error in a script: {error}"))
        page.on("request", self._see_request)
        page.on("response", self._see_response)

    @classmethod
    def in_context(cls, context: BrowserContext, home: str, *, is_touched: bool = False) -> "PlaywrightDriver":
        """Open the first tab of a browser's window, which fingers touch instead of a mouse where `is_touched`."""
        context.add_init_script(path=EAR)
        if IS_TRACED:
            context.tracing.start(screenshots=True, snapshots=True)
        return cls(context, context.new_page(), home, [], is_touched=is_touched)

    # --- Going about ---------------------------------------------------------------------------------------------

    def go(self, url: str) -> None:
        """Type an address."""
        self.page.goto(url)

    def back(self) -> None:
        """Press the browser's own button."""
        self.page.go_back()

    def forward(self) -> None:
        """Press the browser's own button."""
        self.page.go_forward()

    def reload(self) -> None:
        """Press the browser's own button."""
        self.page.reload()

    @property
    def url(self) -> str:
        """The address bar."""
        return self.page.url

    @property
    def title(self) -> str:
        """The title of the page."""
        return self.page.title()

    # --- Looking -------------------------------------------------------------------------------------------------

    def wait_for(self, selector: str) -> None:
        """Wait until something is there, seen or not."""
        self.page.wait_for_selector(selector, state="attached")

    def wait_until_loaded(self) -> None:
        """Wait until the page and its scripts are there."""
        self.page.wait_for_load_state("load")

    def evaluate(self, script: str, argument: Any = None) -> Any:
        """Return what a function of one argument returns in the page, again should the page change meanwhile."""
        for _ in range(3):
            try:
                return self.page.evaluate(script, argument)
            except Error as error:
                if not re.search(
                    r"context was destroyed|navigat|no such frame|DiscardedBrowsingContext", error.message
                ):
                    raise
                self.wait_until_loaded()
        return self.page.evaluate(script, argument)

    def tree(self) -> str:
        """Return what the page gives to a screen reader, as Playwright writes it."""
        return self.page.locator("body").aria_snapshot()

    def pause(self) -> None:
        """Let the browser go on for a moment, while something is waited for."""
        self.page.wait_for_timeout(20)

    # --- Doing ---------------------------------------------------------------------------------------------------

    def fill(self, selector: str, text: str) -> None:
        """Put a text into a field."""
        field = self.page.locator(selector).first
        if field.input_value():
            # Firefox cannot select what stands in a field for addresses, and would add to it.
            field.clear()
        field.fill(text)

    def click(self, selector: str) -> None:
        """Click, or tap."""
        place = self.page.locator(selector).first
        if self._is_touched:
            place.tap()
        else:
            place.click()

    def double_click(self, selector: str) -> None:
        """Click twice, as some do on everything."""
        place = self.page.locator(selector).first
        if self._is_firefox:
            # Were the page quicker, its driver would count the second click as a first one, on what has come.
            place.evaluate("(e) => { e.click(); e.click() }")
        else:
            place.dblclick()

    def press_key(self, key: str) -> None:
        """Press a key such as Tab or Enter."""
        self.page.keyboard.press(key)

    def type_keys(self, text: str) -> None:
        """Type into whatever has the focus."""
        self.page.keyboard.type(text)

    def opened_by(self, deed: Callable[[], None]) -> "PlaywrightDriver":
        """Return the window that a deed opens."""
        with self._context.expect_page() as opening:
            deed()
        return self._another(opening.value)

    def new_tab(self) -> "PlaywrightDriver":
        """Open another tab of the same browser."""
        return self._another(self._context.new_page())

    def _another(self, page: Page) -> "PlaywrightDriver":
        # Not until “load”: that event of a new window may be over before anybody listens.
        page.wait_for_load_state("domcontentloaded")
        return PlaywrightDriver(self._context, page, self._home, self.noise, is_touched=self._is_touched)

    def take_picture(self, path: Path, *, whole: bool = True) -> None:
        """Take a picture; Firefox breaks the policy on content for it, so the noise is read before."""
        path.parent.mkdir(parents=True, exist_ok=True)
        before = list(self.noise)
        self.page.screenshot(path=path, full_page=whole)
        self.noise[:] = before

    def keep_trace(self, path: Path) -> None:
        """Write what was done and seen in this window, for `playwright show-trace`, where that was asked for."""
        if IS_TRACED:
            self._context.tracing.stop(path=path)

    def clear_cookies(self) -> None:
        """Forget the session, as a browser does that was closed."""
        self._context.clear_cookies()

    def cookies(self) -> list[str]:
        """Return the names of the cookies."""
        return sorted(cookie["name"] for cookie in self._context.cookies())

    def resize(self, width: int, height: int) -> None:
        """Make the window another size."""
        self.page.set_viewport_size({"width": width, "height": height})

    def close_tab(self) -> None:
        """Close this tab alone."""
        self.page.close()

    def close(self) -> None:
        """Close the browser's window with all its tabs."""
        self._context.close()

    # --- What goes wrong on the way ------------------------------------------------------------------------------

    def empty_scripts(self) -> None:
        """Load every script of the site as if it were empty: the page stays as the server made it.

        Where a browser runs no scripts at all, axe does not come to an end either.
        """
        self.page.route("**/*.js", lambda route: route.fulfill(status=200, body="", content_type="text/javascript"))

    def force_colours(self, *, is_on: bool) -> None:
        """Let the reader's own few colours replace the site's, or no longer."""
        self.page.emulate_media(forced_colors="active" if is_on else "none")

    def lose_posts(self) -> Callable[[], None]:
        """Let no form reach the server; return what mends the line."""
        return self._meddle(lambda route: route.abort("connectionfailed"))

    def answer_posts(self, status: int, body: str) -> Callable[[], None]:
        """Answer every form by a stranger; return what mends the line."""
        return self._meddle(lambda route: route.fulfill(status=status, body=body, content_type="text/html"))

    def hold_posts(self) -> Callable[[], None]:
        """Keep every form on the way; return what lets them go on."""
        held: list[Route] = []
        mend = self._meddle(held.append)

        def release() -> None:
            for route in held:
                route.continue_()
            mend()

        return release

    def _meddle(self, what: Callable[[Route], Any]) -> Callable[[], None]:
        def handle(route: Route) -> None:
            if route.request.method == "POST":
                what(route)
            else:
                route.continue_()

        self.page.route("**/*", handle)
        return lambda: self.page.unroute("**/*", handle)

    def take_over_time(self) -> None:
        """Stop the timers of this tab's pages from now on; `run_for` and `jump` make them run."""
        self.page.clock.install()

    def run_for(self, seconds: float) -> None:
        """Let the timers of the page run for so long, each as often as it is due."""
        self.page.clock.run_for(int(seconds * 1000))

    def jump(self, seconds: float) -> None:
        """Wake the page after so long, as after a computer's sleep: what was due in between comes once."""
        self.page.clock.fast_forward(int(seconds * 1000))

    # --- Listening -----------------------------------------------------------------------------------------------

    def _hear(self, message: ConsoleMessage) -> None:
        address = message.location["url"]
        if message.type == "error" and is_serious(message.text, address):
            self.noise.append(f"console: {message.text} ({address})")

    def _see_request(self, request: Request) -> None:
        if is_strange(request.url, self._home):
            self.noise.append(f"request to another host: {request.url}")
        if is_page(request.url):
            self.requests.append(f"{request.method} {urlsplit(request.url).path}")

    def _see_response(self, response: Response) -> None:
        if is_page(response.request.url):
            self.status = response.status


def is_page(url: str) -> bool:
    """Tell whether an address is one of a page or a fragment."""
    return not urlsplit(url).path.startswith(("/static/", "/brand-", "/megjelenes"))


def is_strange(url: str, home: str) -> bool:
    """Tell whether an address is another host's."""
    return url.startswith(("http:", "https:")) and not url.startswith(home + "/")


# What a page was fetching when it was left: WebKit and Firefox tell the page so, and htmx writes it down.
_LEFT = re.compile(
    r"htmx:error: (Load failed|NetworkError )|Fetch API cannot load http://127\.0\.0\.1:\d+/\S* due to access control"
)


def is_serious(message: str, url: str) -> bool:
    """Tell whether an error in the console must not be there.

    No page can keep a browser from writing one line: that an answer was a refusal.
    """
    if _LEFT.search(message):
        return False
    is_refusal = re.search(r"Failed to load resource: .* status of (4\d\d|503) ", message)
    path = urlsplit(url).path
    is_file = path.startswith(("/static/", "/brand-"))
    return is_file or not (is_refusal or path == "/dev/states/fault")
