"""A customer comes back: signs in and out, meets changed terms, changes and forgets the password, and more."""

import pytest

from tests.e2e.conftest import Meet
from tests.e2e.server import Server
from tests.e2e.visitor import Visitor
from tests.e2e.words import pattern, words
from tests.world.cast import PASSWORD

NEW_PASSWORD = "Zold3Kapu9Alma"
ACCOUNT, SETTINGS, CHANGE = "/fiok", "/fiok/beallitasok", "/fiok/jelszo"


@pytest.mark.in_webkit
@pytest.mark.moves_time
def test_a_customer_comes_back(visitor: Visitor, server: Server, meet: Meet) -> None:
    """M24, M26, M30, M31: from the registration to a new password by the mailed link, as one walk."""
    visitor.walk_to("done")
    visitor.follow(words("done.sign_in"))
    visitor.sign_in()
    assert visitor.path == ACCOUNT
    assert visitor.step == "home"
    assert words("mail.new_device.subject") not in server.subjects(visitor.email)
    visitor.sign_out()
    assert words("login.signed_out") in visitor.text()
    visitor.open(ACCOUNT)
    assert visitor.step == "login"

    # Changed terms stand before everything else, once.
    server.publish_terms("2026-2")
    visitor.sign_in()
    assert visitor.step == "terms-update"
    visitor.open(CHANGE)
    assert visitor.step == "terms-update"
    visitor.submit()
    assert "terms" in visitor.errors()
    visitor.open_document("terms")
    visitor.choose("terms")
    visitor.submit()
    assert visitor.path == CHANGE, "where the customer wanted to go"
    visitor.sign_out()
    visitor.sign_in()
    assert visitor.path == ACCOUNT

    # No change within a day; after it, with the present password, and others are signed out.
    visitor.open(CHANGE)
    _change(visitor, PASSWORD, NEW_PASSWORD)
    assert words("password_change.not_yet.heading") in visitor.text()
    assert visitor.errors()
    server.advance(minutes=24 * 60 + 1)
    other = meet(email=visitor.email)
    other.sign_in()
    assert other.path == ACCOUNT
    assert server.subjects(visitor.email)[-1] == words("mail.new_device.subject")
    visitor.open(CHANGE)
    assert visitor.step == "login"
    visitor.sign_in()
    assert visitor.path == CHANGE
    _change(visitor, PASSWORD, NEW_PASSWORD)
    assert visitor.step == "password-changed"
    assert server.subjects(visitor.email)[-1] == words("mail.password_changed.subject")
    other.open(ACCOUNT)
    assert other.step == "login"
    assert words("login.ended.elsewhere") in other.text()
    visitor.open(ACCOUNT)
    assert visitor.step == "home"

    # Forgotten: the mailed link opens on another device, and every session ends.
    other.follow(words("login.forgot"))
    assert other.step == "forgot"
    other.fill(email=other.email)
    other.submit()
    assert other.step == "forgot-sent"
    other.open(server.link(visitor.email))
    assert other.step == "reset"
    other.fill(password="rövid", password_confirm="rövid")
    other.submit()
    assert "password" in other.errors()
    other.fill(password=PASSWORD, password_confirm=PASSWORD)
    other.submit()
    assert other.step == "reset-done"
    visitor.open(ACCOUNT)
    assert visitor.step == "login"
    visitor.sign_in(password=NEW_PASSWORD)
    assert visitor.step == "login"
    visitor.sign_in()
    assert visitor.path == ACCOUNT
    other.open(server.mails(visitor.email)[-2]["links"][0])
    assert words("reset.dead.heading") in other.alert


@pytest.mark.in_webkit
def test_a_sign_in_that_fails_says_one_thing(visitor: Visitor) -> None:
    """The same for a wrong password and an unknown address; the address stays, the password does not."""
    visitor.be_at("done")
    visitor.sign_in(password="Nem-ez-a-jelszo-1")
    wrong = visitor.errors()
    assert visitor.value("email") == visitor.email
    assert not visitor.value("password")
    visitor.sign_in("senki@example.hu", "Nem-ez-a-jelszo-1")
    assert visitor.errors() == wrong
    visitor.fill(email="", password="")
    visitor.submit()
    assert set(visitor.errors()) == {"email", "password"}


@pytest.mark.moves_time
def test_too_many_failures_wait_and_the_wait_ends(visitor: Visitor, server: Server) -> None:
    """The page says when to try again; a new password can be asked for meanwhile."""
    visitor.be_at("done")
    for _ in range(6):
        visitor.sign_in(password="Nem-ez-a-jelszo-1")
    assert words("login.wait.heading") in visitor.alert
    visitor.sign_in()
    assert visitor.step == "login"
    server.advance(minutes=1)
    visitor.sign_in()
    assert visitor.path == ACCOUNT


@pytest.mark.scripted("warning")
@pytest.mark.moves_time
def test_a_session_warns_before_it_ends(visitor: Visitor, server: Server) -> None:
    """WCAG 2.2.1: in time, by itself, and it can be extended; what was typed stays meanwhile."""
    visitor.be_at("account")
    visitor.browser.take_over_time()
    visitor.open("/fiok/email")
    visitor.fill(email="uj.cim@example.hu")
    assert not visitor.sees("#session .note")
    server.advance(minutes=13, seconds=1)
    visitor.browser.jump(13 * 60 + 1)
    visitor.wait_until(lambda: visitor.sees("#session [role=alert]"), "the warning")
    assert words("session.warning.heading") in visitor.text("#session")
    visitor.browser.click("#session button")
    visitor.wait_until(
        lambda: pattern("session.extended").search(visitor.text("#session")) is not None, "the extension"
    )
    visitor.see_focus("div")
    server.advance(minutes=14)
    assert visitor.value("email") == "uj.cim@example.hu"
    visitor.fill(current_password=PASSWORD)
    visitor.submit()
    assert visitor.path == SETTINGS


@pytest.mark.scripted("warning")
@pytest.mark.moves_time
def test_the_notice_of_the_end_leads_on_and_goes(visitor: Visitor, server: Server) -> None:
    """Its link asks for the sign-in without losing what was typed, and nothing on the page claims the opposite."""
    visitor.be_at("account")
    visitor.browser.take_over_time()
    visitor.open("/fiok/email")
    visitor.fill(email="uj.cim@example.hu")
    for minutes in (13, 3):
        server.advance(minutes=minutes, seconds=1)
        visitor.browser.jump(minutes * 60 + 1)
        visitor.wait_until(lambda: visitor.sees("#session [role=alert]"), "the warning")
    visitor.wait_until(lambda: visitor.sees("#session a"), "the end")
    visitor.settle(lambda: visitor.browser.click("#session a"))
    assert visitor.step == "login"
    assert words("login.kept") in visitor.text()
    assert not visitor.sees("#session")
    assert words("shell.sign_out") not in visitor.text("header")
    visitor.sign_in()
    assert visitor.value("email") == "uj.cim@example.hu"


@pytest.mark.in_webkit
@pytest.mark.moves_time
def test_what_was_typed_outlives_the_session(visitor: Visitor, server: Server) -> None:
    """The end stands on the page as a time of day; a form sent after it is kept until the customer has signed in."""
    visitor.be_at("account")
    visitor.open("/fiok/email")
    if not visitor.has("warning"):
        assert words("session.warning.stay") in visitor.text("#session")
        server.advance(minutes=14)
        visitor.settle(lambda: visitor.browser.click("#session button"))
        assert visitor.step == "email-change"
        assert pattern("session.extended").search(visitor.text("#session"))
    visitor.fill(email="uj.cim@example.hu", current_password=PASSWORD)
    server.advance(minutes=16)
    visitor.submit()
    assert visitor.step == "login"
    assert words("login.ended.idle") in visitor.alert
    assert words("login.kept") in visitor.text()
    visitor.sign_in()
    assert visitor.step == "email-change"
    assert visitor.value("email") == "uj.cim@example.hu"
    assert not visitor.value("current_password")


def test_a_customer_changes_the_address(visitor: Visitor, server: Server, meet: Meet) -> None:
    """By a link to the new one, opened anywhere; the old one is told and is the user name until then."""
    new = f"uj.{visitor.email}"
    visitor.be_at("account")
    visitor.open("/fiok/email")
    visitor.fill(email=new, current_password="Nem-ez-a-jelszo-1")
    visitor.submit()
    assert "current_password" in visitor.errors()
    visitor.fill(current_password=PASSWORD)
    visitor.submit()
    assert new in visitor.text("#main .note")
    assert server.subjects(visitor.email)[-1] == words("mail.address_old.subject")
    other = meet(email=new)
    other.open(server.link(new))
    assert new in other.text()
    other.submit()
    assert other.step == "email-changed"
    other.sign_in()
    assert other.path == ACCOUNT


@pytest.mark.moves_time
def test_a_customer_changes_the_mobile(visitor: Visitor, server: Server) -> None:
    """By a code sent to the new one, from the same budget as in the registration."""
    visitor.be_at("done")
    server.advance(minutes=1)
    visitor.sign_in()
    visitor.open("/fiok/mobil")
    visitor.fill(mobile="30 765 4321", current_password=PASSWORD)
    visitor.submit()
    code = server.codes("+36307654321")[-1]
    visitor.fill(sms_code=str((int(code) + 1) % 10000).zfill(4))
    visitor.submit()
    assert "sms_code" in visitor.errors()
    visitor.fill(sms_code=code)
    visitor.submit()
    assert words("account.mobile.change.done") in visitor.text()
    assert "•21" in visitor.text()
    assert server.subjects(visitor.email)[-1] == words("mail.mobile_changed.subject")


def test_a_session_is_ended_from_elsewhere(visitor: Visitor, meet: Meet) -> None:
    """The account lists where it is open; one is ended, and says so at its next page."""
    visitor.be_at("account")
    other = meet(email=visitor.email)
    other.sign_in()
    visitor.open(SETTINGS)
    assert len(visitor.texts("[aria-labelledby=sessions] li")) == 2
    visitor.settle(lambda: visitor.browser.click("button[name=session]"))
    assert words("account.sessions.ended") in visitor.text()
    assert len(visitor.texts("[aria-labelledby=sessions] li")) == 1
    other.open(CHANGE)
    assert other.step == "login"
    assert words("login.ended.elsewhere") in other.text()


def test_a_customer_closes_the_account_and_registers_again(visitor: Visitor, server: Server) -> None:
    """Asked twice: by a box and the password; the register stays as it was."""
    visitor.be_at("account")
    visitor.follow(words("account.close.open"))
    visitor.submit()
    assert set(visitor.errors()) == {"confirm", "current_password"}
    visitor.choose("confirm")
    visitor.fill(current_password=PASSWORD)
    visitor.submit()
    assert visitor.step == "closed"
    assert server.subjects(visitor.email)[-1] == words("mail.account_closed.subject")
    visitor.sign_in()
    assert visitor.step == "login"
    visitor.open("/regisztracio")
    visitor.take_step()
    assert visitor.step == "email"


def _change(visitor: Visitor, current: str, new: str) -> None:
    visitor.fill(current_password=current, password=new, password_confirm=new)
    visitor.submit()
