"""Registering with customer service: what a member of staff sees and does, and how the customer goes on from there."""

import pytest

from . import cast
from .conftest import Meet
from .server import Server
from .visitor import Visitor
from .words import words

SERVICE, PARTNER = "/ugyfelszolgalat", "/partner"
CLERK, ADVISER, BOSS = "ugyintezo@example.hu", "tanacsado@example.hu", "vezeto@example.hu"
STAFF_PASSWORD = "Demo-Jelszo-2026"
NEW_MOBILE = "+36209998877"


def _come_in(colleague: Visitor, email: str = CLERK, door: str = SERVICE) -> None:
    colleague.open(door)
    assert colleague.step == "staff-login"
    colleague.fill(email=email, password=STAFF_PASSWORD)
    colleague.submit("staff-login")
    assert colleague.step == "staff-search"


def _find(colleague: Visitor, what: str) -> None:
    colleague.fill(policy_number=what)
    colleague.submit("staff-search")


def _identify(colleague: Visitor) -> None:
    colleague.choose("identified_by", "call")
    colleague.press(words("staff.identify.submit"))


def _wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**4:04}"


def test_nagy_ilona_registers_with_customer_service(meet: Meet, server: Server) -> None:
    """She has no mobile on record: one is recorded, she reads the code back and goes on from the mail by herself."""
    colleague, ilona = meet(), meet(email="ilona.nagy@example.hu")
    ilona.customer = cast.LANDLINE
    _come_in(colleague)
    _find(colleague, "940999999")
    assert words("staff.search.none") in colleague.text()
    _find(colleague, cast.LANDLINE.policy_number)
    assert "Nagy" not in colleague.text()
    colleague.press(words("staff.identify.submit"))
    assert "identified_by" in colleague.errors()
    _identify(colleague)
    assert colleague.step == "staff-record"
    assert colleague.text("h1") == "Nagy Ilona"
    colleague.fill(email=ilona.email, email_confirm="mas@example.hu", mobile="06 1 234 5678")
    colleague.submit("staff-record")
    assert set(colleague.errors()) == {"email_confirm", "mobile"}
    colleague.fill(email_confirm=ilona.email, mobile="06 20 999 8877")
    colleague.submit("staff-record")
    assert colleague.step == "staff-code"
    (code,) = server.codes(NEW_MOBILE)
    assert code not in colleague.text()
    colleague.fill(sms_code=_wrong(code))
    colleague.submit("staff-code")
    assert "sms_code" in colleague.errors()
    colleague.fill(sms_code=code)
    colleague.submit("staff-code", twice=True)
    assert colleague.step == "staff-done"
    assert words("staff.done.heading") in colleague.text()
    assert server.subjects(ilona.email) == [words("mail.assisted.subject")]

    ilona.open(server.link(ilona.email))
    assert ilona.step == "mobile"
    assert words("finalise.assisted") in ilona.text()
    ilona.fill(mobile=NEW_MOBILE)
    ilona.submit()
    ilona.fill(sms_code=server.codes(NEW_MOBILE)[-1])
    ilona.submit()
    ilona.walk_to("done")
    ilona.sign_in()
    assert ilona.path == "/fiok"

    colleague.browser.reload()
    assert words("staff.event.completed") in colleague.text()
    assert colleague.sees("button[value=forgot]")


def test_an_adviser_starts_a_forgotten_password_for_a_customer_of_their_own(meet: Meet, server: Server) -> None:
    """Others' customers are not there; the customer's part is the same as of their own start."""
    anna, adviser = meet(), meet()
    anna.customer = cast.ANNA
    anna.walk_to("done")
    _come_in(adviser, ADVISER, PARTNER)
    assert words("staff.nav.my_customers") in adviser.text()
    _find(adviser, cast.LANDLINE.policy_number)
    assert words("staff.not_yours") in adviser.text()
    _find(adviser, cast.ANNA.policy_number)
    _identify(adviser)
    adviser.act("forgot")
    assert words("staff.forgot.done", minutes=15) in adviser.text()
    anna.open(server.link(anna.email))
    assert anna.step == "reset"
    anna.fill(password="Uj-Tavasz-2027-Kapu", password_confirm="Uj-Tavasz-2027-Kapu")
    anna.submit()
    anna.sign_in("Uj-Tavasz-2027-Kapu")
    assert anna.path == "/fiok"


@pytest.mark.crosswise
def test_a_registration_that_got_stuck_is_ended(meet: Meet) -> None:
    """The customer is told so, and can begin anew."""
    stuck, boss = meet(), meet()
    stuck.walk_to("mobile")
    _come_in(boss, BOSS)
    _find(boss, stuck.customer.policy_number)
    _identify(boss)
    assert words("staff.event.identified") in boss.text()
    boss.browser.click("summary")
    boss.act("end")
    assert "reason" in boss.errors()
    boss.fill(reason="Más címet szeretne")
    boss.act("end")
    assert words("staff.takeover.ended") in boss.text()
    stuck.browser.reload()
    assert words("dead_end.ended_by_staff.heading") in stuck.alert
    stuck.act("restart")
    assert stuck.step == "identify"


@pytest.mark.looked_at
def test_axe_finds_nothing_and_nothing_is_wider_than_a_narrow_window(visitor: Visitor, server: Server) -> None:
    """WCAG 2.2 AA and good practice, and 1.4.10, in every state of the console."""
    found: list[str] = []

    def look(sight: str) -> None:
        found.extend(f"{sight}: {violation}" for violation in visitor.axe())
        width = visitor.browser.evaluate("() => document.scrollingElement.scrollWidth - innerWidth")
        if width > 0:
            found.append(f"{sight}: {width} too wide")

    visitor.open(SERVICE)
    look("login")
    _come_in(visitor)
    look("home")
    _find(visitor, "940999999")
    look("nobody")
    _find(visitor, cast.LANDLINE.policy_number)
    look("masked")
    _identify(visitor)
    look("record")
    visitor.submit("staff-record")
    look("errors")
    visitor.fill(email="ilona@example.hu", email_confirm="ilona@example.hu", mobile=NEW_MOBILE)
    visitor.submit("staff-record")
    look("code")
    visitor.browser.resize(320, 640)
    look("code, narrow")
    visitor.fill(sms_code=server.codes(NEW_MOBILE)[-1])
    visitor.submit("staff-code")
    look("done")
    assert found == []


@pytest.mark.scripted
def test_the_focus_is_where_the_work_is(visitor: Visitor) -> None:
    """The whole way by the keyboard: the field for searching first, then the heading of what is due."""
    _come_in(visitor)
    visitor.browser.reload()
    assert visitor.focus == "input#policy_number"
    visitor.browser.type_keys(cast.LANDLINE.policy_number)
    visitor.settle(lambda: visitor.browser.press_key("Enter"))
    assert visitor.focus == "h2#due"
    assert "/ugyfel/" in visitor.path
    visitor.browser.press_key("Tab")
    visitor.browser.press_key("Space")
    visitor.settle(lambda: visitor.browser.press_key("Enter"))
    assert visitor.step == "staff-record"
    visitor.browser.press_key("Tab")
    assert visitor.focus == "input#email"
    visitor.settle(lambda: visitor.browser.press_key("Enter"))
    assert visitor.focus == "div#error-summary"
    # Back leads to where the search was made.
    visitor.browser.back()
    visitor.browser.wait_for("form[data-step=staff-search]")
