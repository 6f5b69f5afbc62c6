"""HTML as a browser reads it: a tree of elements, the forms in it, and what a form sends."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from html.parser import HTMLParser

_VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"}


@dataclass
class Element:
    """An element with what is in it."""

    tag: str
    attributes: dict[str, str]
    children: list["Element | str"] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        return self.attributes.get(name, "")

    def __contains__(self, name: str) -> bool:
        return name in self.attributes

    def all(self, *tags: str) -> Iterator["Element"]:
        """Yield the elements inside, of these tags or of any."""
        return (element for element in self.inside if not tags or element.tag in tags)

    @cached_property
    def inside(self) -> list["Element"]:
        """The elements inside, in the order of the document."""
        elements = [child for child in self.children if isinstance(child, Element)]
        return [one for element in elements for one in (element, *element.inside)]

    @property
    def text(self) -> str:
        """The text inside, with single spaces."""
        pieces = (child if isinstance(child, str) else child.text for child in self.children)
        return re.sub(r"\s+", " ", " ".join(pieces)).strip()


def read(html: str) -> Element:
    """Return the root of a page or fragment; fail where elements are not closed in order or name an attribute twice."""
    builder = _Builder()
    builder.feed(html)
    return builder.root


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {})
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice: {names}"
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].tag == tag, f"</{tag}> closes <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


def step_of(root: Element) -> str:
    """Return the step that a page shows; the form for a new code stands beside its step, or alone without one.

    The button to sign out is on every page of a signed-in customer, and is no step.
    """
    steps = [element["data-step"] for element in root.all() if element["data-step"] not in ("", "logout")]
    return next((step for step in steps if step != "sms-resend"), steps[0] if steps else "")


def form_of(root: Element, step: str = "", action: str = "") -> Element:
    """Return the form of a step, or the one with the button for an action; fail where there is none."""
    forms = list(root.all("form"))
    for form in forms:
        if (step and form["data-step"] == step) or (action and action in actions_of(form)):
            return form
    raise AssertionError(f"there is no form for {step or action}, only {[form['data-step'] for form in forms]}")


def actions_of(form: Element) -> list[str]:
    """Return the values of a form's secondary buttons."""
    return [button["value"] for button in form.all("button") if button["name"] == "action"]


def values_of(form: Element) -> dict[str, str]:
    """Return what a browser would send of a form that nobody touched, buttons aside."""
    return {
        field["name"]: field["value"]
        for field in form.all("input")
        if field["name"] and (field["type"] not in ("radio", "checkbox") or "checked" in field)
    }
