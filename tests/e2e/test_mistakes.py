"""What a visitor may get wrong at each step, and how the page says so."""

import pytest

from tests.e2e.server import Server
from tests.e2e.visitor import Visitor
from tests.e2e.words import PHONE, pattern, words
from tests.world.walk import FIRST


@pytest.mark.in_webkit
def test_the_first_step_says_what_is_missing(visitor: Visitor) -> None:
    """Nothing filled in; then a company without a tax number; then one with a slip in it."""
    visitor.open(FIRST)
    visitor.submit()
    assert visitor.browser.status == 422
    assert words("error.holder_type.empty.with_id") in visitor.errors()["holder_type"]
    assert words("error.policy_number.empty.with_id") in visitor.errors()["policy_number"]

    visitor.fill(policy_number="94-0000")
    visitor.choose("holder_type", "company")
    visitor.submit()
    assert set(visitor.errors()) == {"policy_number", "tax_number"}
    assert words("error.policy_number.malformed", length=9) in visitor.errors()["policy_number"]
    assert visitor.value("policy_number") == "94-0000"

    visitor.fill(tax_number="12345675-2-42")
    visitor.submit()
    assert words("error.tax_number.check") in visitor.errors()["tax_number"]


@pytest.mark.crosswise
@pytest.mark.parametrize(
    ("typed", "part", "reason"),
    [
        (("1985", "2", "30"), "day", "impossible"),
        (("1985", "13", "1"), "month", "impossible"),
        (("85", "3", "14"), "year", "year"),
        (("1985", "", "14"), "month", "month"),
        (("2085", "3", "14"), "year", "future"),
    ],
    ids=["no-such-day", "no-such-month", "short-year", "no-month", "in-the-future"],
)
def test_the_part_of_a_date_that_is_wrong_is_named(
    visitor: Visitor, typed: tuple[str, str, str], part: str, reason: str
) -> None:
    """The summary leads to the first wrong part, and a link in it takes the focus there."""
    visitor.open(FIRST)
    visitor.fill_step()
    visitor.fill(birth_date__year=typed[0], birth_date__month=typed[1], birth_date__day=typed[2])
    visitor.submit()
    errors = visitor.errors()
    assert list(errors) == [f"birth_date-{part}"]
    assert words(f"error.birth_date.{reason}") in errors[f"birth_date-{part}"]
    visitor.browser.click("#error-summary a")
    visitor.see_focus(f"input#birth_date-{part}")


def test_a_date_may_be_typed_as_people_write_it(visitor: Visitor) -> None:
    """The whole date in the field of the year is understood."""
    visitor.open(FIRST)
    visitor.fill_step()
    visitor.fill(birth_date__year="1990. 01. 01.", birth_date__month="", birth_date__day="")
    visitor.submit()
    assert visitor.step == "email"


def test_an_address_must_be_one_and_the_same_twice(visitor: Visitor, server: Server) -> None:
    """M14."""
    visitor.walk_to("email")
    visitor.submit()
    assert set(visitor.errors()) == {"email", "email_confirm"}
    visitor.fill(email="valaki@", email_confirm="valaki@")
    visitor.submit()
    assert words("error.email.malformed") in visitor.errors()["email"]
    visitor.fill(email=visitor.email, email_confirm="mas@example.hu")
    visitor.submit()
    assert list(visitor.errors()) == ["email_confirm"]
    assert words("error.email_confirm.mismatch") in visitor.errors()["email_confirm"]
    assert server.mails(visitor.email) == []
    visitor.fill(email_confirm=visitor.email.upper())
    visitor.submit()
    assert visitor.step == "email-sent"


@pytest.mark.in_webkit
@pytest.mark.scripted("paste")
def test_pasting_into_the_repetition_is_refused_and_explained(visitor: Visitor) -> None:
    """M14: in words and aloud; typing still works."""
    visitor.walk_to("email")
    visitor.fill(email=visitor.email)
    visitor.browser.evaluate(
        """() => {
          const clipboardData = new DataTransfer()
          const event = new ClipboardEvent('paste', { bubbles: true, cancelable: true, clipboardData })
          window.refused = !document.getElementById('email_confirm').dispatchEvent(event)
        }"""
    )
    assert visitor.browser.evaluate("() => window.refused")
    visitor.hear(words("a11y.email.paste_refused"))
    assert words("error.email_confirm.paste") in visitor.text()
    visitor.browser.click("#email_confirm")
    visitor.browser.type_keys(visitor.email)
    visitor.submit()
    assert visitor.step == "email-sent"


@pytest.mark.scripted("pasting a date")
def test_a_whole_date_that_is_pasted_goes_into_its_three_fields(visitor: Visitor) -> None:
    """Year first, as Hungarians write it; anything else is pasted where it is."""
    visitor.open(FIRST)
    visitor.choose("holder_type", "person")
    for text, parts in (("1985. 03. 7.", ["1985", "03", "7"]), ("1990-11-23", ["1990", "11", "23"]), ("23", None)):
        was_taken = visitor.browser.evaluate(
            """(text) => {
              const event = new Event('paste', { bubbles: true, cancelable: true })
              event.clipboardData = { getData: () => text }
              return !document.querySelector('[name=birth_date-year]').dispatchEvent(event)
            }""",
            text,
        )
        assert was_taken == (parts is not None)
        if parts:
            assert [visitor.value(f"birth_date-{part}") for part in ("year", "month", "day")] == parts


def test_a_mobile_must_be_on_record(visitor: Visitor, server: Server) -> None:
    """M20: only a Hungarian mobile that the insurer holds; nothing is sent to any other."""
    visitor.be_at("mobile")
    for typed, reason in (
        ("", "empty"),
        ("12", "malformed"),
        ("1 234 5678", "landline"),
        ("+43 664 1234567", "foreign"),
        ("20 765 4321", "not_on_record"),
    ):
        visitor.fill(mobile=typed)
        visitor.submit()
        assert visitor.step == "mobile"
        assert words(f"error.mobile.{reason}") in visitor.errors()["mobile"]
        assert visitor.value("mobile") == typed
    assert PHONE in visitor.errors()["mobile"]
    assert server.codes("+36207654321") == []
    visitor.fill(mobile=visitor.customer.mobile.removeprefix("+36"))
    visitor.submit()
    assert visitor.step == "sms-code"


@pytest.mark.in_webkit
def test_a_code_of_the_wrong_length_costs_no_try(visitor: Visitor, server: Server) -> None:
    """M21: what cannot be right is not counted; what is wrong is."""
    visitor.be_at("sms-code")
    for typed, reason in (("", "empty"), ("123", "malformed"), ("abcd", "malformed")):
        visitor.fill(sms_code=typed)
        visitor.submit()
        assert words(f"error.sms_code.{reason}", length=4) in visitor.errors()["sms_code"]
        assert words("sms_code.tries", tries=3) in visitor.text()
    code = server.codes(visitor.customer.mobile)[-1]
    visitor.fill(sms_code=_other(code))
    visitor.submit()
    assert pattern("error.sms_code.wrong", tries=2).search(visitor.errors()["sms_code"])
    assert words("sms_code.tries", tries=2) in visitor.text()
    visitor.fill(sms_code=f" {code[:2]} {code[2:]} ")
    visitor.submit()
    assert visitor.step == "terms"


def _other(code: str) -> str:
    return str((int(code) + 1) % 10000).zfill(4)


@pytest.mark.in_webkit
def test_the_terms_are_opened_before_they_are_accepted(visitor: Visitor) -> None:
    """M23: the box is closed where the script runs; without it the server refuses."""
    visitor.be_at("terms")
    if visitor.has("box of the terms"):
        assert visitor.browser.evaluate("() => document.getElementById('terms').disabled")
        visitor.submit()
        assert words("error.terms.not_opened") in visitor.errors()["terms"]
        assert visitor.browser.evaluate("() => document.getElementById('terms').disabled")
        visitor.browser.click("#error-summary a")
        visitor.wait_until(
            lambda: visitor.browser.evaluate("() => document.activeElement.matches('[data-opens=terms]')"),
            "the focus on the document",
        )
    else:
        visitor.choose("terms")
        visitor.submit()
        assert words("error.terms.not_opened") in visitor.errors()["terms"]
        assert visitor.step == "terms"
    visitor.open_document("terms")
    if visitor.has("box of the terms"):
        visitor.hear(words("a11y.terms.opened"))
        assert not visitor.browser.evaluate("() => document.getElementById('terms').disabled")
        assert words("terms.unlocked") in visitor.text()
        visitor.choose("terms")
    visitor.submit()
    assert visitor.step == "password"


@pytest.mark.moves_time
@pytest.mark.crosswise
def test_terms_that_changed_meanwhile_are_opened_anew(visitor: Visitor, server: Server) -> None:
    """M23, M24: what was opened is not what would be accepted."""
    visitor.be_at("terms")
    visitor.open_document("terms")
    server.publish_terms("2026-2")
    visitor.choose("terms")
    visitor.submit()
    assert words("error.terms.replaced") in visitor.errors()["terms"]
    assert "2026-2" in visitor.text()
    visitor.open_document("terms")
    if not visitor.browser.evaluate("() => document.getElementById('terms').checked"):
        visitor.choose("terms")
    visitor.submit()
    assert visitor.step == "password"


@pytest.mark.crosswise
def test_the_terms_can_be_read_by_anybody(visitor: Visitor) -> None:
    """Without a registration; a version that does not exist is said not to."""
    visitor.open("/aszf")
    assert visitor.browser.status == 200
    assert words("terms.page.language") in visitor.text()
    visitor.open("/aszf/1999-1")
    assert visitor.browser.status == 404
    assert visitor.text("h1") == words("page.404.heading")


def test_the_server_judges_every_rule_of_the_password(visitor: Visitor) -> None:
    """M25 and the two rules that hold everywhere; all that is to be mended is told at once."""
    visitor.be_at("password")
    visitor.submit()
    assert set(visitor.errors()) == {"password", "password_confirm"}
    visitor.fill(password="jelszo", password_confirm="jelszo2")
    visitor.submit()
    assert set(visitor.errors()) == {"password", "password_confirm"}
    for reason in ("too_short", "upper", "digit", "common"):
        assert words(f"error.password.{reason}", length=10) in visitor.errors()["password"]
    for typed, reason in (
        ("Rovid1", "too_short"),
        ("csupakisbetu7", "upper"),
        ("CSUPANAGYBETU7", "lower"),
        ("NincsBenneSzam", "digit"),
        ("Password123", "common"),
        (f"X{visitor.customer.policy_number}xY", "like_record"),
    ):
        visitor.fill(password=typed, password_confirm=typed)
        visitor.submit()
        assert words(f"error.password.{reason}", length=10) in visitor.errors()["password"]
        assert visitor.value("password") == "", "a password is never written back"
        assert not visitor.sees("[data-rule].met"), "an empty field keeps no rule"
    visitor.fill(password="Kek7Hold8Fenyes", password_confirm="Kek7Hold8Fenyer")
    visitor.submit()
    assert list(visitor.errors()) == ["password_confirm"]
    visitor.take_step()
    assert visitor.step == "done"


@pytest.mark.in_webkit
@pytest.mark.scripted("rules of the password")
def test_the_rules_of_the_password_are_ticked_off_while_typing(visitor: Visitor) -> None:
    """M25: those that a browser can judge, and aloud when the typing pauses."""
    visitor.be_at("password")
    visitor.browser.click("#password")

    def met() -> list[str]:
        found: list[str] = visitor.browser.evaluate(
            "() => [...document.querySelectorAll('#rules .met')].map((item) => item.dataset.rule)"
        )
        return found

    for typed, expected in (
        ("k", ["lower"]),
        ("K", ["upper", "lower"]),
        ("7", ["upper", "lower", "digit"]),
        ("holdfen", ["length", "upper", "lower", "digit"]),
    ):
        visitor.browser.type_keys(typed)
        assert met() == expected
    total = len(visitor.texts("#rules li"))
    visitor.hear(words("a11y.password.rules", count=4, total=total))
    visitor.browser.press_key("Backspace")
    assert met() == ["upper", "lower", "digit"]


@pytest.mark.in_webkit
@pytest.mark.scripted("show the password")
def test_a_password_can_be_shown(visitor: Visitor) -> None:
    """Both fields at once, said aloud, and hidden again when it is sent."""
    visitor.be_at("password")
    visitor.fill(password="Rovid1", password_confirm="Rovid1")
    visitor.browser.click("button.show")
    assert visitor.attribute("#password", "type") == "text"
    assert visitor.attribute("#password_confirm", "type") == "text"
    visitor.hear(words("a11y.password.shown"))
    visitor.browser.click("button.show")
    assert visitor.attribute("#password", "type") == "password"
    visitor.hear(words("a11y.password.hidden"))


@pytest.mark.scripted("show the password")
def test_of_two_announcements_at_once_both_are_said(visitor: Visitor) -> None:
    """How many rules are met is said a second after the typing, when somebody may just be pressing a button."""
    visitor.be_at("password")
    visitor.browser.evaluate(
        """() => { const field = document.getElementById('password')
          field.value = 'Rovid1'
          field.dispatchEvent(new Event('input', { bubbles: true }))
          setTimeout(() => document.querySelector('button.show').click(), 1050) }"""
    )
    visitor.hear(words("a11y.password.shown"))
    assert any(pattern("a11y.password.rules").search(said) for said in visitor.said()), visitor.said()
