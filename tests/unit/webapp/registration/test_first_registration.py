"""The tutorial “Your first registration”, to the letter: each line is done on the page by the words it shows."""

import re

from tests import ROOT
from tests.world.pages import Element, Page
from tests.world.site import Site, Visitor

TUTORIAL = ROOT / "docs" / "tutorials" / "first-registration.md"
EMAIL, MOBILE = "anna@example.hu", "+36201234567"
_LINE = re.compile(r"^- (Press |Open )?\*\*(.+?)\*\*(?:: (.+))?$", re.M)
_SAID = re.compile(r"The page says \*(.+?)\*")


def test_the_tutorial_leads_to_the_account(site: Site) -> None:
    text = TUTORIAL.read_text("utf-8")
    sections = re.split(r"^## \d\. ", text.partition("## What next")[0], flags=re.M)[1:]
    identify, email, link, mobile, code, terms, password, sign_in = sections
    visitor = site.visitor("en")
    address = re.search(r"<http://127\.0\.0\.1:8000(/\S+)>\. Keep", text)
    assert address is not None
    visitor.open(address[1])
    for section in (identify, email):
        _follow(visitor, section)
    assert not _LINE.findall(link)
    visitor.open_link(EMAIL)
    for section in (mobile, code, terms, password):
        _follow(visitor, section)
    _says(visitor, password)
    assert len(site.messages(EMAIL)) == 2
    (onward,) = re.findall(r"Follow \*\*(.+?)\*\*", sign_in)
    visitor.open(_link(visitor, onward))
    _follow(visitor, sign_in)
    assert _page(visitor).is_signed_in
    _says(visitor, sign_in)


def _follow(visitor: Visitor, section: str) -> None:
    """Do the lines of a section: fill in fields and tick boxes by their labels, open links, press the button."""
    typed: dict[str, str] = {}
    pressed = ""
    for verb, words, value in _LINE.findall(section):
        if verb == "Open ":
            before = _page(visitor)
            visitor.open(_link(visitor, words))
            visitor.page = before
        elif verb:
            pressed = words
        else:
            field = _field(visitor, words)
            typed[field["name"]] = _value(visitor, value) if value else field["value"]
    step = _page(visitor).step
    buttons = [button.text for button in _page(visitor).form(step).all("button") if button["type"] != "button"]
    assert pressed in buttons
    visitor.send(step, **typed)
    assert _page(visitor).status == 200, _page(visitor).text


def _says(visitor: Visitor, section: str) -> None:
    said = _SAID.search(section)
    assert said is not None
    assert said[1] in _page(visitor).text


def _value(visitor: Visitor, value: str) -> str:
    return visitor.site.code(MOBILE) if value == "the code" else value.strip("`")


def _field(visitor: Visitor, words: str) -> Element:
    page = _page(visitor)
    (label,) = (one for one in page.root.all("label") if one.text.removesuffix(" *") == words)
    inside = next(label.all("input"), None)
    field = inside or page.by_id(label["for"])
    assert field is not None, words
    return field


def _link(visitor: Visitor, words: str) -> str:
    return next(link["href"] for link in next(_page(visitor).root.all("main")).all("a") if link.text == words)


def _page(visitor: Visitor) -> Page:
    assert visitor.page is not None
    return visitor.page
