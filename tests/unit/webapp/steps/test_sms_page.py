"""The mobile number and the code sent to it: a budget that no door gets around (M20–M22)."""

from collections.abc import Callable

import pytest

from tests.world.cast import ANNA, ESZTER, MINTA
from tests.world.site import Site, Visitor
from tests.world.walk import SECOND

_SECOND_MOBILE = "+36301112233"


@pytest.mark.parametrize(
    "typed",
    ["20 1234567", "+36 20 123 4567", "06201234567", "06-20/123-45-67", "0036201234567", "(20) 123 4567",
     "+36 (20) 123-4567", "20.123.45.67", " 20\u00a0123\u20114567 ", "２０１２３４５６７"],
)  # fmt: skip
def test_a_number_on_record_is_found_in_every_spelling(site: Site, visitor: Visitor, typed: str) -> None:
    visitor.walk_to("mobile")
    assert visitor.give_mobile(typed).step == "sms-code"
    (message,) = site.messages(kind="sms")
    assert message["to"] == ANNA.mobile


@pytest.mark.parametrize(
    "typed",
    ["", "x", "20", "1 234 5678", "+43 660 1234567", "20 123456", "20 12345678", "+36201234567;ext=5", "20 123\x004567",
     "2" * 10_000, "+36 90 123 456", "abc1234567", "<b>20</b> 1234567"],
    ids=lambda typed: typed[:16],
)  # fmt: skip
def test_what_is_no_mobile_is_told(site: Site, visitor: Visitor, typed: str) -> None:
    visitor.walk_to("mobile")
    page = visitor.give_mobile(typed)
    assert (page.status, page.fields_in_error) == (422, ["mobile"])
    assert not site.messages(kind="sms")


@pytest.mark.parametrize("other", [MINTA.mobile, "+36201234568", "+3612345678"])
def test_only_numbers_on_record_get_a_code(site: Site, visitor: Visitor, other: str) -> None:
    visitor.walk_to("mobile")
    assert visitor.give_mobile(other).fields_in_error == ["mobile"]
    assert not site.messages(kind="sms")


def test_a_number_on_any_of_the_customers_policies_will_do(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("mobile")
    assert visitor.give_mobile(_SECOND_MOBILE).step == "sms-code"
    assert [message["to"] for message in site.messages(kind="sms")] == [_SECOND_MOBILE]


@pytest.mark.parametrize("spelling", [
    "{}", " {} ", "{0[0]} {0[1]} {0[2]} {0[3]}", "{0[0]}{0[1]}-{0[2]}{0[3]}", "{0[0]}{0[1]}\u2011{0[2]}{0[3]}",
    "{}.", "\u200b{}", "\u202a{}\u202c", "{}\ufeff", "\u2066{}\u2069.",
])  # fmt: skip
def test_a_code_may_have_spaces(site: Site, visitor: Visitor, spelling: str) -> None:
    visitor.walk_to("sms-code")
    assert visitor.give_code(spelling.format(site.code(ANNA.mobile))).step == "terms"


def test_a_code_may_be_typed_in_digits_of_another_script(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("sms-code")
    arabic = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
    assert visitor.give_code(site.code(ANNA.mobile).translate(arabic)).step == "terms"


@pytest.mark.parametrize(
    "typed", ["", "123", "12345", "abcd", "12\x0034", "1" * 10_000, "²²²²"], ids=lambda t: ascii(t[:8])
)
def test_what_cannot_be_a_code_costs_no_try(site: Site, visitor: Visitor, typed: str) -> None:
    visitor.walk_to("sms-code")
    for _ in range(4):
        page = visitor.give_code(typed)
        assert (page.status, page.fields_in_error) == (422, ["sms_code"])
    assert site.rows("one_time_codes")[0].guesses_used == 0


def test_the_page_counts_the_tries_down(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("sms-code")
    code = site.code(ANNA.mobile)
    for left in (2, 1):
        page = visitor.give_wrong_code(code)
        assert site.say("error.sms_code.wrong", tries=left) in page.error_of("sms_code")
    page = visitor.give_wrong_code(code)
    assert page.status == 422
    assert "sms_code" not in {field["name"] for field in page.root.all("input")}
    assert visitor.follow(visitor.post(SECOND, {"step": "sms-code", "sms_code": code})).status == 422
    assert not site.rows("registrations")[0].mobile_confirmed_at


def test_a_new_code_comes_after_a_minute_and_kills_the_older_one(site: Site, htmx: bool) -> None:
    visitor = site.visitor(htmx=htmx)
    visitor.walk_to("sms-code")
    first = site.code(ANNA.mobile)
    page = visitor.send("sms-resend")
    assert (page.status, page.fields_in_error) == (422, ["resend"])
    assert len(site.messages(kind="sms")) == 1
    site.advance(seconds=60)
    page = visitor.send("sms-resend")
    assert site.say("sms_code.resent") in page.text
    second = site.code(ANNA.mobile)
    assert len(site.messages(kind="sms")) == 2
    if first != second:
        assert visitor.give_code(first).status == 422
    assert visitor.give_code(second).step == "terms"


def test_a_code_is_dead_after_half_an_hour(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("sms-code")
    code = site.code(ANNA.mobile)
    site.advance(minutes=30)
    page = visitor.follow(visitor.post(SECOND, {"step": "sms-code", "sms_code": code}))
    assert page.status == 422
    assert not site.rows("registrations")[0].mobile_confirmed_at


def test_a_code_is_dead_after_the_hour(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("mobile")
    site.advance(minutes=45)
    visitor.give_mobile(ANNA.mobile)
    code = site.code(ANNA.mobile)
    site.advance(minutes=16)
    page = visitor.follow(visitor.post(SECOND, {"step": "sms-code", "sms_code": code}))
    assert page.status == 410
    assert site.rows("one_time_codes")[0].guesses_used == 0


def test_a_code_belongs_to_its_customer(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("sms-code")
    other = site.visitor()
    other.walk_to("sms-code", MINTA)
    hers, theirs = site.code(ANNA.mobile), site.code(MINTA.mobile)
    if hers != theirs:
        assert other.give_code(hers).status == 422
    assert visitor.give_code(hers).step == "terms"


# --- The budget ---------------------------------------------------------------------------------------------------


def _next_door(site: Site, visitor: Visitor, door: str) -> Visitor:
    """Return the visitor who comes by another door for the same customer."""
    if door == "the same page":
        return visitor
    if door == "the link in another browser":
        other = site.visitor()
        other.open_link(ANNA.email)
        other.page = None
        return other
    if door == "a restart":
        visitor.post(SECOND, {"action": "restart"})
        visitor.page = None
        return visitor
    if door == "a new registration":
        return site.visitor()
    if door == "a replayed cookie":
        other, held = site.visitor(), visitor.client.get_cookie("session")
        assert held
        other.client.set_cookie("session", held.value)
        return other
    assert door == "the other mobile"
    visitor.post(SECOND, {"action": "change-mobile"})
    return visitor


@pytest.mark.parametrize(
    "door",
    ["the same page", "the link in another browser", "a restart", "a new registration", "a replayed cookie",
     "the other mobile"],
)  # fmt: skip
def test_three_codes_and_nine_guesses_are_all_there_is(site: Site, door: str) -> None:
    visitor, mobiles = site.visitor(), [ANNA.mobile, _SECOND_MOBILE]
    evaluated = 0
    for round_ in range(6):
        number = mobiles[round_ % 2] if door == "the other mobile" else ANNA.mobile
        page = visitor.open(SECOND)
        if page.step in ("identify", "email", "email-sent"):
            visitor.walk_to("mobile")
        for action in ({"step": "mobile", "mobile": number}, {"step": "sms-resend"}):
            visitor.post(SECOND, {**action, **_token(site)})
        sent = [message for message in site.messages(kind="sms") if message["to"] in mobiles]
        code = sent[-1]["text"].rpartition("#")[2]
        for shift in range(1, 5):
            wrong = f"{(int(code) + shift) % 10**4:04}"
            visitor.post(SECOND, {"step": "sms-code", "sms_code": wrong, **_token(site)})
        evaluated = site.rows("one_time_codes")[0].guesses_used
        site.advance(seconds=61)
        visitor = _next_door(site, visitor, door)
    assert len(sent) == 3
    assert evaluated == 9
    assert not [row for row in site.rows("registrations") if row.mobile_confirmed_at]


def _token(site: Site) -> dict[str, str]:
    return {"token": site.link(ANNA.email).partition("token=")[2]}


def test_a_restarted_server_remembers_the_budget(make_site: Callable[..., Site]) -> None:
    site = make_site()
    visitor = site.visitor()
    visitor.walk_to("sms-code")
    code = site.code(ANNA.mobile)
    for _ in range(3):
        visitor.give_wrong_code(code) if visitor.page and visitor.page.step == "sms-code" else None
    again = make_site()
    visitor.client.application = again.app
    visitor.post(SECOND, {"step": "sms-code", "sms_code": code})
    row = again.rows("one_time_codes")[0]
    assert (row.tries_left, row.guesses_used, row.codes_used) == (0, 3, 1)
    assert not again.rows("registrations")[0].mobile_confirmed_at


def _use_up(site: Site, visitor: Visitor) -> None:
    for round_ in range(3):
        code = site.code(ANNA.mobile)
        for _ in range(3):
            visitor.give_wrong_code(code)
        if round_ < 2:
            site.advance(seconds=61)
            visitor.send("sms-resend")


@pytest.mark.parametrize("language", ["hu", "en"])
def test_at_the_end_of_codes_and_tries_customer_service_helps(site: Site, htmx: bool, language: str) -> None:
    visitor = site.visitor(language, htmx=htmx)
    visitor.walk_to("sms-code")
    _use_up(site, visitor)
    page = visitor.page
    assert page
    assert page.status == 403
    assert site.rows("reference_codes")[0].code in page.text
    assert site.parts.profile.phone_display in page.text
    assert visitor.open(SECOND).status == 403
    other = site.visitor()
    other.walk_to("mobile")
    assert other.give_mobile(_SECOND_MOBILE).status == 403
    assert len(site.messages(kind="sms")) == 3


def test_the_budget_comes_back_after_a_day(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("sms-code")
    _use_up(site, visitor)
    site.advance(hours=24)
    again = site.visitor()
    again.walk_to("sms-code")
    assert len(site.messages(kind="sms")) == 4
    assert again.give_code(site.code(ANNA.mobile)).step == "terms"


def test_a_registration_confirmed_with_the_last_try_goes_on(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("sms-code")
    code = site.code(ANNA.mobile)
    visitor.give_wrong_code(code)
    visitor.give_wrong_code(code)
    assert visitor.give_code(code).step == "terms"


def test_a_newer_registration_of_the_customer_takes_the_code_with_it(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("sms-code")
    first = site.code(ANNA.mobile)
    site.advance(seconds=61)
    site.visitor().walk_to("sms-code")
    assert visitor.give_code(first).status == 422
    page = visitor.open(SECOND)
    assert page.step == "sms-resend"


def test_the_mobile_can_be_changed_within_the_budget(site: Site, htmx: bool) -> None:
    visitor = site.visitor(htmx=htmx)
    visitor.walk_to("sms-code")
    assert site.code(ANNA.mobile), "it has left"
    assert visitor.act("change-mobile").step == "mobile"
    page = visitor.give_mobile(_SECOND_MOBILE)
    assert (page.status, page.fields_in_error) == (422, ["mobile"]), "within the minute"
    site.advance(seconds=61)
    assert visitor.give_mobile(_SECOND_MOBILE).step == "sms-code"
    assert visitor.give_code(site.code(_SECOND_MOBILE)).step == "terms"
    visitor.walk_to("done")
    assert site.rows("accounts")[0].mobile == _SECOND_MOBILE


def test_a_post_that_the_browser_repeats_sends_one_code(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("sms-code", ESZTER)
    for _ in range(3):
        visitor.post(SECOND, {"step": "mobile", "mobile": ESZTER.mobile})
    assert len(site.messages(kind="sms")) == 1


def test_the_number_is_masked_on_the_page(site: Site, visitor: Visitor) -> None:
    page = visitor.walk_to("sms-code")
    digits = "".join(sign for sign in page.text if sign.isdigit() or sign == "•")
    assert "1234567" not in digits
    assert ANNA.mobile not in page.html


def test_too_many_numbers_that_are_not_on_record_wait(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("mobile")
    for number in range(site.parts.profile.one_time_code.numbers):
        assert (
            site.say("error.mobile.wait", time="", phone="")[:20] not in visitor.give_mobile(f"2099900{number:02}").text
        )
    page = visitor.give_mobile(ANNA.mobile)
    assert (page.status, page.fields_in_error, page.step) == (429, ["mobile"], "mobile")
    assert site.say("error.mobile.wait", time="", phone="")[:20] in page.text
    assert not site.messages(kind="sms")
