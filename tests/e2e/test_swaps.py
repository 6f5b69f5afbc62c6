"""What the pages promise where the script runs: focus, titles, announcements, and what happens when the line fails."""

from collections.abc import Callable

import pytest

from tests.e2e.conftest import Meet
from tests.e2e.server import OwnServer, Server
from tests.e2e.visitor import Visitor
from tests.e2e.words import words
from tests.world.walk import FIRST, SECOND, WAY

pytestmark = pytest.mark.scripted("swaps")


@pytest.mark.in_webkit
def test_each_step_takes_the_focus_and_the_title(visitor: Visitor) -> None:
    """After every swap the focus is on the new heading, and the title of the document is the step's."""
    visitor.open(FIRST)
    for step in WAY[1:]:
        is_swap = visitor.step != "email-sent"
        visitor.take_step()
        assert visitor.step == step
        if is_swap:
            visitor.see_focus("h1" if step == "done" else "h2")
        title = words("shell.title", step=words(f"{step.replace('-', '_')}.title"))
        visitor.wait_until(lambda title=title: visitor.title == title, title)  # type: ignore[misc]
        assert visitor.browser.evaluate("() => document.querySelectorAll('#main, h1').length") == 2


@pytest.mark.in_webkit
def test_an_error_takes_the_focus_to_the_summary(visitor: Visitor) -> None:
    """And a link in the summary takes it to the field."""
    visitor.walk_to("email")
    visitor.fill(email="valaki@", email_confirm="valaki@")
    visitor.submit()
    visitor.see_focus("div#error-summary")
    assert visitor.title.startswith(words("a11y.error_prefix"))
    visitor.browser.click("#error-summary a")
    visitor.see_focus("input#email")
    visitor.walk_to("email-sent")
    assert not visitor.title.startswith(words("a11y.error_prefix"))


@pytest.mark.in_webkit
def test_one_request_takes_one_step(visitor: Visitor) -> None:
    """A step costs one request, and nothing else is fetched."""
    visitor.walk_to("email")
    visitor.fill_step()
    visitor.browser.requests.clear()
    visitor.submit()
    assert visitor.browser.requests == [f"POST {FIRST}"]


@pytest.mark.in_webkit
def test_the_token_leaves_the_address_bar_with_the_first_form(visitor: Visitor, server: Server) -> None:
    """It has done its work; a screenshot or a bookmark must not carry it."""
    visitor.be_at("email-sent")
    visitor.open(server.link(visitor.email))
    assert "token=" in visitor.path
    visitor.take_step()
    visitor.wait_until(lambda: visitor.path == SECOND, "an address without a token")
    visitor.browser.reload()
    assert visitor.step == "sms-code"


def test_a_lost_request_loses_nothing(visitor: Visitor) -> None:
    """At every step the page says so, takes the focus there, keeps what was typed, and trying again works."""
    visitor.open(FIRST)
    for step in WAY[:-1]:
        if step == "email-sent":
            visitor.take_step()
        else:
            _lose_and_try_again(visitor, step)


def _lose_and_try_again(visitor: Visitor, step: str) -> None:
    assert visitor.step == step
    visitor.fill_step()
    typed = _typed(visitor)
    mend = visitor.browser.lose_posts()
    visitor.press_lightly()
    visitor.see_focus("div#trouble")
    assert visitor.text("#trouble") == words("shell.offline")
    assert visitor.attribute("#trouble", "role") == "alert"
    assert visitor.step == step
    assert _typed(visitor) == typed
    visitor.browser.noise.clear()  # a browser writes into its console that the line is dead
    mend()
    visitor.submit()
    assert visitor.step == WAY[WAY.index(step) + 1]
    assert not visitor.sees("#trouble")


def _typed(visitor: Visitor) -> dict[str, str]:
    typed: dict[str, str] = visitor.browser.evaluate(
        "() => Object.fromEntries(new FormData(document.querySelector('#main form[data-step]')))"
    )
    return typed


@pytest.mark.once
def test_a_server_that_comes_back_takes_the_form(meet: Meet, own_server: Callable[..., OwnServer]) -> None:
    """Stopped and started again between the typing and the sending; the registration goes on."""
    server = own_server()
    visitor = meet(at=server)
    visitor.walk_to("email")
    visitor.fill_step()
    server.stop()
    visitor.press_lightly()
    visitor.see_focus("div#trouble")
    visitor.browser.noise.clear()  # a browser writes into its console that the line is dead
    server.start()
    visitor.submit()
    assert visitor.step == "email-sent"
    visitor.walk_to("done")


@pytest.mark.parametrize(
    ("status", "body"),
    [(500, "<main id='main'>500</main>"), (502, "Bad Gateway"), (200, "<p>Wi-Fi</p>")],
    ids=["a-fault", "a-proxy", "a-hotel"],
)
def test_a_strangers_answer_stays_out_of_the_page(visitor: Visitor, status: int, body: str) -> None:
    """Neither a fault nor a page of somebody else's takes the place of what was typed."""
    visitor.walk_to("email")
    visitor.fill_step()
    mend = visitor.browser.answer_posts(status, body)
    visitor.press_lightly()
    visitor.see_focus("div#trouble")
    assert words("page.500.heading") in visitor.text("#trouble")
    assert visitor.value("email") == visitor.email
    assert visitor.path == FIRST
    visitor.browser.noise.clear()  # a browser writes into its console that the answer was a fault
    mend()
    visitor.submit()
    assert visitor.step == "email-sent"


def test_a_slow_answer_is_said_to_be_under_way(visitor: Visitor, server: Server) -> None:
    """The button cannot be pressed again, and after a second the page says that it works."""
    visitor.walk_to("email")
    visitor.fill_step()
    go_on = visitor.browser.hold_posts()
    visitor.press_lightly()
    _see_work(visitor, "form[data-step=email] .primary")
    visitor.hear(words("shell.working"))
    visitor.settle(go_on)
    assert visitor.step == "email-sent"
    assert len(server.mails(visitor.email)) == 1


def test_a_button_beside_the_way_shows_that_it_works_too(meet: Meet) -> None:
    """A quiet one of the registration, and both kinds of the account."""
    visitor = meet()
    visitor.be_at("email-sent")
    _hold_and_go_on(visitor, "button[value=change-email]")
    assert visitor.step == "email"
    visitor.be_at("account")
    for button in ("button[name=session]", "button[value=end-others]"):
        meet(email=visitor.email).sign_in()
        visitor.open("/fiok/beallitasok")
        _hold_and_go_on(visitor, button)
        assert len(visitor.texts("[aria-labelledby=sessions] li")) == 1


def _hold_and_go_on(visitor: Visitor, button: str) -> None:
    go_on = visitor.browser.hold_posts()
    visitor.browser.click(button)
    _see_work(visitor, button)
    visitor.settle(go_on)


def _see_work(visitor: Visitor, button: str) -> None:
    """See that a button cannot be pressed again, and the sign at it that turns."""
    is_working = """(selector) => { const button = document.querySelector(selector)
      const { content, display, width, borderLeftWidth, animationName } = getComputedStyle(button, '::after')
      return button.disabled && content === '""' && display !== 'none' && parseFloat(width) > 10
        && parseFloat(borderLeftWidth) > 1 && animationName === 'turn' }"""
    visitor.wait_until(lambda: visitor.browser.evaluate(is_working, button), f"the sign at {button}")


@pytest.mark.in_webkit
def test_a_form_from_before_the_cookies_went_is_explained(visitor: Visitor) -> None:
    """The cookies are gone, and the token with them: a page says so, and the way on is one link."""
    visitor.open(FIRST)
    visitor.fill_step()
    visitor.browser.clear_cookies()
    visitor.submit()
    assert visitor.browser.status == 400
    assert words("page.csrf.no_cookie.heading") in visitor.text()
    visitor.see_focus("h1")
    assert visitor.browser.evaluate("() => document.querySelectorAll('header').length") == 1, "a fragment, not a page"
    visitor.follow(words("page.csrf.button"))
    assert visitor.step == "identify"
    visitor.walk_to("email")


def test_what_a_reader_hears_when_a_new_code_is_sent(visitor: Visitor, server: Server) -> None:
    """The live region says that it was sent; the same words are on the page."""
    if not server.is_own:
        pytest.skip("the clock of the server at BASE_URL stays as it is")
    visitor.be_at("sms-code")
    server.advance(seconds=60)
    visitor.open(SECOND)
    visitor.submit("sms-resend")
    visitor.hear(words("sms_code.resent"))
    assert words("sms_code.resent") in visitor.text()
