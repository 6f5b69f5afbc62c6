"""Every state of the catalogue as those see, hear and reach it who use it: WCAG 2.2 AA and what lies beyond a checker.

Each is looked at in Hungarian and English, light and dark, with and without scripts, once on a phone and once on a
desktop; from state to state these take turns, so that every two of them meet.
"""

import csv
import itertools
import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from webapp.states import known
from webapp.states.catalogue import GROUPS, State

from .browsers import DEVICES
from .conftest import Meet, Way
from .server import Server
from .visitor import Visitor
from .words import PROFILE, words

pytestmark = [pytest.mark.moves_time, pytest.mark.of_states]

SNAPSHOTS = Path(__file__).parent / "snapshots"
_LOCALES = {"hu": "hu-HU", "en": "en-GB"}
_LOOKS = (
    (("hu", "dark", True), ("en", "light", False)),
    (("hu", "light", False), ("en", "dark", True)),
)
"""The language, the theme, and whether the site's scripts run: in pairs in which each has both its values."""
_EACH = pytest.mark.parametrize("group", GROUPS)

# WCAG 1.4.12: what a reader may set without losing anything.
_SPACING = """() => { const sheet = new CSSStyleSheet()
  sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: .12em !important;' +
    ' word-spacing: .16em !important } p { margin-block-end: 2em !important }')
  document.adoptedStyleSheets = [sheet] }"""
# Against clientWidth: on a phone innerWidth grows with what overflows.
_TOO_WIDE = """() => { const wide = document.scrollingElement.scrollWidth - document.documentElement.clientWidth
  const cut = [...document.querySelectorAll('main *')].filter((e) => e.checkVisibility() && e.childElementCount === 0
    && getComputedStyle(e).overflow === 'hidden' && e.clientWidth > 1 && e.scrollWidth > e.clientWidth + 1)
  return [wide > 0 && wide + ' too wide', ...cut.map((e) => 'cut off: ' + e.textContent.trim())].filter(Boolean) }"""
# Who is seen is drawn by lot: here all have an address that leaves no room.
_LONG = """() => { const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walk.nextNode()) walk.currentNode.data = walk.currentNode.data
    .replace(/[\\w.•]+@[\\w.•]+/g, 'magdolna.mindenesetre.hosszu.mmmmmmmmmmmmmmmm@wwwwwwwwwwwwwwwwww.example.hu') }"""
# Where the reader's own few colours replace the site's, and with them shadows and shades: what must still be seen.
_UNSEEN = """() => {
  const pixel = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })
  const light = (color) => { pixel.clearRect(0, 0, 1, 1); pixel.fillStyle = color; pixel.fillRect(0, 0, 1, 1)
    const [r, g, b, a] = pixel.getImageData(0, 0, 1, 1).data
    const linear = [r, g, b].map((c) => c / 255).map((c) => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    return a ? .2126 * linear[0] + .7152 * linear[1] + .0722 * linear[2] : null }
  const ground = (e) => { const own = e ? light(getComputedStyle(e).backgroundColor) : light('Canvas')
    return own ?? ground(e.parentElement) }
  const stands = (color, behind) => { const own = light(color)
    return own !== null && (Math.max(own, behind) + .05) / (Math.min(own, behind) + .05) >= 3 }
  const found = []
  const look = (selector, what, isSeen) => { for (const e of document.querySelectorAll(selector))
    if (e.checkVisibility() && !isSeen(e, getComputedStyle(e))) found.push(
      what + ': ' + e.localName + '.' + (e.className.baseVal ?? e.className) + ' ' + (e.name || e.textContent.trim())) }
  const framed = (e, style) => style.borderBottomStyle !== 'none' && parseFloat(style.borderBottomWidth) > 0
    && stands(style.borderBottomColor, ground(e.parentElement))
  look('input:not([type=hidden], [type=date], .vh, .check *), select, .btn, .option, .card .note', 'no border', framed)
  look('.ic', 'an icon', (e, style) => stands(style.stroke, ground(e)) || e.closest('.rules li:not(.met)'))
  look('.ring path', 'the ring', (e, style) => stands(style.stroke, ground(e)) &&
    light(style.stroke) !== light(getComputedStyle(e.parentElement.querySelector('circle')).stroke))
  look('.ring text', 'the seconds', (e, style) => stands(style.fill, ground(e)))
  look('.option :checked', 'what is chosen', (e) => stands(getComputedStyle(e, '::before').borderRightColor, ground(e)))
  look('.pip.left', 'a try', (e) => ground(e) !== ground(e.parentElement))
  look('[aria-current=page], [aria-current=true]', 'where one is', (e, style) =>
    framed(e, style) && parseFloat(style.borderBottomWidth) > 2)
  const field = [...document.querySelectorAll('main :is(input:not([type=hidden], .vh), .btn)')]
    .find((e) => e.checkVisibility() && !e.disabled)
  if (field) { field.focus({ focusVisible: true })
    const at = [field, ...field.labels || []].map((e) => [e, getComputedStyle(e)])
    if (!at.some(([e, style]) => style.outlineStyle !== 'none' && stands(style.outlineColor, ground(e.parentElement))))
      found.push('the focus on ' + (field.name || field.textContent)) }
  return found }"""
_MOVING = """() => document.getAnimations().filter((a) => a.effect.getComputedTiming().endTime > 0)
  .map((a) => 'moves: ' + (a.animationName || a.transitionProperty) + ' of ' + a.effect.target.className)"""
# Of whatever has the focus: what it is, and what keeps somebody from seeing that it has it (2.4.7, 2.4.11).
_FOCUSED = """() => { const e = document.activeElement
  if (!e || e === document.body) return null
  const name = e.getAttribute('aria-label') || e.textContent || e.name || ''
  const what = e.localName + (e.id ? '#' + e.id : '') + ' ' + name.trim().slice(0, 30)
  const boxes = [...e.getClientRects()], box = boxes[0]
  const seen = e.closest('label') || (e.labels && e.labels[0]) || e
  // Within a field for dates the browser marks the part that has the focus by itself.
  const ring = e.type === 'date' || [e, seen].some((at) => { const style = getComputedStyle(at)
    return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none' })
  const places = boxes.flatMap((b) => [[b.left + b.width / 2, b.top + b.height / 2], [b.left + 3, b.top + 3]])
  const free = places.some(([x, y]) => { const top = document.elementFromPoint(x, y)
    return top && [e, ...e.labels || []].some((own) => own.contains(top) || top.contains(own)) })
  const problems = [!box && 'has no place', box && !free && 'is covered', !ring && 'has no ring']
  return { what, problems: problems.filter(Boolean) } }"""


def _states(group: str) -> list[State]:
    return [one for one in known(PROFILE) if one.group == group]


def _visits(meet: Meet, server: Server, way: Way, group: str) -> Iterator[tuple[str, str, Visitor]]:
    states = _states(group)
    server.reset()
    for look in itertools.chain(*_LOOKS):
        language, theme, is_scripted = look
        visitor = meet(locale=_LOCALES[language], color_scheme=theme, reduced_motion="reduce")
        visitor.language = language
        if not is_scripted:
            visitor.browser.empty_scripts()
        for one in [one for place, one in enumerate(states) if _look(way, place) == look]:
            visitor.open(f"/dev/states/{one.name}")
            yield one.name, f"{one.name} ({language}, {theme}, {'with' if is_scripted else 'without'} scripts)", visitor


def _look(way: Way, place: int) -> tuple[str, str, bool]:
    pair = _LOOKS[place // 2 % 2]
    return pair[(place + (way.device == "desktop")) % 2]


@_EACH
def test_nobody_is_kept_out(meet: Meet, server: Server, way: Way, group: str) -> None:
    """The rules of WCAG 2.2 AA and best practices, the language, a title that begins with an error's word.

    And 1.4.10 and 1.4.12: nothing is lost at 320 pixels, which are also a zoom of 400 % on 1280, nor with wide spacing.
    With forced colours what matters is still seen, and nothing moves where less motion is asked for.
    """
    found: list[str] = []
    for name, where, visitor in _visits(meet, server, way, group):
        found += [f"{where}: {moving}" for moving in visitor.browser.evaluate(_MOVING)]
        found += [f"{where}: {violation}" for violation in visitor.axe()]
        if visitor.attribute("html", "lang") != visitor.language:
            found.append(f"{where}: in another language")
        is_error = visitor.title.startswith(words("a11y.error_prefix", visitor.language))
        if is_error != visitor.sees("#error-summary") and name != "internet-explorer":
            found.append(f"{where}: “{visitor.title}”")
        if way.device == "desktop":
            visitor.browser.force_colours(is_on=True)
            found += [f"{where}, colours forced: {problem}" for problem in visitor.browser.evaluate(_UNSEEN)]
            visitor.browser.force_colours(is_on=False)
        visitor.browser.resize(320, 640)
        found += [f"{where}: {problem}" for problem in visitor.browser.evaluate(_TOO_WIDE)]
        visitor.browser.evaluate(_SPACING)
        visitor.browser.evaluate(_LONG)
        found += [f"{where}, spaced: {problem}" for problem in visitor.browser.evaluate(_TOO_WIDE)]
        visitor.browser.resize(*DEVICES[way.device].size)
    assert not found, "\n".join(found)


@_EACH
@pytest.mark.once
def test_the_keyboard_and_the_screen_reader_reach_everything(visitor: Visitor, group: str) -> None:
    """WCAG 2.1.1, 2.1.2, 2.4.3, 2.4.7 and 2.4.11, with the Tab key from the top of the page to its end.

    And the accessibility tree as it was reviewed: `UPDATE=1` writes it anew, to be read in the change.
    """
    found: list[str] = []
    trees: dict[str, list[str]] = {}
    for one in _states(group):
        visitor.open(f"/dev/states/{one.name}")
        # Those show whose turn it is and what was done before: they differ from one time to the next.
        if one.name != "inbox" and group != GROUPS[-1]:
            trees[one.name] = _lasting(visitor.browser.tree())
        found += [f"{one.name}: {problem}" for problem in _tab_through(visitor)]
    assert not found, "\n".join(found)
    if not trees:
        return
    file = SNAPSHOTS / f"{group.replace(' ', '-')}.json"
    if os.environ.get("UPDATE"):
        SNAPSHOTS.mkdir(exist_ok=True)
        file.write_text(json.dumps(trees, ensure_ascii=False, indent=1) + "\n", "utf-8")
    assert trees == json.loads(file.read_text("utf-8"))


def _tab_through(visitor: Visitor) -> Iterator[str]:
    visitor.browser.evaluate("() => (document.querySelector('a.skip') || document.querySelector('a')).focus()")
    seen: list[str] = []
    for _ in range(400):
        at = visitor.browser.evaluate(_FOCUSED)
        if at is None:
            break
        seen.append(at["what"])
        yield from (f"{at['what']} {problem}" for problem in at["problems"])
        visitor.browser.press_key("Tab")
    else:
        yield f"the focus does not come to an end: {seen[-5:]}"
    if len(seen) < min(2, visitor.browser.evaluate("() => document.querySelectorAll('a, button').length")):
        yield "nothing can be reached"


def _told(file: str, column: str) -> str:
    """Return a pattern for whatever stands in a column of the demo data: by chance it is one or another customer's."""
    with (PROFILE.folder / "demo" / file).open(encoding="utf-8-sig", newline="") as rows:
        found = {row[column] for row in csv.DictReader(rows, delimiter=";") if row[column]}
    return "|".join(map(re.escape, sorted(found, key=len, reverse=True)))


_CHANGING = [
    (re.compile(_told("customers.csv", "Név")), "NAME"),
    (re.compile(rf"\b({_told('policies.csv', 'Termék')})\b"), "PRODUCT"),
    (re.compile(r"\b\w•+( \w•+)+"), "NAME"),
    (re.compile(r"[\w.•]+@[\w.•]+"), "ADDRESS"),
    (re.compile(r"\b[2-9A-Z]{3}-[2-9A-Z]{3}\b"), "REFERENCE"),
    (re.compile(r"\b[2-9A-Z]( [2-9A-Z]){2} - [2-9A-Z]( [2-9A-Z]){2}\b"), "REFERENCE"),
    (re.compile(r"(token=)[\w.%-]+"), r"\1TOKEN"),
    (re.compile(r"/ugyfel/[\w-]+"), "/ugyfel/CASE"),
    (re.compile(r"január|február|március|április|május|június|július|augusztus|szeptember|október|november|december"),
     "MONTH"),
    (re.compile(r"(?<!level=)\d+"), "0"),
]  # fmt: skip


def _lasting(tree: str) -> list[str]:
    for changing, mark in _CHANGING:
        tree = changing.sub(mark, tree)
    return tree.splitlines()


@pytest.mark.once
def test_the_nu_checker_finds_valid_html(server: Server, way: Way, tmp_path: Path) -> None:
    """Every state in one call."""
    java, jar = shutil.which("java"), Path(__file__).parent / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
    assert java is not None, "The Nu checker needs Java (Debian's default-jre-headless)."
    for one in known(PROFILE):
        (tmp_path / f"{one.name}.html").write_text(_page(f"{server.url}/dev/states/{one.name}"), "utf-8")
    checked = subprocess.run(
        [java, "-jar", str(jar), "--format", "gnu", "--skip-non-html", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.stdout + checked.stderr).replace(f"file:{tmp_path}/", "") == ""


def _page(address: str) -> str:
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as refusal:
        return refusal.read().decode()
