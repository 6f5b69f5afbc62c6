"""Somebody at a browser: opens pages, fills in forms, presses buttons, reads what is said.

Knows the contract (addresses, names of fields and steps) and nothing of how a browser is driven.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests import ROOT
from tests.e2e.differences import WITHOUT_SCRIPTS
from tests.e2e.driver import Driver
from tests.e2e.server import Server
from tests.e2e.words import plain, words
from tests.world.cast import Customer
from tests.world.walk import FIRST, SECOND, Walk, names_of

AXE = (ROOT / "tests" / "e2e" / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

_PLACES = {"email": FIRST, "email-sent": FIRST, "done": "", "account": "/fiok/beallitasok"}

# What is wrong with where a swap has led: nothing where another page has come instead.
_ARRIVAL = """() => {
  if (!window.stays) return []
  const smooth = (text) => text.replace(/\\s+/g, ' ')
  const heard = smooth(window.said.slice(window.saidBefore).join(' '))
  const reports = [...document.querySelectorAll('#main .note.ok:not(:has(.strong))')]
  const silent = reports.filter((note) => note.checkVisibility()
    && !(note.dataset.say && heard.includes(smooth(note.dataset.say))))
  const at = document.activeElement
  const isSeen = at.matches('#main :is(h1, h2, [role=alert], [tabindex="-1"], form[data-step=staff-search] input)')
  return [!isSeen && 'the focus is on ' + at.localName + '#' + at.id,
    ...silent.map((note) => 'not said: ' + note.textContent)].filter(Boolean) }"""


class Visitor(Walk[None]):
    """A visitor. Where `is_scripted` is false, the browser runs no scripts."""

    def __init__(
        self, driver: Driver, server: Server, *, is_scripted: bool, email: str, customer: Customer, language: str = "hu"
    ) -> None:
        super().__init__(server, customer, email)
        self.browser = driver
        self.server = server
        self.is_scripted = is_scripted
        self.language = language

    def has(self, difference: str) -> bool:
        """Tell whether the scripts do what is different without them, by its name in `differences`."""
        assert difference in WITHOUT_SCRIPTS, difference
        return self.is_scripted

    def in_tab(self, driver: Driver) -> "Visitor":
        """Return the same person at another tab."""
        return Visitor(
            driver,
            self.server,
            is_scripted=self.is_scripted,
            email=self.email,
            customer=self.customer,
            language=self.language,
        )

    # --- Going about ---------------------------------------------------------------------------------------------

    def open(self, address: str = FIRST) -> None:
        self.browser.go(address if "://" in address else self.server.url + address)

    def follow(self, words_of_link: str) -> None:
        """Follow a link by its words."""
        self._act(lambda: self.browser.click(self._by_words("a", words_of_link)))

    def press(self, words_of_button: str) -> None:
        """Press a button by its words."""
        self._act(lambda: self.browser.click(self._by_words("#main button", words_of_button)))

    def submit(self, step: str = "", *, twice: bool = False) -> None:
        """Press the button of the current step's form or another's, by a double click where `twice`."""
        button = f"form[data-step={step or self.step}] button:not([type]):not([name])"
        self._act(lambda: self.browser.double_click(button) if twice else self.browser.click(button))

    def act(self, action: str, /, *, twice: bool = False, **fields: str) -> None:
        self.fill(**fields)
        button = f"button[name=action][value={action}]"
        self._act(lambda: self.browser.double_click(button) if twice else self.browser.click(button))

    def press_lightly(self, step: str = "") -> None:
        """Press a form's button without waiting for an answer."""
        self.browser.click(f"form[data-step={step or self.step}] button:not([type]):not([name])")

    def settle(self, deed: Callable[[], None]) -> None:
        """Do something that brings a new page or another step, and wait for it."""
        self._act(deed)

    def _act(self, deed: Callable[[], None]) -> None:
        self.browser.evaluate(
            """() => { document.getElementById('main').setAttribute('data-left', '')
              window.stays = true; window.saidBefore = window.said?.length }"""
        )
        deed()
        self.browser.wait_for("#main:not([data-left])")
        self.browser.wait_until_loaded()
        if self.is_scripted:
            self._arrive()

    def _arrive(self) -> None:
        """See that a swap took the focus to its heading, or to what went wrong, and that what it reports was said."""
        wrong: list[str] = []

        def is_right() -> bool:
            wrong[:] = self.browser.evaluate(_ARRIVAL)
            return not wrong

        self.wait_until(is_right, "a swap that is heard", wrong)

    def _by_words(self, selector: str, wanted: str) -> str:
        is_there = self.browser.evaluate(
            """([selector, wanted]) => {
              document.querySelectorAll('[data-found]').forEach((element) => element.removeAttribute('data-found'))
              const said = (element) => (element.getAttribute('aria-label') || element.textContent)
              const found = [...document.querySelectorAll(selector)]
                .filter((element) => element.getClientRects().length)
                .find((element) => said(element).replace(/\\s+/g, ' ').trim() === wanted)
              if (found) found.setAttribute('data-found', '')
              return !!found
            }""",
            [selector, plain(wanted)],
        )
        assert is_there, f"There is no {selector} that says “{wanted}”."
        return "[data-found]"

    # --- Filling in ----------------------------------------------------------------------------------------------

    def fill(self, **fields: str) -> None:
        for name, value in names_of(fields).items():
            if self.sees(f"label:has([name={name}]:is([type=radio], [type=checkbox]))"):
                self.choose(name, value)
            else:
                self.browser.fill(f"[name={name}]", value)

    def fill_label(self, label: str, text: str) -> None:
        """Fill in a field by its label."""
        field = self.browser.evaluate(
            """(wanted) => [...document.querySelectorAll('label[for]')]
              .find((label) => label.textContent.replace(/\\s+/g, ' ').trim() === wanted)?.htmlFor""",
            plain(label),
        )
        assert field, f"There is no field “{label}”."
        self.browser.fill(f"#{field}", text)

    def choose(self, name: str, value: str = "") -> None:
        """Choose one of several, or tick a box: by clicking the card it stands on."""
        of_value = f'[value="{value}"]' if value else ""
        self.browser.click(f"label:has([name={name}]{of_value})")

    def value(self, name: str) -> str:
        """Return what stands in a field."""
        value: str = self.browser.evaluate("(name) => document.querySelector(`[name=${name}]`).value", name)
        return value

    # --- Reading -------------------------------------------------------------------------------------------------

    @property
    def step(self) -> str:
        step: str = self.browser.evaluate(
            """() => (document.querySelector('#main[data-step]') || document.querySelector('#main form[data-step]'))
              ?.dataset.step || ''"""
        )
        return step

    @property
    def seen(self) -> None:
        """Nothing: what is on the page is asked of the browser."""

    def text(self, selector: str = "#main") -> str:
        """Return what can be read in an element: nothing where there is none, and nothing of what is hidden."""
        return plain(self.browser.evaluate("(s) => document.querySelector(s)?.innerText || ''", selector))

    def texts(self, selector: str) -> list[str]:
        """Return what can be read in each of several elements."""
        found = self.browser.evaluate("(s) => [...document.querySelectorAll(s)].map((e) => e.textContent)", selector)
        return [plain(text) for text in found]

    def sees(self, selector: str) -> bool:
        """Tell whether an element is there and shown."""
        is_shown: bool = self.browser.evaluate(
            "(s) => [...document.querySelectorAll(s)].some((e) => e.checkVisibility())", selector
        )
        return is_shown

    def attribute(self, selector: str, name: str) -> str | None:
        """Return an attribute of an element."""
        found: str | None = self.browser.evaluate(
            "([s, name]) => document.querySelector(s)?.getAttribute(name) ?? null", [selector, name]
        )
        return found

    @property
    def title(self) -> str:
        """The title of the page."""
        return plain(self.browser.title)

    @property
    def path(self) -> str:
        """The address bar, without the host."""
        parts = urlsplit(self.browser.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    @property
    def focus(self) -> str:
        """Where the focus is: the element's name and id, such as “h2” or “input#email”."""
        place: str = self.browser.evaluate(
            """() => { const e = document.activeElement
              return e ? e.localName + (e.id ? '#' + e.id : '') : '' }"""
        )
        return place

    def errors(self) -> dict[str, str]:
        """Return the fields in error with their messages, as the summary at the top links to them.

        What a screen reader needs is asserted on the way: a field that the summary names is marked, and says why.
        """
        found: dict[str, dict[str, Any]] = self.browser.evaluate(
            """() => Object.fromEntries([...document.querySelectorAll('#error-summary a')].map((link) => {
              const id = link.getAttribute('href').slice(1)
              const field = document.getElementById(id)
              const told = (field?.getAttribute('aria-describedby') || '').split(' ')
                .filter((name) => name.endsWith('-error')).map((name) => document.getElementById(name)?.textContent)
              return [id, { there: !!field, isField: field?.matches('input'), told: told.join(' '),
                            invalid: field?.getAttribute('aria-invalid'), text: link.closest('li').textContent }]
            }))"""
        )
        assert found, f"No errors are shown at {self.path}: {self.text()[:200]}"
        assert self.attribute("#error-summary", "role") == "alert"
        assert self.title.startswith(words("a11y.error_prefix", self.language)), self.title
        for name, seen in found.items():
            assert seen["there"], f"The summary leads to #{name}, which is not there."
            if seen["isField"]:
                assert seen["invalid"] == "true", f"{name} is not marked as wrong."
                assert seen["told"], f"{name} does not say what is wrong."
        return {name: plain(seen["text"]) for name, seen in found.items()}

    @property
    def alert(self) -> str:
        """What the page says with emphasis."""
        return self.text("#main [role=alert]")

    def said(self) -> list[str]:
        """Return what a screen reader heard from the live region since the page was opened."""
        return [plain(text) for text in self.browser.evaluate("() => window.said")]

    def wait_until(self, is_so: Callable[[], bool], what: str, instead: list[str] | None = None) -> None:
        """Wait until something is so; fail, saying `what`, and what is so `instead`, when it does not come."""
        deadline = time.monotonic() + 15
        while not is_so():
            assert time.monotonic() < deadline, f"Waited in vain: {what}. {instead or ''}"
            self.browser.pause()

    def hear(self, sentence: str) -> None:
        """Wait until the live region has said something."""
        wanted = plain(sentence)
        self.wait_until(lambda: any(wanted in text for text in self.said()), f"“{sentence}” among {self.said()}")

    def see_focus(self, place: str) -> None:
        """Wait until the focus has come to an element."""
        self.wait_until(lambda: self.focus == place, f"the focus on {place}, it is on {self.focus}")

    def tab_to(self, place: str) -> None:
        """Press Tab until the focus has come to an element, such as “input#email”."""
        for _ in range(60):
            if self.focus == place:
                return
            self.browser.press_key("Tab")
        raise AssertionError(f"Tab never comes to {place}; it is at {self.focus}.")

    def type_into(self, **fields: str) -> None:
        """Come to each field by Tab, type, and send the form by Enter."""
        for name, text in fields.items():
            self.tab_to(f"input#{name}")
            self.browser.type_keys(text)
        self.settle(lambda: self.browser.press_key("Enter"))

    def axe(self) -> list[str]:
        """Return what axe-core finds wrong with the page as it is now."""
        # What fades in is judged when it is there.
        self.browser.evaluate(
            "() => document.getAnimations().forEach((a) => { try { a.finish() } catch { a.cancel() } })"
        )
        self.browser.evaluate(f"() => {{ if (!window.axe) {{ {AXE} }} }}")
        found: list[str] = self.browser.evaluate(
            """(tags) => axe.run({ runOnly: tags, resultTypes: ['violations'] }).then((result) => result.violations
              .map((v) => v.id + ': ' + v.nodes.map((n) => n.target + ' ' + n.failureSummary).join(' | ')))""",
            _RULES,
        )
        return found

    def take_picture(self, path: Path) -> None:
        """Take a picture of the page."""
        self.browser.take_picture(path)

    # --- The registration and the account ----------------------------------------------------------------------

    def be_at(self, step: str) -> None:
        """Stand at a step of the registration at once, or in the account: for journeys that are about what follows."""
        # Until the form behind the link was sent, only the link leads there.
        state = "email-sent" if step == "mobile" else step
        self.open(f"/dev/states/{state}?email={self.email}&number={self.customer.policy_number}")
        if step == "mobile":
            self.open(self.server.link(self.email))
        elif place := _PLACES.get(step, SECOND):
            self.open(place)

    def sign_out(self) -> None:
        self._act(lambda: self.browser.click("form[data-step=logout] button"))

    def open_document(self, name: str) -> None:
        link = f"a[data-opens={name}]"
        window = self.browser.opened_by(lambda: self.browser.click(link))
        self.wait_until(lambda: bool(window.title), f"the title of the {name}")
        window.close_tab()

    def progress(self) -> list[str]:
        """Return the steps that are shown as done."""
        return self.texts(".path .done .name")
