"""`make screenshots`: every sight on phone and desktop, light and dark, in each language, into build/screenshots."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from . import browsers, cast, scenes
from .driver import PlaywrightDriver
from .server import ROOT, OwnServer
from .visitor import Visitor

FOLDER = ROOT / "build" / "screenshots"
SIZES = {"phone": (390, 844), "desktop": (1280, 900)}
LANGUAGES = {"hu": "hu-HU", "en": "en-GB"}
_EXPLORER = "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko"


@dataclass(frozen=True)
class Look:
    """How a picture is to look."""

    size: str
    theme: str
    language: str

    def file(self, sight: str) -> Path:
        """Return where the picture of a sight belongs."""
        return FOLDER / f"{sight}.{self.size}.{self.theme}.{self.language}.png"


LOOKS = [Look(*values) for values in product(SIZES, ("light", "dark"), LANGUAGES)]


def main() -> None:
    """Take all pictures, and put them on one sheet."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    sights: list[str] = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = OwnServer(Path(folder))
        server.start()
        browser = browsers.launch(playwright, "chromium")
        try:
            for look in LOOKS:
                sights = list(_take(browser, server, look))
                print(f"{look.size} {look.theme} {look.language}: {len(sights)} pictures", flush=True)
        finally:
            browser.close()
            server.stop()
    (FOLDER / "index.html").write_text(_sheet(sights), "utf-8")
    print(FOLDER / "index.html")


def _take(browser: Browser, server: OwnServer, look: Look) -> Iterator[str]:
    for sights in (scenes.steps, scenes.errors, scenes.dead_ends, scenes.account):
        server.reset()
        visitor = _visitor(browser, server, look)
        for sight in sights(visitor):
            visitor.take_picture(look.file(sight))
            yield sight
        visitor.browser.close()
    visitor = _visitor(browser, server, look, user_agent=_EXPLORER)
    visitor.open("/")
    visitor.take_picture(look.file("internet-explorer"))
    visitor.browser.close()
    yield "internet-explorer"


def _visitor(browser: Browser, server: OwnServer, look: Look, **options: str) -> Visitor:
    window = browsers.open_window(
        browser,
        "chromium",
        SIZES[look.size],
        is_scripted=True,
        color_scheme=look.theme,
        locale=LANGUAGES[look.language],
        reduced_motion="reduce",
        **options,
    )
    return Visitor(
        PlaywrightDriver.in_context(window, server.url),
        server,
        is_scripted=True,
        email="kovacs.anna@example.hu",
        customer=cast.nth(0),
        language=look.language,
    )


def _sheet(sights: list[str]) -> str:
    rows = []
    for sight in sights:
        cells = "".join(
            f'<figure><a href="{name}"><img src="{name}" alt="" loading="lazy"></a>'
            f"<figcaption>{look.size}, {look.theme}, {look.language}</figcaption></figure>"
            for look in LOOKS
            for name in [look.file(sight).name]
        )
        rows.append(f"<h2>{escape(sight)}</h2><div>{cells}</div>")
    style = (
        "body{font:16px sans-serif;margin:1rem}div{display:flex;gap:1rem;overflow-x:auto;align-items:start}"
        "figure{margin:0}img{height:24rem;border:1px solid #999}"
    )
    title = "Every step, error and dead end"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{style}</style>'
        f"<h1>{title}</h1>{''.join(rows)}</html>"
    )


if __name__ == "__main__":
    main()
