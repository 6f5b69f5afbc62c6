"""Whole registrations, from the start page to the account."""

from collections.abc import Callable

import pytest

from tests.e2e.conftest import Meet
from tests.e2e.server import OwnServer, Server
from tests.e2e.visitor import Visitor
from tests.e2e.words import PHONE, words
from tests.world import cast
from tests.world.cast import PASSWORD, Customer
from tests.world.walk import FIRST, SECOND, WAY


@pytest.mark.in_webkit
@pytest.mark.everywhere
def test_a_person_registers(visitor: Visitor, server: Server) -> None:
    """M8–M27, with every button by its words and every field by its label."""
    person = visitor.customer
    visitor.open("/")
    visitor.follow(words("start.register.button"))
    assert visitor.step == "identify"

    visitor.fill_label(words("identify.policy.label.with_id"), person.policy_number)
    visitor.choose("holder_type", "person")
    for part, text in zip(("year", "month", "day"), person.born.split("-"), strict=True):
        visitor.fill_label(words(f"identify.birth_date.{part}"), text)
    visitor.press(words("shell.next"))
    assert visitor.step == "email"
    assert visitor.path == FIRST

    visitor.fill_label(words("email.label"), visitor.email)
    visitor.fill_label(words("email.confirm.label"), visitor.email)
    visitor.press(words("email.submit"))
    assert visitor.step == "email-sent"
    assert visitor.email in visitor.text()
    assert words("email_sent.not_final") in visitor.text()

    visitor.open(server.link(visitor.email))
    assert visitor.step == "mobile"
    visitor.fill_label(words("mobile.label"), person.mobile)
    visitor.press(words("mobile.send"))
    assert visitor.step == "sms-code"
    visitor.wait_until(lambda: visitor.path == SECOND, "the address of the second half")

    visitor.fill_label(words("sms_code.label"), server.codes(person.mobile)[-1])
    visitor.press(words("sms_code.check"))
    assert visitor.step == "terms"

    visitor.open_document("terms")
    visitor.choose("terms")
    visitor.press(words("terms.submit"))
    assert visitor.step == "password"

    visitor.fill_label(words("password.label"), PASSWORD)
    visitor.fill_label(words("password.confirm.label"), PASSWORD)
    visitor.press(words("password.submit"))
    assert visitor.step == "done"
    assert visitor.text("h1") == words("done.heading")
    assert visitor.email in visitor.text()
    assert [mail["subject"] for mail in server.mails(visitor.email)] == [
        words("mail.confirm.subject"),
        words("mail.registered.subject"),
    ]


@pytest.mark.moves_time
@pytest.mark.crosswise
@pytest.mark.parametrize(
    "who",
    [
        cast.ANNA,
        cast.MINTA,
        cast.GABOR,
        cast.ESZTER,
        cast.JOZSEF,
        cast.MARTA,
        cast.ANNA_BY_COMMUNICATION_ID,
    ],
    ids=["two-phones", "company", "sole-trader", "leap-day", "condominium", "markup-in-the-name", "communication-id"],
)
def test_everybody_of_the_cast_registers(visitor: Visitor, server: Server, who: Customer) -> None:
    """M4, M8–M10, M13: a tax number whose end the register lacks, the 29th of February, a name with markup …"""
    visitor.customer = who
    visitor.walk_to("done")
    assert len(server.mails(visitor.email)) == 2
    # Nobody's name is shown, so no markup in it can do harm; what would show it is looked for all the same.
    assert "Márta" not in visitor.text("body")


def test_everything_is_said_in_english(visitor: Visitor, server: Server) -> None:
    """M6: chosen once, English stays, in the mail and behind its link too."""
    visitor.language = "en"
    visitor.open(FIRST)
    visitor.follow(words("shell.language.en"))
    assert visitor.attribute("html", "lang") == "en"
    assert visitor.text("h1") == words("identify.heading", "en")
    for step in WAY[1:]:
        visitor.take_step()
        assert visitor.step == step
        assert visitor.title.startswith(words(f"{step.replace('-', '_')}.title", "en")), visitor.title
        assert visitor.attribute("html", "lang") == "en"
    assert server.mails(visitor.email)[0]["subject"] == words("mail.confirm.subject", "en")


def test_the_link_is_opened_in_another_browser(meet: Meet, server: Server) -> None:
    """M18: who opened the link goes on, and the browser that only typed an address gains nothing by it."""
    first, second = meet(), meet()
    first.be_at("email-sent")
    second.customer = first.customer
    second.open(server.link(first.email))
    second.walk_to("sms-code")

    first.open(FIRST)
    assert first.step == "email-sent"
    assert words("email_sent.continued_elsewhere") in first.text()
    first.open(SECOND)
    assert first.step == "email-sent"

    second.walk_to("done")
    first.open(FIRST)
    assert words("dead_end.already_registered.heading") in first.text()


@pytest.mark.in_webkit
@pytest.mark.scripted("keyboard")
@pytest.mark.moves_time
def test_the_keyboard_alone_is_enough(visitor: Visitor, server: Server) -> None:
    """Tab, space and Enter lead through the whole registration, and the focus is always seen."""
    visitor.open(FIRST)

    def enter_into(step: str) -> None:
        visitor.settle(lambda: visitor.browser.press_key("Enter"))
        assert visitor.step == step
        visitor.see_focus("h2")

    visitor.tab_to("input#policy_number")
    visitor.browser.type_keys(visitor.customer.policy_number)
    visitor.tab_to("input#holder_type")
    visitor.browser.press_key("Space")
    for part, text in zip(("year", "month", "day"), visitor.customer.born.split("-"), strict=True):
        visitor.tab_to(f"input#birth_date-{part}")
        visitor.browser.type_keys(text)
    enter_into("email")

    visitor.tab_to("input#email")
    visitor.browser.type_keys(visitor.email)
    visitor.tab_to("input#email_confirm")
    visitor.browser.type_keys(visitor.email)
    enter_into("email-sent")

    visitor.open(server.link(visitor.email))
    visitor.tab_to("input#mobile")
    visitor.browser.type_keys(visitor.customer.mobile)
    enter_into("sms-code")

    visitor.tab_to("input#sms_code")
    visitor.browser.type_keys(server.codes(visitor.customer.mobile)[-1])
    enter_into("terms")

    while "data-opens" not in visitor.browser.evaluate("() => document.activeElement.outerHTML"):
        visitor.browser.press_key("Tab")
    visitor.browser.opened_by(lambda: visitor.browser.press_key("Enter")).close_tab()
    visitor.tab_to("input#terms")
    visitor.browser.press_key("Space")
    enter_into("password")

    visitor.tab_to("input#password")
    visitor.browser.type_keys(PASSWORD)
    visitor.tab_to("input#password_confirm")
    visitor.browser.type_keys(PASSWORD)
    visitor.settle(lambda: visitor.browser.press_key("Enter"))
    assert visitor.step == "done"
    visitor.see_focus("h1")


@pytest.mark.once
def test_a_password_is_hashed_at_full_cost(meet: Meet, own_server: Callable[..., OwnServer]) -> None:
    """With production's cost of the hash the last step is slower and otherwise the same."""
    visitor = meet(at=own_server(rounds=12))
    visitor.walk_to("done")
    assert len(visitor.server.mails(visitor.email)) == 2


@pytest.mark.crosswise
@pytest.mark.parametrize("who", [cast.ILONA, cast.LASZLO], ids=["a-landline", "no-phone"])
@pytest.mark.moves_time
def test_without_a_mobile_on_record_the_telephone_helps(visitor: Visitor, who: Customer) -> None:
    """M12."""
    visitor.customer = who
    visitor.open(FIRST)
    visitor.fill_step()
    visitor.submit()
    assert visitor.step == "identify"
    assert visitor.browser.status == 422
    message = next(iter(visitor.errors().values()))
    assert words("dead_end.no_mobile.text") in message
    assert PHONE in message
    assert words("shell.reference", reference="").strip() in message


@pytest.mark.moves_time
@pytest.mark.crosswise
def test_a_cancelled_policy_and_a_wrong_date_are_told_alike(meet: Meet) -> None:
    """M7, M13."""
    cancelled = meet()
    cancelled.customer = cast.PETER
    cancelled.open(FIRST)
    cancelled.fill_step()
    cancelled.submit()
    mistaken = meet()
    mistaken.open(FIRST)
    mistaken.fill_step()
    mistaken.fill(birth_date__day="2")
    mistaken.submit()
    assert cancelled.errors() == mistaken.errors()
    assert words("error.identify.mismatch") in next(iter(mistaken.errors().values()))
    assert mistaken.value("policy_number") == mistaken.customer.policy_number
    mistaken.fill(birth_date__day="1")
    mistaken.submit()
    assert mistaken.step == "email"


@pytest.mark.crosswise
def test_who_has_an_account_is_told_so(meet: Meet) -> None:
    """One account a customer; another browser with the same data learns it after identification only."""
    first, again = meet(), meet()
    first.be_at("done")
    again.customer = first.customer
    again.open(FIRST)
    again.fill_step()
    again.submit()
    assert again.browser.status == 409
    assert words("dead_end.already_registered.heading") in again.alert
    assert words("shell.reference", reference="").strip() in again.alert
    again.follow(words("start.sign_in.button"))
    assert again.path == "/belepes"


@pytest.mark.crosswise
def test_an_address_that_another_customer_uses_is_refused(meet: Meet, server: Server) -> None:
    """M15: said after identification, and another address is asked for."""
    first, second = meet(), meet()
    first.be_at("done")
    second.walk_to("email")
    second.fill(email=first.email, email_confirm=first.email)
    second.submit()
    assert words("error.email.taken") in second.errors()["email"]
    second.walk_to("email-sent")
    assert len(server.mails(second.email)) == 1


@pytest.mark.crosswise
def test_a_used_link_says_that_the_registration_is_finished(meet: Meet, server: Server) -> None:
    """M18: the link leads nowhere once the account is there."""
    first, other = meet(), meet()
    first.be_at("mobile")
    link = server.link(first.email)
    first.walk_to("done")
    other.open(link)
    assert other.browser.status == 410
    assert words("dead_end.link_completed.heading") in other.alert
    first.open(link)
    assert first.step == "done"


@pytest.mark.crosswise
@pytest.mark.parametrize("token", ["x", "x.y.z", "abc%00"], ids=["short", "three-parts", "nul"])
def test_an_unknown_link_is_explained(visitor: Visitor, token: str) -> None:
    """M18: cut off by a mail program, or made up."""
    visitor.open(f"{SECOND}?token={token}")
    assert visitor.browser.status == 404
    assert words("dead_end.link_unknown.heading") in visitor.alert
    visitor.act("restart")
    assert visitor.step == "identify"
