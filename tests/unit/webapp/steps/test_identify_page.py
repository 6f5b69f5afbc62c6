"""The first step: what may be typed, what is told, and what is not (M7–M13)."""

import io
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.world.cast import ANNA, GABOR, ILONA, LASZLO, MINTA, NOBODY, PETER, Customer, one_of_many
from tests.world.pages import Page
from tests.world.site import Site, Visitor
from tests.world.walk import FIRST

_PERSON = ANNA.identification
_ID = {"policy_number": "K1234567", "holder_type": "communication_id", "communication_password": "Levelezes2020"}


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"policy_number": ""}, "policy_number"),
        ({"policy_number": "kötvényszám"}, "policy_number"),
        ({"policy_number": "12"}, "policy_number"),
        ({"policy_number": "9400000011"}, "policy_number"),
        ({"policy_number": "9" * 10_000}, "policy_number"),
        ({"policy_number": "94000\x000001"}, "policy_number"),
        ({"policy_number": "940000001\r\nX-Forged: 1"}, "policy_number"),
        ({"policy_number": "' OR 1=1 --"}, "policy_number"),
        ({"policy_number": '<script>alert("1")</script>'}, "policy_number"),
        ({"policy_number": "{{ 7 * 7 }}"}, "policy_number"),
        ({"holder_type": ""}, "holder_type"),
        ({"holder_type": "admin"}, "holder_type"),
        ({"holder_type": "person\x00"}, "holder_type"),
        ({"birth_date-year": "2001", "birth_date-month": "2", "birth_date-day": "29"}, "birth_date-day"),
        ({"birth_date-month": "13"}, "birth_date-month"),
        ({"birth_date-month": "0"}, "birth_date-month"),
        ({"birth_date-day": "0"}, "birth_date-day"),
        ({"birth_date-day": "32"}, "birth_date-day"),
        ({"birth_date-day": "0122"}, "birth_date-day"),
        ({"birth_date-day": "141"}, "birth_date-day"),
        ({"birth_date-month": "0123"}, "birth_date-month"),
        ({"birth_date-month": "031"}, "birth_date-month"),
        ({"birth_date-day": "1" * 10_000}, "birth_date-day"),
        ({"birth_date-day": ""}, "birth_date-day"),
        ({"birth_date-year": "", "birth_date-month": "", "birth_date-day": ""}, "birth_date-year"),
        ({"birth_date-year": "2999"}, "birth_date-year"),
        ({"birth_date-year": "1899"}, "birth_date-year"),
        ({"birth_date-year": "85"}, "birth_date-year"),
        ({"birth_date-year": "-1985"}, "birth_date-year"),
        ({"birth_date-year": "19\x0085"}, "birth_date-year"),
        ({"birth_date-year": "1" * 10_000}, "birth_date-year"),
        ({"birth_date-month": "3" * 10_000}, "birth_date-month"),
        ({"birth_date-day": "²"}, "birth_date-day"),
        ({"birth_date-month": "március"}, "birth_date-month"),
        (
            {"birth_date-year": "", "birth_date-month": "", "birth_date-day": "", "birth_date": "1985"},
            "birth_date-year",
        ),
        ({"birth_date": "1985-02-30"}, "birth_date-day"),
        ({"birth_date": "x" * 10_000}, "birth_date-year"),
        ({"holder_type": "company", "tax_number": ""}, "tax_number"),
        ({"holder_type": "company", "tax_number": "1234567"}, "tax_number"),
        ({"holder_type": "company", "tax_number": "12345678-2-42"}, "tax_number"),
        ({"holder_type": "company", "tax_number": "12345676\x00"}, "tax_number"),
        ({"holder_type": "communication_id"}, "policy_number"),
        ({**_ID, "communication_password": ""}, "communication_password"),
    ],
    ids=lambda value: ",".join(f"{k}={v[:12]!r}" for k, v in value.items()) if isinstance(value, dict) else value,
)
def test_what_cannot_be_right_is_told_beside_its_field(visitor: Visitor, typed: dict[str, str], field: str) -> None:
    visitor.open()
    page = visitor.send(**{**_PERSON, **typed})
    assert page.status == 422
    assert field in page.fields_in_error
    assert visitor.open(FIRST).step == "identify"


@pytest.mark.parametrize(
    "typed",
    [
        {"birth_date": ANNA.born},
        {"birth_date": "1985.03.14."},
        {"birth_date": "1985. 03. 14"},
        {"birth_date": "1985 3 14"},
        {"birth_date": "19850314"},
        {"birth_date-year": "1985. 03. 14."},
        {"birth_date-year": "1985-03-14"},
        {"birth_date-year": " 1985 ", "birth_date-month": " 03. ", "birth_date-day": "14."},
        {"birth_date-year": "１９８５", "birth_date-month": "３", "birth_date-day": "１４"},
        {"birth_date-year": "١٩٨٥", "birth_date-month": "٣", "birth_date-day": "١٤"},
        {"birth_date": ANNA.born, "policy_number": "９４０ ０００-００１"},
        {"birth_date": ANNA.born, "policy_number": "\u200b940 000 001\u00a0"},
        {"birth_date": ANNA.born, "policy_number": "\u202a940000001\u202c."},
        {"birth_date": "1985\u201103\u201114"},
        {"birth_date": "\ufeff1985-03-14\u200b"},
        {"birth_date-year": "\u200b1985", "birth_date-month": "03\u202c", "birth_date-day": "14\ufeff"},
        {"birth_date": ANNA.born, "tax_number": "nonsense"},
    ],
    ids=lambda value: ",".join(f"{k}={v!r}" for k, v in value.items()),
)
def test_a_number_and_a_date_may_be_written_as_people_write_them(visitor: Visitor, typed: dict[str, str]) -> None:
    visitor.open()
    assert visitor.send(**{"policy_number": ANNA.policy_number, "holder_type": "person", **typed}).step == "email"


@pytest.mark.parametrize("typed", ["12345676-2-42", "12345676242", "HU12345676", "12345676", "12 345 676-2-42"])
def test_a_tax_number_may_be_written_as_people_write_it(visitor: Visitor, typed: str) -> None:
    visitor.open()
    assert visitor.send(**{**MINTA.identification, "tax_number": typed}).step == "email"


def test_bytes_that_are_no_text_are_refused(visitor: Visitor) -> None:
    visitor.open()
    body = (
        b"csrf_token=" + visitor.csrf_token.encode() + b"&step=identify&policy_number=94000%ff%fe01&holder_type=person"
    )
    answer = visitor.client.post(FIRST, data=body, content_type="application/x-www-form-urlencoded")
    page = visitor.follow(answer)
    assert page.status == 422
    assert page.fields_in_error[0] == "policy_number"


def site_error(site: Site, key: str, **facts: object) -> str:
    """Return an error's words up to the telephone number, which pages show as a link."""
    return site.say(key, **facts).partition("+36")[0].strip()


def test_nothing_but_a_form_is_read(visitor: Visitor) -> None:
    """No identification by JSON, by an uploaded file, by the query or by an overridden method."""
    visitor.open()
    known = {"policy_number": ANNA.policy_number, "holder_type": "person", "birth_date": ANNA.born}
    token = {"X-CSRFToken": visitor.csrf_token}
    for json in (known, {"policy_number": 940000001}, [1], "x"):
        visitor.follow(visitor.client.post(FIRST, json=json, headers=token))
        assert visitor.page is not None
        assert visitor.page.step == "identify"
    visitor.follow(visitor.client.post(FIRST, query_string=known, headers=token))
    assert visitor.page.step == "identify"
    visitor.client.get(FIRST, query_string=known, headers={"X-HTTP-Method-Override": "POST", **token})
    visitor.client.get(FIRST, query_string={**known, "_method": "POST", "csrf_token": visitor.csrf_token})
    file = {"csrf_token": visitor.csrf_token, "policy_number": (io.BytesIO(b"940000001"), "number.txt")}
    visitor.follow(visitor.client.post(FIRST, data=file))
    assert visitor.open(FIRST).step == "identify"
    assert not visitor.site.rows("registrations")


# --- What is not told --------------------------------------------------------------------------------------------


_OF_EACH_ANSWER = ("Set-Cookie", "Content-Length", "Date", "X-Request-ID")


def _answer(site: Site, customer: Customer, **changes: str) -> str:
    """Return the whole answer to a first try, without what differs from page to page anyway."""
    visitor = site.visitor()
    visitor.open()
    page = visitor.send(**{**customer.identification, **changes})
    assert page.status == 422
    is_typed = r'(<input[^>]* (?:type="text"|inputmode="numeric"|name="csrf_token")[^>]*?) value="[^"]*"'
    html = re.sub(is_typed, r"\1", page.html)
    headers = sorted((k, v) for k, v in page.headers if k not in _OF_EACH_ANSWER)
    return f"{page.status}{headers}{html}"


def test_unknown_cancelled_and_wrong_get_the_same_answer_to_the_byte(site: Site) -> None:
    wrong = _answer(site, ANNA, **{"birth_date-day": "15"})
    assert _answer(site, NOBODY) == wrong
    assert _answer(site, PETER) == wrong
    assert _answer(site, MINTA, **{"holder_type": "person", "tax_number": "", "birth_date-year": "1985",
                                   "birth_date-month": "03", "birth_date-day": "14"}) == wrong  # fmt: skip
    assert ANNA.born not in wrong
    company = _answer(site, MINTA, tax_number="20000019-2-41")
    assert _answer(site, Customer("940999999", tax_number="12345676-2-42")) == company
    assert _answer(site, Customer(ANNA.policy_number, tax_number="12345676-2-42")) == company


def test_a_mismatch_is_told_of_both_data_and_says_who_helps(site: Site, visitor: Visitor) -> None:
    page = visitor.identify(NOBODY)
    assert site_error(site, "error.identify.mismatch") in page.error_of("policy_number")
    assert page.by_id("birth_date-error")
    assert site.parts.profile.phone_display in page.text


def test_a_wrong_second_part_of_a_tax_number_does_not_match(visitor: Visitor) -> None:
    visitor.open()
    assert visitor.send(**{**MINTA.identification, "tax_number": "12345676-2-41"}).status == 422


def test_a_stored_tax_number_may_lack_the_part_from_the_hyphen_on(site: Site) -> None:
    for typed in ("23456787-1-33", "23456787"):
        visitor = site.visitor()
        visitor.open()
        assert visitor.send(**{**GABOR.identification, "tax_number": typed}).step == "email"


@pytest.mark.parametrize("customer", [ILONA, LASZLO], ids=["landline", "none"])
@pytest.mark.parametrize("language", ["hu", "en"])
def test_without_a_mobile_on_record_customer_service_helps(site: Site, customer: Customer, language: str) -> None:
    page = site.visitor(language).identify(customer)
    assert page.status == 422
    assert page.error_of("policy_number") or page.fields_in_error
    (kept,) = site.rows("reference_codes")
    assert kept.code in page.text
    assert kept.kind == "no_mobile"
    assert site.parts.profile.phone_display in page.text
    assert site_error(site, "dead_end.no_mobile.text") in page.text or language == "en"
    assert customer.born not in page.text
    assert not site.rows("registrations")


def test_nothing_of_the_record_is_shown_after_a_match(site: Site, visitor: Visitor) -> None:
    page = visitor.walk_to("email")
    for known in ("Kovács", "Anna", "1066", ANNA.mobile[-7:], "10000001", "940000002"):
        assert known not in page.text


# --- Communication ids -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["K1234567", "k1234567", " K 1234567 ", "K-1234567"])
def test_a_communication_id_with_its_password_identifies(visitor: Visitor, typed: str) -> None:
    visitor.open()
    assert visitor.send(**{**_ID, "policy_number": typed}).step == "email"
    visitor.walk_to("done")


@pytest.mark.parametrize(
    "changed",
    [{"communication_password": "levelezes2020"}, {"policy_number": "T1234567"}, {"communication_password": "x" * 190}],
)
def test_a_wrong_communication_id_or_password_is_one_answer(site: Site, changed: dict[str, str]) -> None:
    visitor = site.visitor()
    visitor.open()
    page = visitor.send(**{**_ID, **changed})
    assert page.status == 422
    assert page.error_of("policy_number") == page.error_of("communication_password")
    assert "Levelezes2020" not in page.html


def test_a_communication_id_is_slowed_down_too(site: Site, visitor: Visitor) -> None:
    visitor.open()
    for _ in range(site.parts.profile.identification.wrong_tries):
        assert visitor.send(**{**_ID, "communication_password": "rossz"}).status == 422
    page = visitor.send(**_ID)
    assert page.status == 429
    assert site.say("login.wait.heading") in page.text
    assert site.say("shell.help.text") in page.text
    time = site.time_from(site.now + site.parts.profile.identification.wait)
    assert site.say("error.identify.slowed.with_id", time=time) in page.error_of("policy_number")
    site.advance(minutes=site.parts.profile.identification.wrong_tries_minutes, seconds=1)
    assert visitor.send(**_ID).step == "email"


# --- Guessing ----------------------------------------------------------------------------------------------------


def _guess(visitor: Visitor, day: int) -> Page:
    visitor.open()
    return visitor.send(**{**_PERSON, "birth_date-day": str(day)})


@pytest.mark.parametrize("many_clients", [False, True])
def test_guessing_is_slowed_for_the_policy_and_ends_by_itself(site: Site, many_clients: bool) -> None:
    rules = site.parts.profile.identification
    visitor = site.visitor()
    for day in range(1, rules.wrong_tries + 1):
        guesser = site.visitor() if many_clients else visitor
        assert _guess(guesser, day).status == 422
    page = site.visitor().identify(ANNA)
    assert page.status == 429
    assert site.say("login.wait.heading") in page.text
    assert site.say("shell.help.text") in page.text
    assert site.time_from(site.now + rules.wait) in page.text
    assert site.visitor().identify(MINTA).step == "email", "another policy is not concerned"
    site.advance(seconds=rules.wait.total_seconds() - 30)
    assert visitor.identify(ANNA).status == 429
    site.advance(seconds=40)
    assert visitor.identify(ANNA).step == "email"


def test_a_number_that_does_not_exist_is_slowed_down_alike(site: Site, visitor: Visitor) -> None:
    for _ in range(site.parts.profile.identification.wrong_tries):
        assert visitor.identify(NOBODY).status == 422
    assert visitor.identify(NOBODY).status == 429
    assert not [row for row in site.rows("allowances") if NOBODY.policy_number in row.key]


def test_one_birth_date_at_many_numbers_makes_its_network_wait(make_site: Callable[..., Site]) -> None:
    site = make_site(trusted_proxies=1)
    rules, guesser, other = site.parts.profile.sign_in, site.visitor(), site.visitor()
    guesser.headers["X-Forwarded-For"], other.headers["X-Forwarded-For"] = "203.0.113.9", "203.0.113.10"
    for number in range(rules.source_tries):
        assert guesser.identify(replace(NOBODY, policy_number=f"94099{number:04}")).status == 422
    untried = guesser.identify(replace(one_of_many(101), born="1985-03-14"))
    assert guesser.identify(one_of_many(101)).status == untried.status == 429, "right, wrong: the network waits"
    time = site.time_from(site.now + rules.first_wait)
    for said in (site.say("error.identify.wait", time=time), site.say("shell.help.text")):
        assert said in untried.text
    assert other.identify(one_of_many(102)).step == "email"
    site.advance(seconds=rules.first_wait_seconds)
    assert guesser.identify(one_of_many(101)).step == "email"


def test_a_network_that_waits_uses_up_no_number(make_site: Callable[..., Site]) -> None:
    site = make_site(trusted_proxies=1)
    guesser, holder = site.visitor(), site.visitor()
    guesser.headers["X-Forwarded-For"], holder.headers["X-Forwarded-For"] = "203.0.113.9", "203.0.113.10"
    for number in range(site.parts.profile.sign_in.source_tries):
        guesser.identify(replace(NOBODY, policy_number=f"94099{number:04}"))
    for day in range(1, site.parts.profile.identification.wrong_tries + 1):
        assert _guess(guesser, day).status == 429
    assert holder.identify(ANNA).step == "email"


def test_communication_ids_make_their_network_wait_too(site: Site, visitor: Visitor) -> None:
    visitor.open()
    for number in range(site.parts.profile.sign_in.source_tries):
        wrong = {**_ID, "policy_number": f"K90{number:05}"}
        assert visitor.send(**wrong).status == 422
    assert visitor.send(**_ID).status == 429
    assert visitor.identify(ANNA).status == 429
    site.advance(seconds=site.parts.profile.sign_in.first_wait_seconds)
    visitor.open()
    assert visitor.send(**_ID).step == "email"


def test_slips_before_a_match_are_forgotten(site: Site, visitor: Visitor) -> None:
    for _ in range(2):
        for day in range(1, site.parts.profile.identification.wrong_tries):
            assert _guess(visitor, day).status == 422
        assert visitor.identify(ANNA).step == "email"
        visitor = site.visitor()


def test_what_cannot_be_right_costs_no_try(site: Site, visitor: Visitor) -> None:
    visitor.open()
    for _ in range(site.parts.profile.identification.wrong_tries + 3):
        visitor.send(**{**_PERSON, "birth_date-day": "41"})
    assert visitor.identify(ANNA).step == "email"


def test_who_has_an_account_gets_one_reference_code_an_hour(site: Site) -> None:
    site.visitor().walk_to("done")
    for _ in range(3):
        assert site.visitor().identify(ANNA).status == 409
    (first,) = site.rows("reference_codes")
    site.advance(hours=1)
    assert first.code not in site.visitor().identify(ANNA).text
    assert len(site.rows("reference_codes")) == 2


def test_who_has_an_account_is_led_to_the_sign_in(site: Site, htmx: bool) -> None:
    site.visitor().walk_to("done")
    visitor = site.visitor(htmx=htmx)
    visitor.open()
    page = visitor.send(**{**_PERSON, "policy_number": "940000002"})
    assert page.status == 409
    assert "/belepes" in [link["href"] for link in page.root.all("a")]
    assert site.rows("reference_codes")[0].code in page.text
    assert ANNA.email not in page.html
