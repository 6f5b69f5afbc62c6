"""The whole registration, by plain forms and by htmx, in both languages (M5, M27)."""

import re

import pytest

from services.passwords import is_secret
from tests.world.cast import ANNA, ESZTER, GABOR, JOZSEF, MARTA, MINTA, PASSWORD, Customer
from tests.world.site import Site
from tests.world.walk import FIRST, SECOND


@pytest.mark.parametrize("language", ["hu", "en"])
def test_a_customer_registers(site: Site, language: str, htmx: bool) -> None:
    visitor = site.visitor(language, htmx=htmx)
    page = visitor.walk_to("done")
    assert site.say("done.heading", language) in page.text
    assert ANNA.email in re.sub(r"\s", "", page.text)
    (account,) = site.rows("accounts")
    assert (account.kutid, account.email, account.mobile) == ("10000001", ANNA.email, ANNA.mobile)
    assert is_secret(PASSWORD, account.password_hash)
    mails = site.messages(ANNA.email)
    assert len(mails) == 2
    assert mails[1]["subject"] == site.say("mail.registered.subject", language)
    assert mails[1]["links"] == [f"{site.parts.settings.public_url}/belepes"]
    assert len(site.messages(kind="sms")) == 1


@pytest.mark.parametrize(
    "customer",
    [MINTA, GABOR, ESZTER, JOZSEF, MARTA],
    ids=lambda customer: customer.policy_number,
)
def test_every_kind_of_holder_registers(site: Site, customer: Customer) -> None:
    site.visitor().walk_to("done", customer)
    (account,) = site.rows("accounts")
    assert account.email == customer.email


def test_a_boosted_request_gets_the_whole_page(site: Site) -> None:
    answer = site.app.test_client().get(FIRST, headers={"HX-Request": "true", "HX-Boosted": "true"})
    assert "<html" in answer.text
    fragment = site.app.test_client().get(FIRST, headers={"HX-Request": "true"})
    assert "<html" not in fragment.text
    for response in (answer, fragment):
        assert {"HX-Request", "HX-Boosted"} <= set(response.headers["Vary"].split(", "))


def test_the_forms_have_the_fields_of_the_contract_and_no_others(site: Site) -> None:
    expected = {
        "identify": {
            "policy_number", "holder_type", "birth_date-year", "birth_date-month", "birth_date-day", "tax_number",
            "communication_password",
        },
        "email": {"email", "email_confirm"},
        "mobile": {"mobile"},
        "sms-code": {"sms_code"},
        "terms": {"terms"},
        "password": {"password", "password_confirm"},
    }  # fmt: skip
    visitor = site.visitor()
    for step, names in expected.items():
        form = visitor.walk_to(step).form(step)
        shown = {field["name"] for field in form.all("input") if field["type"] != "hidden" and field["name"]}
        assert shown == names


def test_a_script_that_knows_only_the_contract_registers(site: Site) -> None:
    """Field names and the CSRF token are all that the contract promises of a form."""
    visitor = site.visitor()
    person = {"policy_number": ANNA.policy_number, "holder_type": "person", "birth_date": ANNA.born}
    assert visitor.follow(visitor.post(FIRST, person)).step == "email"
    addresses = {"email": ANNA.email, "email_confirm": ANNA.email}
    assert visitor.follow(visitor.post(FIRST, addresses)).step == "email-sent"
    assert visitor.open_link(ANNA.email).step == "mobile"
    token = site.link(ANNA.email).partition("token=")[2]
    assert visitor.follow(visitor.post(SECOND, {"mobile": ANNA.mobile, "token": token})).step == "sms-code"
    code = site.code(ANNA.mobile)
    assert visitor.follow(visitor.post(SECOND, {"sms_code": code})).step == "terms"
    visitor.open_document("terms")
    assert visitor.follow(visitor.post(SECOND, {"terms": "1"})).step == "password"
    words = {"password": PASSWORD, "password_confirm": PASSWORD}
    assert visitor.follow(visitor.post(SECOND, words)).step == "done"


def test_a_box_left_empty_sends_nothing_and_is_told_so(site: Site) -> None:
    visitor = site.visitor()
    visitor.walk_to("terms")
    visitor.open_document("terms")
    page = visitor.follow(visitor.post(SECOND, {}))
    assert (page.status, page.fields_in_error) == (422, ["terms"])


def test_the_page_of_a_registration_under_way_is_found_again(site: Site) -> None:
    visitor = site.visitor()
    for step in ("email", "email-sent", "mobile", "sms-code"):
        assert site.say("start.in_progress.button") not in visitor.open("/").text or step != "email"
        visitor.walk_to(step)
        if step != "mobile":  # the link is in the reader's hands alone until they send the form behind it
            assert visitor.open(FIRST).step == step
            assert visitor.open(SECOND).step == step
            assert site.say("start.in_progress.button") in visitor.open("/").text


def test_a_language_chosen_is_remembered(site: Site) -> None:
    visitor = site.visitor("hu")
    assert visitor.open(FIRST).language == "hu"
    assert visitor.open(f"{FIRST}?lang=en").language == "en"
    assert visitor.open("/").language == "en"
    assert visitor.open("/?lang=xx").language == "en"


def test_messages_follow_the_language_of_the_steps(site: Site, htmx: bool) -> None:
    visitor = site.visitor("hu", htmx=htmx)
    visitor.identify(ANNA)
    visitor.open(f"{FIRST}?lang=en")
    visitor.give_email(ANNA.email)
    assert site.told("confirm", language="en") == 1
    site.advance(minutes=1)
    visitor.open(f"{FIRST}?lang=hu")
    visitor.act("resend-email")
    assert site.told("confirm") == 1
    visitor.open(f"{site.link(ANNA.email)}&lang=en")
    visitor.give_mobile(ANNA.mobile)
    site.advance(minutes=1)
    visitor.open(f"{SECOND}?lang=hu")
    visitor.send("sms-resend")
    spoken = ["Enter this" in sms["text"] for sms in site.messages(ANNA.mobile)]
    assert spoken == [True, False]
    visitor.walk_to("password")
    visitor.open(f"{SECOND}?lang=en")
    visitor.walk_to("done")
    assert site.told("registered", language="en") == 1
    assert site.rows("accounts")[0].language == "en"


def test_the_theme_leads_back_to_the_page_with_its_link(site: Site) -> None:
    site.visitor().walk_to("email-sent")
    reader = site.visitor()
    page = reader.open_link(ANNA.email)
    form = next(form for form in page.root.all("form") if form["action"] == "/megjelenes")
    back = next(field["value"] for field in form.all("input") if field["name"] == "next")
    assert reader.follow(reader.post("/megjelenes", {"theme": "dark", "next": back})).step == "mobile"


def test_what_was_done_is_over_for_the_browser_with_its_hour(site: Site) -> None:
    visitor = site.visitor()
    visitor.walk_to("done")
    assert visitor.open(SECOND).step == "done"
    site.advance(minutes=61)
    page = visitor.open(FIRST)
    assert page.step == "identify"
    assert ANNA.email not in page.html
    assert visitor.open(SECOND).step == "identify"
    assert visitor.open(site.link(ANNA.email)).status == 410
