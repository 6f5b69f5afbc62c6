"""The customer's home: what needs them, the newest letters, and the places (P1, P2, P4)."""

import gzip
from datetime import date, timedelta

import pytest

from tests.world.letters import change, publish
from tests.world.pages import Page
from tests.world.site import Site, Visitor


def _links(page: Page, region: str) -> list[str]:
    """Return the words of the links in the part of the page that a heading names."""
    part = next(one for one in page.root.all("section") if one["aria-labelledby"] == region)
    return [link.text for item in part.all("li") for link in item.all("a")]


def _places(page: Page) -> dict[str, str]:
    nav = next(one for one in page.root.all("nav") if one["class"] == "places")
    return {link["href"]: link["aria-current"] for link in nav.all("a")}


def test_home_is_what_a_customer_comes_to(anna: Visitor, site: Site) -> None:
    page = anna.open("/fiok")
    assert (page.step, page.status) == ("home", 200)
    assert site.say("home.heading", customer="Kovács Anna") in page.text


def test_nothing_due_says_so_calmly(anna: Visitor, site: Site) -> None:
    page = anna.open("/fiok")
    assert site.say("home.todo.none") in page.text
    assert site.say("home.letters.none") in page.text
    assert not list(page.root.all("button")) or "primary" not in page.text
    assert not [link for link in page.root.all("a") if "primary" in link["class"]]


def test_what_has_a_day_comes_first_by_day(anna: Visitor, site: Site) -> None:
    today = site.now.date()
    publish(site)
    publish(site, type="policy", title="Kötvény", confirm_by=today + timedelta(days=9))
    publish(site, type="premium_notice", latest_on=today + timedelta(days=2))
    publish(site, type="notice", latest_on=today)
    change(site, publish(site, type="answer"), latest_on=today - timedelta(days=1))
    page = anna.open("/fiok")
    due = [words for words in _links(page, "todo") if words != site.say("home.todo.open")]
    kinds = ("answer", "notice", "premium_notice", "policy")
    assert [kind in words for kind, words in zip(map(_word_of(site), kinds), due, strict=False)] == [True] * 4
    assert due[-1] == site.say("home.letters.unread", count=5)
    assert len([link for link in page.root.all("a") if "primary" in link["class"]]) == 1


def _word_of(site: Site):  # type: ignore[no-untyped-def]
    return lambda kind: site.say(f"letter.type.{kind}")


def test_a_letter_that_was_read_or_confirmed_waits_no_more(anna: Visitor, site: Site) -> None:
    day = site.now.date() + timedelta(days=3)
    read, confirmed = publish(site, latest_on=day), publish(site, type="policy", confirm_by=day)
    anna.open(f"/levelezes/{read}")
    anna.open(f"/levelezes/{confirmed}")
    assert len([one for one in _links(anna.open("/fiok"), "todo") if one != site.say("home.todo.open")]) == 1
    anna.open(f"/levelezes/{confirmed}")
    anna.send("letter-confirm")
    assert site.say("home.todo.none") in anna.open("/fiok").text


def test_the_places_are_the_same_on_every_page(anna: Visitor, site: Site) -> None:
    letter = publish(site)
    expected = {
        "/fiok": "",
        "/szerzodesek": "",
        "/levelezes": "",
        "/ugyintezes": "",
        "/szamlak": "",
        "/fiok/beallitasok": "",
    }
    for address, place in (
        ("/fiok", "/fiok"),
        ("/szerzodesek", "/szerzodesek"),
        ("/levelezes", "/levelezes"),
        (f"/levelezes/{letter}", "/levelezes"),
        (f"/levelezes/{letter}/igazolas", "/levelezes"),
        ("/ugyintezes", "/ugyintezes"),
        ("/ugyintezes/uj/address-change", "/ugyintezes"),
        ("/szamlak", "/szamlak"),
        ("/fiok/beallitasok", "/fiok/beallitasok"),
        ("/fiok/email", "/fiok/beallitasok"),
        ("/fiok/jelszo", "/fiok/beallitasok"),
        ("/", ""),
        ("/aszf", ""),
    ):
        places = _places(anna.open(address))
        assert places == {**expected, **({place: "page"} if place else {})}, address
    anna.sign_out()
    assert not [one for one in anna.open("/").root.all("nav") if one["class"] == "places"]


@pytest.mark.parametrize(("count", "shown"), [(0, ""), (3, "3"), (101, "99+")])
def test_unread_letters_are_counted_beside_the_place(anna: Visitor, site: Site, count: int, shown: str) -> None:
    for _ in range(count):
        publish(site)
    page = anna.open("/fiok")
    numbers = [one.text for one in page.root.all("span") if one["class"] == "number"]
    assert numbers == ([shown] if shown else [])


def test_home_is_light(anna: Visitor, site: Site, statements: list[str]) -> None:
    day = site.now.date() + timedelta(days=3)
    for number in range(25):
        publish(site, latest_on=day, issued_on=date(2026, 1, 1 + number))
    anna.open("/fiok")
    statements.clear()
    page = anna.open("/fiok")
    assert len(statements) <= 8, statements
    assert len(gzip.compress(page.html.encode(), 3)) <= 6000
