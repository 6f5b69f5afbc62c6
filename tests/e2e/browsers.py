"""The browsers: which there are, how they are started, how a window is opened in them.

`python -m tests.e2e.browsers chromium` prints the version of a browser that can be started, and whose it is.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from tests.e2e import webkit
from tests.e2e.sandbox_header import HEADER

KINDS = ("chromium", "firefox", "webkit")
SYSTEM = {
    # The same engine, as Playwright's own build has it: without the windows that nobody sees it takes a third less.
    "chromium": [Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium")],
    "firefox": [Path("/usr/bin/firefox-esr")],
}
"""Debian's packages; Playwright's own builds come first. Its WebKit is driven by `webkit`."""


@dataclass(frozen=True)
class Device:
    """What somebody holds in their hands, or has before them: its size in CSS pixels, and whether fingers touch it."""

    width: int
    height: int
    is_touched: bool = True

    @property
    def size(self) -> tuple[int, int]:
        """Its width and height."""
        return self.width, self.height

    @property
    def across(self) -> "Device":
        """The same, turned by a quarter."""
        return Device(self.height, self.width, self.is_touched)


_PIXEL, _IPHONE = Device(412, 839), Device(390, 844)
DEVICES = {
    "desktop": Device(1280, 900, is_touched=False),
    "pixel": _PIXEL,
    "pixel-across": _PIXEL.across,
    "iphone": _IPHONE,
    "iphone-across": _IPHONE.across,
}

_QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
# Without these two Firefox never comes back from Back.
_NO_PAGE_CACHE = {"fission.bfcacheInParent": False, "browser.sessionhistory.max_total_viewers": 0}


def is_playwrights(playwright: Playwright, kind: str) -> bool:
    """Tell whether Playwright drives this browser here: the WebKit of a system it cannot."""
    return kind in SYSTEM or Path(getattr(playwright, kind).executable_path).exists()


def is_touched(kind: str, device: Device) -> bool:
    """Tell whether fingers touch this device here: Playwright cannot make Firefox believe it,
    nor WebDriver WebKit.
    """
    return device.is_touched and kind != "firefox"


def launch(playwright: Playwright, kind: str) -> Browser:
    """Start a browser: Playwright's own build, or else the system's."""
    options: dict[str, Any] = {}
    if kind == "chromium":
        options |= {"chromium_sandbox": False, "args": _QUIET}
    if path := _executable(playwright, kind):
        options["executable_path"] = path
        if kind == "firefox":
            options |= {"channel": "moz-firefox", "firefox_user_prefs": _NO_PAGE_CACHE}
    browser: Browser = getattr(playwright, kind).launch(**options)
    return browser


def _executable(playwright: Playwright, kind: str) -> Path | None:
    """Return the system's browser; None where Playwright has its own."""
    if Path(getattr(playwright, kind).executable_path).exists():
        return None
    found = next((path for path in SYSTEM[kind] if path.exists()), None)
    if found is None:
        raise RuntimeError(f"There is no {kind} here; tests/run-all tells how to get one.")
    return found


def open_window(browser: Browser, kind: str, device: Device, is_scripted: bool, **looks: Any) -> BrowserContext:
    """Open a window with no memory; `looks` are Playwright's options for a context."""
    options: dict[str, Any] = {
        "viewport": {"width": device.width, "height": device.height},
        "locale": "hu-HU",
    }
    if is_touched(kind, device):
        options |= {"has_touch": True, "is_mobile": True}
    if not is_scripted and kind == "firefox":
        options["extra_http_headers"] = {HEADER: "1"}
    elif not is_scripted:
        options["java_script_enabled"] = False
    return browser.new_context(**options | looks)


def version(playwright: Playwright, kind: str) -> str:
    """Start a browser, and return the version that it tells."""
    if not is_playwrights(playwright, kind):
        return webkit.version()
    browser = launch(playwright, kind)
    try:
        return f"{browser.version} ({_executable(playwright, kind) or 'Playwright'})"
    finally:
        browser.close()


if __name__ == "__main__":
    with sync_playwright() as started:
        print(version(started, sys.argv[1]))
