"""Changing one's mind: another address, another number, another browser's button, another language, another look."""

from itertools import pairwise
from urllib.parse import urlsplit

import pytest

from tests.e2e.conftest import Meet
from tests.e2e.server import Server
from tests.e2e.visitor import Visitor
from tests.e2e.words import words
from tests.world import cast
from tests.world.walk import FIRST, SECOND, WAY


def test_another_address_is_given(visitor: Visitor, server: Server) -> None:
    """M14, M16: from the page that waits for the mail; the first link dies."""
    visitor.walk_to("email-sent")
    first, old_link = visitor.email, server.link(visitor.email)
    visitor.act("change-email")
    assert visitor.step == "email"
    assert visitor.value("email") == first
    visitor.email = f"uj-{first}"
    visitor.take_step()
    assert visitor.step == "email-sent"
    assert visitor.email in visitor.text()
    visitor.open(old_link)
    assert visitor.browser.status == 404
    visitor.open(server.link(visitor.email))
    visitor.walk_to("done")
    assert len(server.mails(first)) == 1


def test_a_slip_in_the_address_is_offered_for_mending(visitor: Visitor, server: Server) -> None:
    """The page that waits asks whether another address was meant, and takes it by one button."""
    visitor.walk_to("email")
    visitor.email = visitor.email.replace("@example.hu", "@gmial.com")
    visitor.take_step()
    meant = visitor.email.replace("@gmial.com", "@gmail.com")
    assert meant in visitor.text()
    visitor.act("use-suggestion")
    assert visitor.step == "email-sent"
    visitor.email = meant
    assert len(server.mails(meant)) == 1
    visitor.open(server.link(meant))
    assert visitor.step == "mobile"


@pytest.mark.moves_time
def test_another_mobile_is_given(visitor: Visitor, server: Server) -> None:
    """M20: Kovács Anna has two numbers on record; the code goes to the one she says last."""
    visitor.customer = cast.ANNA
    visitor.walk_to("sms-code")
    visitor.act("change-mobile")
    assert visitor.step == "mobile"
    server.advance(seconds=60)
    visitor.fill(mobile=cast.ANNAS_OTHER_MOBILE)
    visitor.submit()
    assert visitor.step == "sms-code"
    visitor.fill(sms_code=server.codes(cast.ANNAS_OTHER_MOBILE)[-1])
    visitor.submit()
    visitor.walk_to("done")


@pytest.mark.crosswise
def test_starting_again_from_the_first_step(visitor: Visitor) -> None:
    """The first step is changed by beginning anew."""
    visitor.walk_to("email")
    visitor.act("restart")
    assert visitor.step == "identify"
    visitor.walk_to("email-sent")


@pytest.mark.in_webkit
def test_back_forward_and_reload_lose_nothing(visitor: Visitor) -> None:
    """At every step the browser's own buttons show the page that was there with what is due now, and send nothing."""
    visitor.open("/")
    been = [visitor.path]
    visitor.open(FIRST)
    for number, step in enumerate(WAY, 1):
        visitor.walk_to(step)
        here = visitor.path
        if visitor.has("pages that were kept"):
            # A swap stays on its page.
            before = [path for path in been if urlsplit(path).path != urlsplit(here).path][-1:]
            due: tuple[str, ...] = (step,)
        else:
            before, due = been.copy(), WAY[:number]
        been.append(here)
        sent = [request for request in visitor.browser.requests if request.startswith("POST")]
        visitor.browser.back()
        _see_page(visitor, before, due)
        visitor.browser.forward()
        _see_page(visitor, [here], (step,))
        visitor.browser.reload()
        _see_page(visitor, [here], (step,))
        assert [request for request in visitor.browser.requests if request.startswith("POST")] == sent


def _see_page(visitor: Visitor, paths: list[str], due: tuple[str, ...]) -> None:
    """Wait until a page is there, with a step that is due unless it is the first page."""

    def is_there() -> bool:
        path = visitor.path
        return path in paths and visitor.step in (("",) if path == "/" else due)

    visitor.wait_until(is_there, f"{due} at {paths}")
    assert visitor.sees("#main h1")


@pytest.mark.in_webkit
def test_clicking_twice_does_everything_once(visitor: Visitor, server: Server) -> None:
    """At every step."""
    visitor.open(FIRST)
    for before, after in pairwise(WAY):
        assert visitor.step == before
        if before == "email-sent":
            visitor.take_step()
        else:
            visitor.fill_step()
            visitor.submit(twice=True)
        visitor.wait_until(lambda after=after: visitor.step == after, after)  # type: ignore[misc]
    assert len(server.mails(visitor.email)) == 2
    assert len(server.codes(visitor.customer.mobile)) == 1


@pytest.mark.in_webkit
@pytest.mark.scripted("swaps")
def test_the_second_of_two_clicks_is_not_for_what_has_come_meanwhile(visitor: Visitor) -> None:
    """Whoever clicks twice does not ask for another mail as well, where its button lies under the pointer by then."""
    visitor.walk_to("email")
    visitor.take_step()
    visitor.browser.evaluate(_DOES_NOTHING, ["pointerdown", 0])
    for name in ("mousedown", "click"):
        assert visitor.browser.evaluate(_DOES_NOTHING, [name, 2])
    visitor.settle(lambda: visitor.browser.evaluate(_DOES_NOTHING, ["click", 1]))
    assert visitor.step == "email"


_DOES_NOTHING = """([name, detail]) => !document.querySelector('[value=change-email]')
  .dispatchEvent(new PointerEvent(name, { detail, pointerType: 'mouse', bubbles: true, cancelable: true }))"""


def test_a_second_tab_shows_what_is_due(visitor: Visitor, server: Server) -> None:
    """A form of a step that is over does nothing; the page shows where the registration stands."""
    visitor.walk_to("email")
    second = visitor.in_tab(visitor.browser.new_tab())
    second.open(FIRST)
    visitor.walk_to("sms-code")
    second.fill_step()
    second.submit()
    assert second.step == "sms-code"
    assert len(server.mails(visitor.email)) == 1
    second.fill_step()
    visitor.walk_to("password")
    second.submit()
    assert second.step == "password"
    assert len(server.codes(visitor.customer.mobile)) == 1
    visitor.walk_to("done")
    second.fill_step()
    second.submit()
    assert second.step == "done"
    assert len(server.mails(visitor.email)) == 2


def test_the_start_page_leads_back_into_a_registration(visitor: Visitor) -> None:
    """A visitor who went away finds the way on."""
    visitor.walk_to("email-sent")
    visitor.open("/")
    visitor.follow(words("start.in_progress.button"))
    assert visitor.step == "email-sent"


def test_another_language_keeps_the_step(visitor: Visitor) -> None:
    """M6: to and fro, at every step."""
    visitor.open(FIRST)
    for step in WAY:
        visitor.walk_to(step)
        for language in ("en", "hu"):
            visitor.follow(words(f"shell.language.{language}"))
            assert visitor.step == step
            assert visitor.attribute("html", "lang") == language


@pytest.mark.in_webkit
def test_the_appearance_can_be_chosen(visitor: Visitor) -> None:
    """M6: it stays, on the next page too; where the script runs, without losing what was typed."""
    visitor.open(FIRST)
    visitor.fill(policy_number="94")
    light = visitor.browser.evaluate("() => getComputedStyle(document.body).backgroundColor")

    def switch(theme: str) -> None:
        button = f".theme button.to-{theme}"
        if visitor.has("appearance"):
            visitor.browser.click(button)
            visitor.wait_until(lambda: visitor.attribute("html", "data-theme") == theme, theme)
            visitor.wait_until(lambda: "theme" in visitor.browser.cookies(), "the choice is kept")
        else:
            visitor.settle(lambda: visitor.browser.click(button))

    switch("dark")
    assert visitor.attribute("html", "data-theme") == "dark"
    assert visitor.path == FIRST
    if visitor.has("appearance"):
        assert visitor.value("policy_number") == "94"
    dark = visitor.browser.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert dark != light
    visitor.open("/")
    assert visitor.attribute("html", "data-theme") == "dark"
    switch("light")
    assert visitor.browser.evaluate("() => getComputedStyle(document.body).backgroundColor") == light


@pytest.mark.crosswise
def test_internet_explorer_is_told_what_to_use(meet: Meet) -> None:
    """M3: on every page."""
    visitor = meet(user_agent="Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko")
    for address in ("/", FIRST, SECOND):
        visitor.open(address)
        assert visitor.text("h1") == words("ie.title")
        for browser in ("chrome", "firefox", "edge", "safari", "android"):
            assert words(f"ie.list.{browser}") in visitor.texts("li")


@pytest.mark.crosswise
def test_a_page_that_is_not_there_leads_home(visitor: Visitor) -> None:
    """With words instead of a number."""
    visitor.open("/nincs-ilyen")
    assert visitor.browser.status == 404
    visitor.follow(words("shell.back_home"))
    assert visitor.path == "/"
