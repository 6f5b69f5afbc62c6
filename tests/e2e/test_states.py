"""Every state of the catalogue as those see, hear and reach it who use it: WCAG 2.2 AA and what lies beyond a checker.

Each is looked at twice: on a desktop in one language and theme, with or without scripts, and on a phone in the other of
each. Its name says which, so that all eight ways occur and a new state changes no other's.
"""

import csv
import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from services.profiles import Profile, load
from tests.e2e.browsers import DEVICES
from tests.e2e.conftest import Meet, Way
from tests.e2e.server import Server
from tests.e2e.visitor import Visitor
from tests.e2e.words import LOCALES, OTHERS, PROFILE, plain
from webapp.demo.states import known
from webapp.demo.states.catalogue import GROUPS, State

pytestmark = [pytest.mark.moves_time, pytest.mark.of_states]

SNAPSHOTS = Path(__file__).parent / "snapshots"
_EACH = pytest.mark.parametrize("group", GROUPS)

# WCAG 1.4.12: what a reader may set without losing anything.
_SPACING = """() => { const sheet = new CSSStyleSheet()
  sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: .12em !important;' +
    ' word-spacing: .16em !important } p { margin-block-end: 2em !important }')
  document.adoptedStyleSheets = [sheet] }"""
# Against clientWidth: on a phone innerWidth grows with what overflows.
_CUT = """() => { const wide = document.scrollingElement.scrollWidth - document.documentElement.clientWidth
  const cut = [...document.querySelectorAll('body *:not(input, select, svg *)')].filter((e) => e.checkVisibility()
    && /hidden|clip/.test(getComputedStyle(e).overflow) && e.clientWidth > 1
    && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1))
  return [wide > 0 && wide + ' too wide', ...cut.map((e) => 'cut off: ' + e.textContent.trim())].filter(Boolean) }"""
# Who is seen is drawn by lot: here all have an address that leaves no room.
_LONG = """() => { const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walk.nextNode()) walk.currentNode.data = walk.currentNode.data
    .replace(/[\\w.•]+@[\\w.•]+/g, 'magdolna.mindenesetre.hosszu.mmmmmmmmmmmmmmmm@wwwwwwwwwwwwwwwwww.example.hu') }"""
# Whether a colour stands out from what is behind it (1.4.11).
_COLOURS = """
  const pixel = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true })
  const light = (color) => { pixel.clearRect(0, 0, 1, 1); pixel.fillStyle = color; pixel.fillRect(0, 0, 1, 1)
    const [r, g, b, a] = pixel.getImageData(0, 0, 1, 1).data
    const linear = [r, g, b].map((c) => c / 255).map((c) => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    return a ? .2126 * linear[0] + .7152 * linear[1] + .0722 * linear[2] : null }
  const ground = (e) => { const own = e ? light(getComputedStyle(e).backgroundColor) : light('Canvas')
    return own ?? ground(e.parentElement) }
  const stands = (color, behind) => { const own = light(color)
    return own !== null && (Math.max(own, behind) + .05) / (Math.min(own, behind) + .05) >= 3 }"""
# Where the reader's own few colours replace the site's, and with them shadows and shades: what must still be seen.
_UNSEEN = (
    f"() => {{ {_COLOURS}"
    + """
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
)
# Whatever could move: also of what is under way, which a page at rest does not show.
_MOVING = """() => {
  const asked = [...document.querySelectorAll('form')], buttons = [...document.querySelectorAll('form button:enabled')]
  const ask = (is) => { for (const form of asked) form.classList.toggle('htmx-request', is)
    for (const button of buttons) button.disabled = is }
  ask(true)
  const found = [...document.querySelectorAll('*')].flatMap((e) => ['', '::before', '::after'].map((part) => {
    const { animationName, animationDuration, transitionDuration } = getComputedStyle(e, part)
    return (animationName !== 'none' && parseFloat(animationDuration) > 0 || /[1-9]/.test(transitionDuration))
      && 'moves: ' + e.localName + '.' + (e.className.baseVal ?? e.className) + part }))
  ask(false)
  return found.filter(Boolean) }"""
# All that can be used, in order: of radio buttons one of each group. And how each looks while the focus is elsewhere.
_USABLE = """() => {
  const kinds = 'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]'
  const alike = (e) => [...document.getElementsByName(e.name)].filter((one) => one.form === e.form)
  window.usable = [...document.querySelectorAll(kinds)].filter((e) => e.checkVisibility({ visibilityProperty: true })
    && !e.disabled && !e.closest('[aria-hidden=true]')
    && (e.type !== 'radio' || e === (alike(e).find((one) => one.checked) || alike(e)[0])))
  window.rings = (e) => [e, ...e.labels || [], e.closest('label')].filter(Boolean).map((at) => {
    const { outlineStyle, outlineWidth, outlineColor } = getComputedStyle(at)
    return { at, outlineStyle, outlineWidth, outlineColor } })
  document.activeElement.blur()
  window.resting = usable.map((e) => JSON.stringify(rings(e)))
  window.named = (e) => e.localName + (e.id ? '#' + e.id : '') + ' ' +
    (e.getAttribute('aria-label') || e.textContent || e.name || '').trim().slice(0, 30)
  const top = document.createElement('span')
  top.tabIndex = -1
  document.body.prepend(top)
  top.focus() }"""
# Of whatever has the focus: what it is, and what keeps somebody from seeing that it has it (2.4.7, 2.4.11, 2.4.13).
_FOCUSED = (
    f"() => {{ {_COLOURS}"
    + """
  const e = document.activeElement
  if (!e || e === document.body) return null
  const boxes = [...e.getClientRects()], box = boxes[0]
  // Within a field for dates the browser marks the part that has the focus by itself.
  const ring = e.type === 'date' || JSON.stringify(rings(e)) !== resting[usable.indexOf(e)] && rings(e).some((one) =>
    one.outlineStyle !== 'none' && parseFloat(one.outlineWidth) >= 2
    && stands(one.outlineColor, ground(one.at.parentElement)))
  const places = boxes.flatMap((b) => [[b.left + b.width / 2, b.top + b.height / 2], [b.left + 3, b.top + 3]])
  const free = places.some(([x, y]) => { const top = document.elementFromPoint(x, y)
    return top && [e, ...e.labels || []].some((own) => own.contains(top) || top.contains(own)) })
  const problems = [!box && 'has no place', box && !free && 'is covered', !ring && 'has no ring']
  return { place: usable.indexOf(e), what: named(e), problems: problems.filter(Boolean) } }"""
)


def _states(group: str) -> list[State]:
    return [one for one in known(PROFILE) if one.group == group]


def _of_others(profile: Profile) -> list[State]:
    """Return the states that another insurer has alone, and those of its first step, which asks for something else.

    Where its customers speak a language of their own, all that they can meet; staff are spoken to in ours.
    """
    if _own_languages(profile):
        return [one for one in known(profile) if one.group != GROUPS[-1]]
    ours = {one.name for one in known(PROFILE)}
    return [one for one in known(profile) if one.name not in ours or one.name.startswith("identify")]


def _own_languages(profile: Profile) -> tuple[str, ...]:
    """Return the languages that no state of ours is looked at in."""
    return tuple(code for code in profile.languages if code not in PROFILE.languages)


@dataclass(frozen=True)
class Look:
    """How a state is looked at. Its values take turns by the bits of the state's name, all other ones on a phone."""

    language: str
    theme: str
    is_scripted: bool

    @classmethod
    def at(cls, state: State, way: Way, languages: tuple[str, ...]) -> "Look":
        """Return how a state is looked at on a device."""
        bits = zlib.crc32(state.name.encode()) ^ (0b111 if way.device == "desktop" else 0)
        return cls(languages[(bits & 1) % len(languages)], ("light", "dark")[bits >> 1 & 1], bool(bits & 0b100))

    def __str__(self) -> str:
        return f"{self.language}, {self.theme}, {'with' if self.is_scripted else 'without'} scripts"


def _visits(
    meet: Meet, server: Server, way: Way, states: list[State], profile: Profile = PROFILE
) -> Iterator[tuple[State, str, Visitor]]:
    server.reset()
    visitors: dict[Look, Visitor] = {}
    for one in states:
        look = Look.at(one, way, _own_languages(profile) or profile.languages)
        if look not in visitors:
            locale = LOCALES[look.language]
            visitors[look] = meet(at=server, locale=locale, color_scheme=look.theme, reduced_motion="reduce")
            visitors[look].language = look.language
            if not look.is_scripted:
                visitors[look].browser.empty_scripts()
        visitors[look].open(f"/dev/states/{one.name}")
        yield one, f"{one.name} ({look})", visitors[look]


def _problems(visitor: Visitor, way: Way, state: State, profile: Profile = PROFILE) -> Iterator[str]:
    """Tell what is wrong with the state that a visitor sees."""
    if visitor.browser.status != state.status:
        yield f"answered by {visitor.browser.status}"
    yield from visitor.browser.evaluate(_MOVING)
    yield from visitor.axe()
    if visitor.attribute("html", "lang") != visitor.language:
        yield "in another language"
    is_error = visitor.title.startswith(plain(profile.texts.say("a11y.error_prefix", visitor.language)))
    if is_error != visitor.sees("#error-summary") and state.name != "internet-explorer":
        yield f"“{visitor.title}”"
    if way.device == "desktop":
        visitor.browser.force_colours(is_on=True)
        yield from (f"colours forced: {problem}" for problem in visitor.browser.evaluate(_UNSEEN))
        visitor.browser.force_colours(is_on=False)
    visitor.browser.resize(320, 640)
    yield from visitor.browser.evaluate(_CUT)
    visitor.browser.evaluate(_SPACING)
    visitor.browser.evaluate(_LONG)
    yield from (f"spaced: {problem}" for problem in visitor.browser.evaluate(_CUT))
    visitor.browser.resize(*DEVICES[way.device].size)


@pytest.mark.parametrize("device", ["desktop", "iphone"])
def test_all_ways_to_look_at_a_state_occur(device: str) -> None:
    """Each language with each theme, with and without scripts."""
    way = Way("chromium", "on", device)
    assert len({Look.at(one, way, PROFILE.languages) for one in known(PROFILE)}) == 8


@_EACH
def test_nobody_is_kept_out(meet: Meet, server: Server, way: Way, group: str) -> None:
    """The rules of WCAG 2.2 AA and best practices, the language, a title that begins with an error's word.

    And 1.4.10 and 1.4.12: nothing is lost at 320 pixels, which are also a zoom of 400 % on 1280, nor with wide spacing.
    With forced colours what matters is still seen, and nothing moves where less motion is asked for.
    """
    accesses = _visits(meet, server, way, _states(group))
    found = [f"{where}: {problem}" for one, where, visitor in accesses for problem in _problems(visitor, way, one)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("insurer", OTHERS)
@pytest.mark.once
def test_no_other_insurers_customer_is_kept_out(
    meet: Meet, server_of: Callable[[str], Server], way: Way, insurer: str
) -> None:
    """The same of what they alone have, a language of their own included, in one way each."""
    profile = load(insurer)
    accesses = _visits(meet, server_of(insurer), way, _of_others(profile), profile)
    found = [
        f"{where}: {problem}" for one, where, visitor in accesses for problem in _problems(visitor, way, one, profile)
    ]
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
        if one.name not in _OF_EACH_CUSTOMER and group != GROUPS[-1]:
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
    visitor.browser.evaluate(_USABLE)
    met: list[int] = []
    for _ in range(400):
        visitor.browser.press_key("Tab")
        at = visitor.browser.evaluate(_FOCUSED)
        if at is None:
            break
        met.append(at["place"])
        yield from (f"{at['what']} {problem}" for problem in at["problems"])
    else:
        yield f"the focus does not come to an end: {met[-5:]}"
    # What was swapped or hidden meanwhile is no more.
    missed = visitor.browser.evaluate(
        "(met) => usable.filter((e, i) => !met.includes(i) && e.checkVisibility()).map(named)", met
    )
    yield from (f"{name} cannot be reached" for name in missed)
    order = [place for place in met if place >= 0]
    if order != sorted(order):
        yield f"reached in another order: {order}"


def _told(file: str, column: str) -> str:
    """Return a pattern for whatever stands in a column of the demo data: by chance it is one or another customer's."""
    with (PROFILE.folder / "demo" / file).open(encoding="utf-8-sig", newline="") as rows:
        found = {row[column] for row in csv.DictReader(rows, delimiter=";") if row[column]}
    return "|".join(map(re.escape, sorted(found, key=len, reverse=True)))


_OF_EACH_CUSTOMER = (
    "inbox",
    "contract",
    "contract-ended",
    "receipt",
    "request-contract",
    "request-contract-empty",
    "request-review",
    "files-received",
    "files-too-many",
    "files-reviewed",
    "files-reviewed-refused",
    "files-sent",
)
"""What is on these pages depends on whose they are, or on how far the worker is: each walk is another."""
_CHANGING = [
    (re.compile(_told("customers.csv", "Név")), "NAME"),
    (re.compile(rf"\b({_told('policies.csv', 'Termék')})\b"), "PRODUCT"),
    (re.compile(r"\b\w•+( \w•+)+"), "NAME"),
    (re.compile(r"[\w.•]+@[\w.•]+"), "ADDRESS"),
    (re.compile(r"\b[2-9A-Z]{3}-[2-9A-Z]{3}\b"), "REFERENCE"),
    (re.compile(r"\b[2-9A-Z]( [2-9A-Z]){2} - [2-9A-Z]( [2-9A-Z]){2}\b"), "REFERENCE"),
    (re.compile(r"\bU-[2-9A-Z]{6}\b"), "REFERENCE"),
    # A tax number is stored without the part from the hyphen on for some: M13.
    (re.compile(r'"?\b\d{8}(-\d-\d\d)?"?$', re.MULTILINE), "TAX_NUMBER"),
    (re.compile(r"(token=|meghivo=|[?&]level=|mailed=|after=|contract=|szerzodes=)[\w.%-]+"), r"\1TOKEN"),
    (re.compile(r"/ugyfel/[\w-]+"), "/ugyfel/CASE"),
    (re.compile(r"/(levelezes|szerzodesek|szamlak|naptar|fizetes|ugyintezes(?:/fajl)?)/[\w.-]{16,}"), r"/\1/ID"),
    (re.compile(r"/karbejelentes/ugy/[\w-]{16,}"), "/karbejelentes/ugy/ID"),
    (re.compile(r"Kötelező gépjármű-felelősségbiztosítás|(Lakás|Utas)biztosítás|Casco biztosítás"), "PRODUCT"),
    (re.compile(r'text: "[^"]*(?= Kötvényszám)'), 'text: "INSURED'),
    (re.compile(r"(?<=\u2011)(?:jén|án|én|jéig|ig|jétől|ától|étől)\b"), "ENDING"),
    (re.compile(r"január|február|március|április|május|június|július|augusztus|szeptember|október|november|december"),
     "MONTH"),
    (re.compile(r"(?<!level=)\d+"), "0"),
]  # fmt: skip


def _lasting(tree: str) -> list[str]:
    for changing, mark in _CHANGING:
        tree = changing.sub(mark, tree)
    return tree.splitlines()


_KNOWN = ".*Attribute .passwordrules. not allowed.*"
"""An attribute that browsers and password managers read and no standard has yet."""


@pytest.mark.once
def test_the_nu_checker_finds_valid_html(
    server: Server, server_of: Callable[[str], Server], way: Way, tmp_path: Path
) -> None:
    """Every state in each language, and what other insurers have alone, in one call."""
    java, jar = shutil.which("java"), Path(__file__).parent / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
    assert java is not None, "The Nu checker needs Java (Debian's default-jre-headless)."
    for profile in (PROFILE, *map(load, OTHERS)):
        at = server if profile is PROFILE else server_of(profile.name)
        for one in known(PROFILE) if profile is PROFILE else _of_others(profile):
            for language in _own_languages(profile) or profile.languages:
                page = _page(f"{at.url}/dev/states/{one.name}", language)
                (tmp_path / f"{one.name}-{profile.name}-{language}.html").write_text(page, "utf-8")
    checked = subprocess.run(
        [java, "-jar", str(jar), "--format", "gnu", "--skip-non-html", "--filterpattern", _KNOWN, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.stdout + checked.stderr).replace(f"file:{tmp_path}/", "") == ""


def _page(address: str, language: str) -> str:
    asked = urllib.request.Request(address, headers={"Accept-Language": language})
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as refusal:
        return refusal.read().decode()
