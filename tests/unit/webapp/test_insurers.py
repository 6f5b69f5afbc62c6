"""The other insurers, each by its own journey: Allianz (A1–A8, B1, B3), Genertel (T1, T2), Generali Slovakia."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po

from services.texts import Texts, texts
from tests.world.api_client import RESET, Client, about
from tests.world.cast import (
    ALLIANZ_BY_ACCOUNT,
    ALLIANZ_BY_POLICY,
    ANNA,
    GENERTEL,
    OF_OTHER_INSURERS,
    PASSWORD,
    SLOVAK,
    Customer,
)
from tests.world.colleague import ADVISER, CLERK, Colleague, colleague
from tests.world.pages import Page
from tests.world.site import Site, Visitor
from tests.world.walk import FIRST, SECOND

SiteOf = Callable[[str], Site]


@pytest.mark.parametrize("who", OF_OTHER_INSURERS, ids=lambda who: f"{who.profile}-{list(who.fields.values())[:2]}")
def test_a_customer_registers(site_of: SiteOf, htmx: bool, who: Customer) -> None:
    site = site_of(who.profile)
    visitor = site.visitor(site.language, htmx=htmx)
    page = visitor.walk_to("done", who)
    assert site.say("done.heading", site.language) in page.text
    (account,) = site.rows("accounts")
    assert (account.email, account.mobile) == (who.email, who.mobile)
    assert len(site.messages(kind="sms")) == 1


@pytest.fixture
def allianz(site_of: SiteOf) -> Site:
    return site_of("allianz")


@pytest.fixture
def genertel(site_of: SiteOf) -> Site:
    return site_of("genertel")


def identify(site: Site, who: Customer, **changes: str) -> Visitor:
    """Send the first step with some fields changed; return the browser on the page that answers."""
    visitor = site.visitor(site.language)
    visitor.open(FIRST)
    visitor.send(**{**who.identification, **changes})
    return visitor


def answer(visitor: Visitor) -> tuple[str, int, str]:
    """Return the step that is shown, the status, and what the summary of errors says."""
    assert visitor.page is not None
    return visitor.page.step, visitor.page.status, " ".join(sorted(set(visitor.page.errors().values())))


# --- Identification (A1, A2, B1, T1) ----------------------------------------------------------------------------------


def test_wrong_unknown_cancelled_and_another_number_than_the_default_get_one_answer(allianz: Site) -> None:
    answers = {
        answer(identify(allianz, ALLIANZ_BY_POLICY, **changes))
        for changes in (
            {"identifier": "949999999"},
            {"identifier": "940000004", "mobile": "06 70 123 4567"},  # cancelled
            {"mobile": "06 30 111 2233"},  # on record, but not where text messages go
            {"mobile": "06 20 765 4321"},
            {"identifier_kind": "account_number", "identifier": "7999999"},
            {"identifier_kind": "account_number", "identifier": "OLD0001", "mobile": "06 20 765 4321"},
            {"identifier_kind": "account_number", "identifier": "7000003", "mobile": "06 20 765 4321"},
        )
    }
    ((step, status, text),) = answers
    assert (step, status) == ("identify", 422)
    assert allianz.say("error.identify.mismatch") in text
    assert not allianz.messages()
    assert not allianz.rows("registrations")


def test_an_old_account_number_is_recognised(allianz: Site) -> None:
    visitor = identify(allianz, ALLIANZ_BY_ACCOUNT, identifier="old-0101")
    assert answer(visitor) == ("identify", 422, allianz.say("error.account_number.old"))
    assert "identifier" in visitor.page.errors()
    assert not allianz.messages()


def test_who_does_not_manage_the_account_is_told_who_does(allianz: Site) -> None:
    visitor = identify(allianz, ALLIANZ_BY_ACCOUNT, identifier="7000003", mobile="+36 30 987 6543")
    assert answer(visitor) == (
        "identify", 422, allianz.say("error.account_number.managed", adviser="Példa Alkusz Kft."),
    )  # fmt: skip
    assert not allianz.messages()


@pytest.mark.parametrize("mobile", ["06 1 234 5678", "+421 905 100 101", "06 20 123"])
def test_a_number_that_is_no_mobile_is_an_error_of_its_field(allianz: Site, mobile: str) -> None:
    visitor = identify(allianz, ALLIANZ_BY_POLICY, mobile=mobile)
    assert visitor.page.errors() == {"mobile": "A mobiltelefon mezőnél nem megfelelő telefonszám hiba van"}


@pytest.mark.parametrize(
    ("changes", "errors"),
    [
        ({"identifier_kind": ""}, {"identifier_kind": "error.identifier_kind.empty"}),
        ({"identifier": ""}, {"identifier": "error.policy_number.empty"}),
        ({"identifier_kind": "account_number", "identifier": ""}, {"identifier": "error.account_number.empty"}),
        ({"mobile": ""}, {"mobile": "error.mobile.empty"}),
        (
            {"identifier_kind": "", "identifier": "", "mobile": ""},
            {
                "identifier_kind": "error.identifier_kind.empty",
                "identifier": "error.identifier.empty",
                "mobile": "error.mobile.empty",
            },
        ),
    ],
)
def test_what_is_missing_is_said_beside_its_field(
    allianz: Site, changes: dict[str, str], errors: dict[str, str]
) -> None:
    visitor = identify(allianz, ALLIANZ_BY_POLICY, **changes)
    assert visitor.page.errors() == {field: allianz.say(key) for field, key in errors.items()}


def test_guessing_is_slowed_by_number(allianz: Site) -> None:
    tries = allianz.parts.profile.identification.wrong_tries
    for _ in range(tries):
        assert answer(identify(allianz, ALLIANZ_BY_ACCOUNT, mobile="06 20 765 4321"))[1] == 422
    assert answer(identify(allianz, ALLIANZ_BY_ACCOUNT))[1] == 429
    # The policy number of the same customer is another number.
    assert (
        answer(identify(allianz, ALLIANZ_BY_ACCOUNT, identifier_kind="policy_number", identifier="940100101"))[0]
        == "sms-code"
    )
    allianz.advance(minutes=31)
    assert answer(identify(allianz, ALLIANZ_BY_ACCOUNT))[0] == "sms-code"


@pytest.mark.parametrize(
    "changes",
    [
        {"customer_number": "G10000099"},
        {"birth_date": "1985-03-15"},
        {"postal_code": "1067"},
        {"customer_number": "G10000003", "birth_date": "1970-12-01", "postal_code": "4025"},  # his only policy is over
    ],
)
def test_every_datum_must_fit_and_none_is_said_to_be_wrong(genertel: Site, changes: dict[str, str]) -> None:
    visitor = identify(genertel, GENERTEL, **changes)
    assert answer(visitor)[1] == 422
    assert set(visitor.page.errors().values()) == {genertel.say("error.identify.mismatch")}
    assert set(visitor.page.errors()) == {"customer_number", "birth_date", "postal_code"}


def test_a_letters_link_fills_in_the_customer_number(genertel: Site) -> None:
    page = genertel.visitor().open(f"{FIRST}?customer_number=G10000001")
    assert page.value("customer_number") == "G10000001"


@pytest.mark.parametrize(
    ("typed", "error"),
    [("", "empty"), ("85531", "malformed"), ("8553140014", "check"), ("9051011123", None)],
)
def test_a_birth_number_is_checked_and_must_be_the_holders(site_of: SiteOf, typed: str, error: str | None) -> None:
    site = site_of("generali-sk")
    visitor = identify(site, SLOVAK, birth_number=typed)
    said = f"error.birth_number.{error}" if error else "error.identify.mismatch"
    assert visitor.page.errors()["birth_number"] == site.say(said, "sk")


# --- The mobile before the address ------------------------------------------------------------------------------------


def test_a_repeated_first_post_uses_up_no_second_code(allianz: Site) -> None:
    first = allianz.visitor()
    first.open(FIRST)
    again = first.copy()  # its answer got lost
    again.page = first.page
    for one in (first, again):
        one.send(**ALLIANZ_BY_POLICY.identification)
    assert len(allianz.messages(kind="sms")) == 1
    assert again.walk_to("email", ALLIANZ_BY_POLICY).step == "email"


def test_a_code_of_another_browser_opens_nothing_and_says_when_there_can_be_one(allianz: Site) -> None:
    own = identify(allianz, ALLIANZ_BY_POLICY)
    code = allianz.code(ALLIANZ_BY_POLICY.mobile)
    other = identify(allianz, ALLIANZ_BY_POLICY)
    assert other.page.step == "sms-resend"
    for text in (allianz.say("sms_code.elsewhere"), allianz.say("sms_code.resend.countdown", seconds=60)):
        assert text in other.page.text
    assert other.follow(other.post(FIRST, {"step": "sms-code", "sms_code": code})).step == "sms-resend"
    assert own.give_code(code).step == "email"
    third = identify(allianz, ALLIANZ_BY_POLICY)
    assert third.follow(third.post(FIRST, {"step": "sms-code", "sms_code": code})).step == "sms-resend"
    assert len(allianz.messages(kind="sms")) == 1
    allianz.advance(seconds=61)
    third.open(FIRST)
    third.send("sms-resend")
    assert third.give_code(allianz.code(ALLIANZ_BY_POLICY.mobile)).step == "email"


def test_codes_used_up_end_it_at_the_first_step_too(allianz: Site) -> None:
    for _ in range(3):
        identify(allianz, ALLIANZ_BY_POLICY)
        allianz.advance(seconds=61)
    visitor = identify(allianz, ALLIANZ_BY_POLICY)
    assert visitor.page.status == 403
    assert allianz.say("dead_end.codes_used_up.heading") in visitor.page.text


MYGENERALI = replace(ANNA, email="valaki@example.hu")


@pytest.mark.parametrize("who", [MYGENERALI, SLOVAK, GENERTEL], ids=lambda who: who.profile)
def test_a_code_proves_the_mobile_in_one_browser(site_of: SiteOf, htmx: bool, who: Customer) -> None:
    """Whichever of link and code comes first: another browser with the link needs a code of its own."""
    site = site_of(who.profile)
    words = site.language
    first, second = (site.visitor(words, htmx=htmx) for _ in range(2))
    first.walk_to("terms", who)
    page = second.open_link(who.email)
    assert page.step == "sms-resend"
    used = site.code(who.mobile)
    for fields in (
        {"step": "sms-code", "sms_code": used},
        {"step": "terms", "terms": "1"},
        {"step": "password", "password": PASSWORD, "password_confirm": PASSWORD},
    ):
        assert second.follow(second.post(SECOND, fields)).step == "sms-resend"
    assert not site.rows("accounts")
    site.advance(seconds=61)
    assert second.send("sms-resend").step == "sms-code"
    assert second.walk_to("done", who).step == "done"
    assert second.open(SECOND).step == "done"
    password = {"step": "password", "password": PASSWORD, "password_confirm": PASSWORD}
    for told in (first.open(SECOND), first.follow(first.post(SECOND, password)), first.open(FIRST)):
        assert told.status == 409
        assert site.say("done.heading", words) not in told.text
        assert site.parts.profile.phone_display in told.text
    told = first.open_link(who.email)
    assert told.status == 410
    assert site.say("dead_end.link_completed.next", words, phone="").rstrip(" .") in told.text
    assert len(site.messages(kind="sms")) == 2


def test_whoever_opens_the_link_elsewhere_proves_the_mobile_there(genertel: Site) -> None:
    first = genertel.visitor()
    first.walk_to("email-sent", GENERTEL)
    stranger = genertel.visitor()
    page = stranger.open_link(GENERTEL.email)
    assert page.step == "sms-resend"
    assert "G10000001" not in page.text
    assert "1234567" not in page.text.replace(" ", "")
    used = genertel.code(GENERTEL.mobile)
    page = stranger.follow(stranger.post(SECOND, {"step": "sms-code", "sms_code": used}))
    assert (page.status, page.step) == (422, "sms-resend")
    assert genertel.say("error.sms_code.used") in page.text
    genertel.advance(seconds=61)
    assert stranger.send("sms-resend").step == "sms-code"
    right = genertel.code(GENERTEL.mobile)
    assert stranger.give_wrong_code(right).status == 422
    # Neither the address nor the password can be reached without the code.
    for fields in ({"step": "password", "password": PASSWORD, "password_confirm": PASSWORD}, {"step": "terms"}):
        assert stranger.follow(stranger.post(SECOND, fields)).step == "sms-code"
    assert stranger.give_code(right).step == "terms"
    assert stranger.walk_to("done", GENERTEL).step == "done"
    assert len(genertel.messages(kind="sms")) == 2


def test_a_code_whose_answer_got_lost_leads_on_when_it_is_sent_again(genertel: Site) -> None:
    visitor = genertel.visitor()
    visitor.walk_to("sms-code", GENERTEL)
    again, reloaded = visitor.copy(), visitor.copy()
    again.page = visitor.page
    code = genertel.code(GENERTEL.mobile)
    assert visitor.give_code(code).step == "email"
    assert again.give_code(code).step == "email"
    reloaded.open(FIRST)
    assert reloaded.give_email(GENERTEL.email).step == "email-sent"


def test_the_browser_that_proved_the_mobile_goes_on_behind_the_link(genertel: Site) -> None:
    visitor = genertel.visitor()
    visitor.walk_to("email-sent", GENERTEL)
    assert visitor.open_link(GENERTEL.email).step == "terms"
    # Somebody else's click alone leads nowhere.
    (second := genertel.visitor()).walk_to("email-sent", replace(GENERTEL_OTHER, email="masik@example.hu"))
    genertel.visitor().open_link("masik@example.hu")
    assert second.open(FIRST).step == "email-sent"


def test_another_mobile_is_to_be_proved_anew(genertel: Site) -> None:
    visitor = genertel.visitor()
    visitor.walk_to("email", GENERTEL)
    assert visitor.act("change-mobile").step == "mobile"
    assert visitor.give_mobile("06 30 111 2233").step == "sms-code" or visitor.page.status == 422


GENERTEL_OTHER = replace(
    GENERTEL,
    mobile="+36201000101",
    fields={"customer_number": "G10000101", "holder_type": "person", "birth_date": "1990-01-01", "postal_code": "1011"},
)


# --- Codes (A3) -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["tail", "whole", "spaced"])
def test_the_last_five_or_all_six_are_accepted(allianz: Site, typed: str) -> None:
    visitor = identify(allianz, ALLIANZ_BY_POLICY)
    code = allianz.code(ALLIANZ_BY_POLICY.mobile)
    assert len(code) == 6
    assert visitor.give_code({"tail": code[1:], "whole": code, "spaced": f"{code[1:3]} {code[3:]}"}[typed]).step == (
        "email"
    )


def test_all_six_must_be_right_when_all_six_are_typed(allianz: Site) -> None:
    visitor = identify(allianz, ALLIANZ_BY_POLICY)
    code = allianz.code(ALLIANZ_BY_POLICY.mobile)
    other = str((int(code[0]) + 1) % 10)
    assert visitor.give_code(other + code[1:]).status == 422
    page = visitor.give_code(code[2:])
    assert allianz.say("error.sms_code.malformed.tail", length=6, typed=5) in page.text


# --- Consents (A5) ----------------------------------------------------------------------------------------------------

ANSWERED = {"marketing": "decline", "data": "accept", "notice": "1", "contract": "1"}


def test_both_answers_are_kept_with_their_time_and_the_text(allianz: Site) -> None:
    visitor = allianz.visitor()
    visitor.walk_to("done", ALLIANZ_BY_POLICY)
    (account,) = allianz.rows("accounts")
    kept = account.answers["consents"]
    assert (kept["marketing"], kept["data"]) == (False, True)
    assert (kept["version"], kept["language"], len(kept["hash"])) == ("2026-1", "hu", 64)
    assert kept["at"].startswith(str(allianz.now.year))


@pytest.mark.parametrize(
    ("left_out", "error"),
    [
        ("marketing", "marketing.empty"), ("data", "data.empty"), ("notice", "notice"), ("contract", "contract"),
    ],
)  # fmt: skip
def test_each_statement_is_asked_for(allianz: Site, left_out: str, error: str) -> None:
    visitor = allianz.visitor()
    visitor.walk_to("consents", ALLIANZ_BY_POLICY)
    visitor.open_document("notice")
    page = visitor.send(**{**ANSWERED, left_out: ""})
    assert page.errors() == {left_out: allianz.say(f"error.consents.{error}")}


def test_the_notice_must_have_been_opened(allianz: Site) -> None:
    visitor = allianz.visitor()
    visitor.walk_to("consents", ALLIANZ_BY_POLICY)
    assert visitor.send(**ANSWERED).errors() == {"notice": allianz.say("error.consents.notice")}
    visitor.open_document("notice")
    assert visitor.send(**ANSWERED).step == "password"


def test_other_profiles_have_no_notice(site: Site) -> None:
    assert site.app.test_client().get("/tajekoztato").status_code == 404


# --- Password (A6) ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("password", "reason"),
    [("Kek7a", "too_short"), ("kek7hold", "upper"), ("KEK7HOLD", "lower"), ("Kekhold", "digit"),
     ("Kek7-hold", "special"), ("Valaki1", "like_email")],
)  # fmt: skip
def test_the_password_is_judged_by_the_insurers_rules(allianz: Site, password: str, reason: str) -> None:
    visitor = allianz.visitor()
    visitor.walk_to("password", ALLIANZ_BY_POLICY)
    page = visitor.give_password(password)
    assert page.errors() == {"password": allianz.say(f"error.password.{reason}", length=6)}
    assert visitor.give_password("Kék7hd").step == "done"


@pytest.mark.parametrize(
    ("who", "number"),
    [
        (GENERTEL, "G10000001"), (GENERTEL, "940000001"), (ALLIANZ_BY_POLICY, "940000001"),
        (ALLIANZ_BY_POLICY, "7000001"), (ALLIANZ_BY_POLICY, "Old0001"),
    ],
)  # fmt: skip
def test_a_new_password_is_like_none_of_the_customers_numbers(site_of: SiteOf, who: Customer, number: str) -> None:
    site = site_of(who.profile)
    visitor = site.visitor()
    visitor.walk_to("done", who)
    page = visitor.sign_in(who.email)
    if page.step == "activation":
        activate(visitor, site.activation_code(who.email))
    site.advance(days=2)
    visitor.sign_in(who.email)
    alike, told = f"Kx{number}xk", {"password": site.say("error.password.like_record")}
    assert visitor.change_password(alike, PASSWORD).errors() == told
    visitor.ask_for_reset(who.email)
    assert visitor.reset(alike, who.email).errors() == told


# --- Activation (A7, B3) ----------------------------------------------------------------------------------------------


def test_the_account_is_limited_until_the_mailed_code_is_given(allianz: Site) -> None:
    visitor = allianz.visitor()
    page = visitor.walk_to("done", ALLIANZ_BY_POLICY)
    assert allianz.say("done.activation_needed") in page.text
    code = allianz.activation_code(ALLIANZ_BY_POLICY.email)
    assert len(allianz.messages(ALLIANZ_BY_POLICY.email)) == 1
    assert 'data-step="activation"' in visitor.sign_in(ALLIANZ_BY_POLICY.email).html
    for address in ("/fiok", "/fiok/beallitasok", "/fiok/jelszo", "/fiok/email", "/fiok/adatok.json", "/levelezes"):
        assert visitor.client.get(address).location.partition("?")[0] == "/fiok/aktivalas", address
    visitor.follow(visitor.client.get("/fiok/jelszo"))
    assert allianz.say("activation.limited") in visitor.page.text
    wrong = f"{(int(code) + 1) % 10**6:06}"
    assert activate(visitor, wrong[1:]).errors() == {"activation_code": allianz.say("error.activation_code.wrong")}
    activate(visitor, code[1:])
    assert visitor.client.get("/fiok").status_code == 200
    assert not allianz.rows("activations")


def test_staying_signed_in_is_possible_before_the_activation(allianz: Site) -> None:
    visitor = allianz.visitor()
    visitor.walk_to("done", ALLIANZ_BY_POLICY)
    visitor.sign_in(ALLIANZ_BY_POLICY.email)
    page = visitor.follow(visitor.post("/belepes/maradok", {"next": "/fiok/aktivalas"}))
    assert (page.status, page.step) == (200, "activation")
    assert allianz.say("session.extended", time="x").partition("x")[0].strip() in page.root.text


def test_a_new_activation_code_kills_the_older_one(allianz: Site) -> None:
    visitor = allianz.visitor()
    visitor.walk_to("done", ALLIANZ_BY_POLICY)
    first = allianz.activation_code(ALLIANZ_BY_POLICY.email)
    visitor.sign_in(ALLIANZ_BY_POLICY.email)
    assert visitor.act("resend-email").status == 422
    allianz.advance(seconds=61)
    visitor.act("resend-email")
    second = allianz.activation_code(ALLIANZ_BY_POLICY.email)
    assert len(allianz.messages(ALLIANZ_BY_POLICY.email)) == 2
    assert first == second or activate(visitor, first).status == 422
    activate(visitor, second)
    assert visitor.client.get("/fiok").status_code == 200


def test_activation_codes_cannot_be_guessed(allianz: Site) -> None:
    visitor = allianz.visitor()
    visitor.walk_to("done", ALLIANZ_BY_POLICY)
    code = allianz.activation_code(ALLIANZ_BY_POLICY.email)
    visitor.sign_in(ALLIANZ_BY_POLICY.email)
    for number in range(allianz.parts.profile.one_time_code.guesses):
        activate(visitor, f"{(int(code[1:]) + number + 1) % 10**5:05}")
    assert activate(visitor, code).status == 429
    assert visitor.client.get("/fiok").status_code == 303
    allianz.advance(hours=25)
    visitor.sign_in(ALLIANZ_BY_POLICY.email)
    activate(visitor, code)
    assert visitor.client.get("/fiok").status_code == 200


def test_no_new_password_is_mailed_to_an_address_that_is_not_proved(allianz: Site) -> None:
    visitor = allianz.visitor()
    visitor.walk_to("done", ALLIANZ_BY_POLICY)
    visitor.open("/sso/ForgotPassword")
    visitor.send(email=ALLIANZ_BY_POLICY.email)
    links = [link for mail in allianz.messages(ALLIANZ_BY_POLICY.email) for link in mail["links"]]
    assert not [link for link in links if "token" in link]


@pytest.mark.parametrize("who", [CLERK, ADVISER])
def test_nor_do_staff_or_clients_have_one_mailed_there(allianz: Site, who: str) -> None:
    visitor = allianz.visitor()
    visitor.walk_to("done", ALLIANZ_BY_POLICY)
    code, before = allianz.activation_code(ALLIANZ_BY_POLICY.email), allianz.messages()
    member = colleague(allianz, who)
    page = member.serve(ALLIANZ_BY_POLICY.identification["identifier"])
    assert not page.has_button("forgot")
    page = member.follow(member.post(page.path, {"action": "forgot"}))
    assert not page.has_button("forgot")
    client = Client(allianz)
    asked = {"customer": {"by": "policy_number", "number": "940000001"}, "identified_by": "call"}
    assert about(client.post(RESET, asked)) == (409, "no-account")
    assert allianz.messages() == before
    assert not allianz.rows("password_resets")
    # Once the address is proved, all of them may.
    visitor.sign_in(ALLIANZ_BY_POLICY.email)
    activate(visitor, code)
    page = member.open(page.path)
    page = member.follow(member.post(page.path, {"action": "forgot"}))
    assert allianz.say("staff.forgot.done", minutes=15) in page.text
    assert client.post(RESET, asked).status_code == 202
    assert allianz.told("reset", ALLIANZ_BY_POLICY.email) == 1


def test_whoever_mistyped_the_address_is_helped_by_staff_and_registers_anew(allianz: Site, htmx: bool) -> None:
    mistyped = replace(ALLIANZ_BY_POLICY, email="vaalki@example.hu")
    visitor = allianz.visitor()
    visitor.walk_to("done", mistyped)
    visitor.sign_in(mistyped.email)
    clerk = Colleague(allianz, htmx=htmx)
    clerk.sign_in()
    page = clerk.serve(mistyped.identification["identifier"])
    assert allianz.say("staff.customer.account.waiting", date="x").partition("x")[2] in page.text
    page = clerk.follow(clerk.post(page.path, {"action": "end-account", "reason": ""}))
    assert (page.status, page.fields_in_error) == (422, ["reason"])
    assert allianz.rows("accounts")
    sent = allianz.messages()
    page = clerk.follow(clerk.post(page.path, {"action": "end-account", "reason": "Elírta a címét"}))
    assert allianz.say("staff.takeover.account_ended") in page.text
    told = allianz.say("staff.event.account_ended", staff="x", reason="Elírta a címét")
    assert all(part in page.text for part in told.split("x"))
    assert not page.has_button("end-account")
    assert allianz.say("staff.customer.account.none") in page.text
    assert not any(allianz.rows(table) for table in ("accounts", "activations", "sessions"))
    assert allianz.messages() == sent
    # The browser in which it was opened goes on too.
    assert visitor.client.get("/fiok").location.startswith("/belepes")
    allianz.advance(seconds=61)
    again = allianz.visitor()
    assert again.walk_to("done", ALLIANZ_BY_POLICY).step == "done"
    again.sign_in(ALLIANZ_BY_POLICY.email)
    activate(again, allianz.activation_code(ALLIANZ_BY_POLICY.email))
    assert again.client.get("/fiok").status_code == 200
    # An account that was activated is none of the staff's to end.
    page = clerk.open(page.path)
    assert not page.has_button("end-account")
    page = clerk.follow(clerk.post(page.path, {"action": "end-account", "reason": "Elírta a címét"}))
    assert (page.status, len(allianz.rows("accounts"))) == (200, 1)


def activate(visitor: Visitor, code: str) -> Page:
    """Type an activation code."""
    return visitor.send("activation", activation_code=code)


# --- Hardened ---------------------------------------------------------------------------------------------------------


def test_one_setting_hardens_any_profile(make_site: Callable[..., Site]) -> None:
    site = make_site(profile="allianz", hardened=True)
    visitor = site.visitor()
    visitor.walk_to("sms-code", ALLIANZ_BY_POLICY)
    code = site.code(ALLIANZ_BY_POLICY.mobile)
    assert visitor.give_code(code[1:]).status == 422
    assert visitor.give_code(code).step == "email"
    visitor.walk_to("password", ALLIANZ_BY_POLICY)
    assert visitor.give_password("Kek7Hold8Fenye").errors() == {
        "password": site.say("error.password.too_short", length=15)
    }
    assert visitor.give_password("sárga bögre, görbe bögre").step == "done"


# --- Slovak -----------------------------------------------------------------------------------------------------------


def test_a_slovak_customer_reads_slovak_alone(make_site: Callable[..., Site], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[str] = set()
    template = Texts.template

    def listen(self: Texts, key: str, language: str, facts: Any) -> str:
        asked.add(key)
        return template(self, key, language, facts)

    monkeypatch.setattr(Texts, "template", listen)
    site = make_site(profile="generali-sk")
    visitor = site.visitor("sk")
    for address in ("/", "/aszf", "/belepes", "/sso/ForgotPassword"):
        assert visitor.client.get(address, headers={"Accept-Language": "sk"}).status_code == 200
    identify(site, SLOVAK, birth_number="855314/0024", policy_number="")
    visitor.walk_to("done", SLOVAK)
    stranger = site.visitor("sk")
    stranger.open(f"{SECOND}?token=x")
    site.messages()
    own = set(read_po_keys("sk"))
    missing = {key for key in asked if key not in own and not any(own_key.startswith(f"{key}.") for own_key in own)}
    assert not missing


def read_po_keys(language: str) -> list[str]:
    """Return the keys of a catalogue."""
    file = Path(texts.__file__).parent / "catalogues" / f"{language}.po"
    with file.open("rb") as catalogue:
        return [str(entry.id) for entry in read_po(catalogue) if entry.id and entry.string]


def test_no_insurer_is_named_in_code() -> None:
    root = Path(texts.__file__).parents[2]
    names = re.compile(r"allianz|genertel|generali", re.I)
    found = [
        f"{path.relative_to(root)}: {line.strip()}"
        for folder in ("services", "webapp")
        for path in (root / folder).rglob("*")
        if path.suffix in (".py", ".html", ".js", ".css", ".txt") and "profiles" not in path.parts[-2:-1]
        if "dist" not in path.parts and "terms" not in path.parts and "notice" not in path.parts
        for line in path.read_text("utf-8").splitlines()
        if names.search(line)
    ]
    assert not found


def test_password_managers_make_one_that_is_taken(allianz: Site) -> None:
    visitor = allianz.visitor()
    visitor.walk_to("password", ALLIANZ_BY_POLICY)
    (field,) = [one for one in visitor.seen.root.all("input") if "name" in one and one["name"] == "password"]
    wanted = "minlength: 6; required: upper; required: lower; required: digit; allowed: upper, lower, digit"
    assert field["passwordrules"] == wanted
