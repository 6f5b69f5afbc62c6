"""The browsers: which there are, how they are started, how a window is opened in them.

`python -m tests.e2e.browsers chromium` prints the version of a browser that can be started.
"""

import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Playwright, sync_playwright

from .sandbox_header import HEADER

KINDS = ("chromium", "firefox")
SYSTEM = {"chromium": Path("/usr/bin/chromium"), "firefox": Path("/usr/bin/firefox-esr")}
"""Debian's packages; Playwright's own builds come first."""

_QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
# Without these two Firefox never comes back from Back.
_NO_PAGE_CACHE = {"fission.bfcacheInParent": False, "browser.sessionhistory.max_total_viewers": 0}


def launch(playwright: Playwright, kind: str) -> Browser:
    """Start a browser: Playwright's own build, or else the system's."""
    engine = getattr(playwright, kind)
    options: dict[str, Any] = {}
    if kind == "chromium":
        options |= {"chromium_sandbox": False, "args": _QUIET}
    if not Path(engine.executable_path).exists():
        if not SYSTEM[kind].exists():
            raise RuntimeError(f"There is no {kind} here; tests/run-all tells how to get one.")
        options["executable_path"] = SYSTEM[kind]
        if kind == "firefox":
            options |= {"channel": "moz-firefox", "firefox_user_prefs": _NO_PAGE_CACHE}
    browser: Browser = engine.launch(**options)
    return browser


def open_window(browser: Browser, kind: str, size: tuple[int, int], is_scripted: bool, **looks: Any) -> BrowserContext:
    """Open a window with no memory; `looks` are Playwright's options for a context."""
    options: dict[str, Any] = {"viewport": {"width": size[0], "height": size[1]}, "locale": "hu-HU"}
    if not is_scripted and kind == "firefox":
        options["extra_http_headers"] = {HEADER: "1"}
    elif not is_scripted:
        options["java_script_enabled"] = False
    return browser.new_context(**options | looks)


if __name__ == "__main__":
    with sync_playwright() as started:
        found = launch(started, sys.argv[1])
        print(found.version)
        found.close()
