"""`make screenshots`: every state on phone and desktop, light and dark, in each language, into build/screenshots.

`PROFILE=` chooses the insurer, `BASE_URL=` a server that is running (with the profile that `PROFILE=` names).
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from services.profiles import default, load
from tests import ROOT
from tests.e2e import browsers
from tests.e2e.driver import PlaywrightDriver
from tests.e2e.server import OwnServer, Server
from tests.e2e.visitor import Visitor
from tests.e2e.words import LOCALES
from tests.world import cast

FOLDER = ROOT / "build" / "screenshots"
DEVICES = ("iphone", "desktop")
PROFILE = os.environ.get("PROFILE") or default()


@dataclass(frozen=True)
class Look:
    """How a picture is to look."""

    device: str
    theme: str
    language: str

    def file(self, sight: str) -> Path:
        """Return where the picture of a sight belongs."""
        return FOLDER / f"{sight}.{self.device}.{self.theme}.{self.language}.png"


LOOKS = [Look(*values) for values in product(DEVICES, ("light", "dark"), load(PROFILE).languages)]


def main() -> None:
    """Take all pictures, and put them on one sheet."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    sights: list[str] = []
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as server, sync_playwright() as playwright:
        browser = browsers.launch(playwright, "chromium")
        try:
            for look in LOOKS:
                sights = list(_take(browser, server, look))
                print(f"{look.device} {look.theme} {look.language}: {len(sights)} pictures", flush=True)
        finally:
            browser.close()
    (FOLDER / "index.html").write_text(_sheet(sights), "utf-8")
    print(FOLDER / "index.html")


@contextmanager
def _server(folder: Path) -> Iterator[Server]:
    if address := os.environ.get("BASE_URL"):
        yield Server(address)
        return
    server = OwnServer(folder, profile=PROFILE)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _take(browser: Browser, server: Server, look: Look) -> Iterator[str]:
    if server.is_own:
        server.reset()
    visitor = _visitor(browser, server, look)
    for one in server.states():
        visitor.open(one["url"])
        visitor.take_picture(look.file(one["name"]))
        yield one["name"]
    visitor.browser.close()


def _visitor(browser: Browser, server: Server, look: Look) -> Visitor:
    window = browsers.open_window(
        browser,
        "chromium",
        browsers.DEVICES[look.device],
        is_scripted=True,
        color_scheme=look.theme,
        locale=LOCALES.get(look.language, look.language),
        reduced_motion="reduce",
    )
    return Visitor(
        PlaywrightDriver.in_context(window, server.url),
        server,
        is_scripted=True,
        email="kovacs.anna@example.hu",
        customer=cast.one_of_many(101),
        language=look.language,
    )


def _sheet(sights: list[str]) -> str:
    rows = []
    for sight in sights:
        cells = "".join(
            f'<figure><a href="{name}"><img src="{name}" alt="" loading="lazy"></a>'
            f"<figcaption>{look.device}, {look.theme}, {look.language}</figcaption></figure>"
            for look in LOOKS
            for name in [look.file(sight).name]
        )
        rows.append(f"<h2>{escape(sight)}</h2><div>{cells}</div>")
    style = (
        "body{font:16px sans-serif;margin:1rem}div{display:flex;gap:1rem;overflow-x:auto;align-items:start}"
        "figure{margin:0}img{height:24rem;border:1px solid #999}"
    )
    title = "Every state"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{style}</style>'
        f"<h1>{title}</h1>{''.join(rows)}</html>"
    )


if __name__ == "__main__":
    main()
