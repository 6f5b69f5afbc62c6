"""The console's pages: who is let in where, what is shown when, and the way of a registration with the customer."""

import re
from datetime import timedelta

import pytest

from services import randomness
from tests.world.cast import ANNA, ESZTER, GABOR, ILONA, MARTA, PASSWORD
from tests.world.colleague import (
    ADVISER,
    BOSS,
    CLERK,
    ILONAS_POLICY,
    MAIL,
    NEW_MOBILE,
    PARTNER,
    SERVICE,
    Colleague,
    colleague,
)
from tests.world.site import Site
from tests.world.walk import SECOND
from webapp.demo.clock import DemoClock
from webapp.demo.seed import STAFF_PASSWORD


@pytest.fixture
def clerk(site: Site, htmx: bool) -> Colleague:
    """Somebody of customer service, with and without scripts."""
    colleague = Colleague(site, htmx=htmx)
    colleague.sign_in()
    return colleague


# --- Who is let in -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("email", "door"), [(CLERK, SERVICE), (BOSS, SERVICE), (ADVISER, PARTNER)])
def test_each_comes_in_by_any_door_and_works_behind_their_own(site: Site, email: str, door: str) -> None:
    for entrance in (SERVICE, PARTNER):
        one = Colleague(site)
        assert one.open(entrance).step == "staff-login"
        page = one.sign_in(email, door=entrance)
        assert (page.path, page.step) == (door, "staff-search")
        assert one.open(door).step == "staff-search"


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (CLERK, "wrong"),
        ("nobody@example.hu", STAFF_PASSWORD),
        ("no address", STAFF_PASSWORD),
        (CLERK, STAFF_PASSWORD + "x"),
    ],
)
def test_one_message_for_every_failure(site: Site, htmx: bool, email: str, password: str) -> None:
    one = Colleague(site, htmx=htmx)
    page = one.sign_in(email, password)
    assert (page.status, page.step) == (422, "staff-login")
    assert page.errors() == {"email": site.say("staff.login.failed")}


def test_waits_grow_after_failures(site: Site) -> None:
    one = Colleague(site)
    for _ in range(site.parts.profile.sign_in.tries):
        one.sign_in(CLERK, "wrong")
    page = one.sign_in()
    assert page.status == 429
    assert page.headers["Retry-After"]
    (alert,) = (part for part in page.root.all("div") if part["role"] == "alert")
    assert site.say("login.wait.heading") in alert.text
    assert site.parts.profile.phone_display in alert.text
    assert re.search(r"\b[2-9A-Z]{3}-[2-9A-Z]{3}\b", alert.text), "a reference code"
    until = site.now + timedelta(seconds=int(page.headers["Retry-After"]))
    assert any(
        site.say("staff.login.wait.text", time=site.time_from(moment)) in alert.text
        for moment in (until, until - timedelta(seconds=1))
    )
    site.advance(seconds=30)
    assert one.sign_in().step == "staff-search"


def test_outside_a_demonstration_a_second_factor_is_asked_for(make_site, tmp_path) -> None:
    settings = {
        "demo": False, "public_url": "http://127.0.0.1:8000", "bcrypt_rounds": 10,
        "secret_keys": "a secret of these tests: 0123456789 abcdef",
        "mail_url": f"folder:{tmp_path}", "sms_url": f"folder:{tmp_path}",
    }  # fmt: skip
    demo = make_site()
    assert Colleague(demo).sign_in().step == "staff-search"
    # The same database in production: the demonstration's staff are nobody there.
    real = make_site(**settings)
    one = Colleague(real)
    page = one.open(SERVICE)
    assert page.by_id("totp") is not None
    assert one.send(email=CLERK, password=STAFF_PASSWORD, totp="123456").status == 422
    assert one.send(email=CLERK, password=STAFF_PASSWORD).status == 422


def test_nobody_sees_anything_without_signing_in(site: Site, htmx: bool) -> None:
    inside = colleague(site, CLERK)
    case = inside.search(ILONAS_POLICY).path
    stranger = Colleague(site, htmx=htmx)
    for address in (case, f"{SERVICE}/ugyfel/x", SERVICE, PARTNER):
        assert stranger.open(address).step == "staff-login"
    for address in (case, f"{SERVICE}/kereses", f"{SERVICE}/ugyfel", f"{SERVICE}/maradok"):
        page = stranger.follow(stranger.post(address, {"policy_number": ILONAS_POLICY, "identified_by": "call"}))
        assert (page.status, page.step) == (403, "staff-login")


def test_a_customers_session_opens_nothing_here_and_a_staff_session_nothing_there(site: Site) -> None:
    customer = site.visitor()
    customer.walk_to("done")
    customer.open("/belepes")
    customer.send(email=ANNA.email, password=PASSWORD)
    assert customer.open("/fiok").is_signed_in
    for door in (SERVICE, PARTNER):
        assert customer.open(door).form("staff-login")
    one = colleague(site, CLERK)
    assert one.open("/fiok").step == "login"


@pytest.mark.parametrize("as_customer", ["sign-in", "reset"])
def test_signing_in_as_the_one_ends_the_session_as_the_other_in_this_browser(site: Site, as_customer: str) -> None:
    """On the server too: a saved cookie is worth nothing."""
    site.open_account()
    one = colleague(site, CLERK)
    as_staff = one.copy()
    if as_customer == "sign-in":
        one.open("/belepes")
        one.send(email=ANNA.email, password=PASSWORD)
        assert one.open("/fiok").is_signed_in
    else:
        one.ask_for_reset()
        one.reset("Szilvafa-2027-Udvar")
    assert one.open(SERVICE).form("staff-login")
    assert as_staff.open(SERVICE).form("staff-login")
    if as_customer == "sign-in":
        signed_in = one.copy()
        one.sign_in()
        assert one.open(SERVICE).step == "staff-search"
        assert one.open("/fiok").step == "login"
        assert signed_in.open("/fiok").step == "login"


def test_signing_out_ends_the_session_and_a_saved_cookie_is_worth_nothing(site: Site) -> None:
    one = colleague(site, CLERK)
    saved = one.client.get_cookie("session")
    assert one.send("logout").step == "staff-login"
    assert saved is not None
    one.client.set_cookie("session", saved.value)
    assert one.open(SERVICE).step == "staff-login"


def test_a_session_ends_when_idle_and_can_be_prolonged(site: Site) -> None:
    one = colleague(site, CLERK)
    site.advance(minutes=14)
    assert one.client.get(f"{SERVICE}/meddig").status_code == 200
    assert one.follow(one.post(f"{SERVICE}/maradok", {})).step == "staff-search"
    site.advance(minutes=14)
    assert one.open(SERVICE).step == "staff-search"
    site.advance(minutes=16)
    page = one.open(SERVICE)
    assert page.step == "staff-login"
    assert site.say("login.ended.idle") in page.text


def test_whoever_only_follows_a_timeline_is_not_active(site: Site) -> None:
    one = colleague(site, CLERK)
    address = one.search(ILONAS_POLICY).path
    site.advance(minutes=14)
    assert one.client.get(f"{address}/idovonal").status_code == 200
    site.advance(minutes=2)
    assert one.open(SERVICE).step == "staff-login"


def test_forms_without_their_token_do_nothing(site: Site, htmx: bool) -> None:
    one = Colleague(site, htmx=htmx)
    one.sign_in()
    case = one.search(ILONAS_POLICY).path
    before = site.database("staff_sessions")
    for address, fields in (
        (f"{SERVICE}/kereses", {"policy_number": ILONAS_POLICY}),
        (case, {"identified_by": "call"}),
    ):
        assert one.follow(one.post(address, fields, token="x")).status == 400
    assert site.database("staff_sessions") == before


# --- Finding --------------------------------------------------------------------------------------------------------


def test_data_stay_hidden_until_it_is_recorded_how_the_customer_was_identified(clerk: Colleague) -> None:
    page = clerk.search(ILONAS_POLICY)
    for hidden in ("Nagy", "Ilona", "10000004", ILONAS_POLICY, "345678"):
        assert hidden not in page.html
    page = clerk.follow(clerk.post(page.path, {"identified_by": "by the voice"}))
    assert (page.status, page.fields_in_error) == (422, ["identified_by"])
    page = clerk.open(page.path) and clerk.record_identification()
    for shown in ("Nagy Ilona", "10000004", ILONAS_POLICY, "+36 1 234 5678"):
        assert shown in page.text


def test_who_is_not_found(clerk: Colleague, site: Site) -> None:
    for text, key in (("", "search.empty"), ("\0", "text.characters")):
        page = clerk.search(text)
        assert (page.status, page.errors()) == (422, {"policy_number": site.say(f"error.{key}")})
    page = clerk.search("940999999")
    assert page.status == 404
    assert site.say("staff.search.none") in page.text
    assert page.value("policy_number") == "940999999"


def test_what_customers_do_by_themselves_stands_in_the_timeline(clerk: Colleague, site: Site) -> None:
    """Whoever calls that they changed nothing gets an answer."""
    site.open_account()
    customer = site.visitor()
    customer.ask_for_reset()
    customer.reset("Szilvafa-2027-Udvar")
    page = clerk.serve(ANNA.policy_number)
    assert site.say("staff.event.own.reset") in page.text
    assert page.text.count(site.say("staff.event.mail_sent", email_masked="a•••a@example.hu")) == 2  # link and reset


def test_an_adviser_gets_the_same_answer_for_others_customers_as_for_nobody(site: Site) -> None:
    adviser = colleague(site, ADVISER)
    assert [line.text.split()[0] for line in adviser.page.root.all("li")] == ["K•••", "M•••"]  # type: ignore[union-attr]
    answers = {
        re.sub(r'value="[^"]*"', "", adviser.search(number).text)
        for number in (ILONAS_POLICY, "940999999", "940000007")
    }
    assert len(answers) == 1
    assert adviser.page is not None
    assert adviser.page.status == 404
    clerk = colleague(site, CLERK)
    foreign = clerk.serve(ILONAS_POLICY).path.rpartition("/")[2]
    assert adviser.open(f"{PARTNER}/ugyfel/{foreign}").status == 404
    assert adviser.open(f"{PARTNER}/ugyfel/nobody").status == 404
    adviser.open(PARTNER)
    assert "Kovács Anna" in adviser.serve(ANNA.policy_number).text


def test_a_name_with_markup_is_text(clerk: Colleague) -> None:
    page = clerk.serve(MARTA.policy_number)
    assert 'Fekete <b>Márta</b> & "Fiai"' in page.text
    assert not list(page.root.all("b"))


# --- Registering with the customer ------------------------------------------------------------------------------------


def test_nagy_ilona_registers_with_customer_service(
    clerk: Colleague, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A code drawn by lot may be in the page by itself, such as the year.
    monkeypatch.setattr(randomness, "digits", lambda length: "73914628"[:length])
    assert clerk.serve(ILONAS_POLICY).form("staff-record")
    page = clerk.record()
    assert page.form("staff-code")
    code = site.code(NEW_MOBILE)
    assert code not in re.sub(r'name="(csrf_token|customer)" value="[^"]*"', "", page.html)
    page = clerk.type_code(f"{(int(code) + 1) % 10**4:04}")
    assert (page.status, page.fields_in_error) == (422, ["sms_code"])
    page = clerk.type_code(code)
    assert page.status == 200
    assert next(page.root.all("main"))["data-step"] == "staff-done"
    customer = site.visitor()
    page = customer.open_link(MAIL)
    assert (page.path, page.step) == (SECOND, "mobile")
    assert site.say("finalise.assisted") in page.text
    assert customer.give_mobile(NEW_MOBILE).step == "sms-code"
    assert customer.give_code(site.code(NEW_MOBILE)).step == "terms"
    assert customer.accept_terms().step == "password"
    assert customer.give_password().step == "done"
    page = clerk.open(clerk.page.path)  # type: ignore[union-attr]
    assert page.has_button("forgot")
    assert site.say("staff.event.completed") in page.text


@pytest.mark.parametrize(
    ("email", "again", "mobile", "wrong"),
    [
        ("", "", "", ["email", "email_confirm", "mobile"]),
        ("no address", "no address", "20 999 8877", ["email"]),
        (MAIL, "masik@example.hu", "20 999 8877", ["email_confirm"]),
        (MAIL, MAIL, "06 1 234 5678", ["mobile"]),
        (MAIL, MAIL, "+43 664 1234567", ["mobile"]),
    ],
)
def test_what_is_recorded_must_be_right(
    clerk: Colleague, email: str, again: str, mobile: str, wrong: list[str]
) -> None:
    clerk.serve(ILONAS_POLICY)
    page = clerk.record(email, mobile, again)
    assert (page.status, page.fields_in_error) == (422, wrong)
    assert page.value("mobile") == mobile


def test_all_codes_used_up_stands_in_place_of_the_form_and_a_supervisor_helps(site: Site) -> None:
    clerk, boss = colleague(site, CLERK), colleague(site, BOSS)
    clerk.serve(ILONAS_POLICY)
    clerk.record()
    for _ in range(3):
        for _ in range(3):
            clerk.type_code(f"{(int(site.code(NEW_MOBILE)) + 1) % 10**4:04}")
        site.advance(minutes=1)
        if clerk.page and 'data-step="sms-resend"' in clerk.page.html:
            clerk.send("sms-resend")
    assert clerk.page is not None
    page = clerk.open(clerk.page.path)
    assert site.say("staff.code.used_up", time="x").partition("x")[0] in page.text
    assert not page.has_button("new-budget")
    page = boss.serve(ILONAS_POLICY)
    page = boss.follow(boss.post(page.path, {"action": "new-budget", "reason": ""}))
    assert (page.status, page.fields_in_error) == (422, ["reason"])
    page = boss.follow(boss.post(page.path, {"action": "new-budget", "reason": "Rosszul hallotta"}))
    assert site.say("staff.takeover.budget_given") in page.text
    page = clerk.open(clerk.page.path)
    assert page.form("sms-resend")
    clerk.send("sms-resend")
    assert clerk.type_code(site.code(NEW_MOBILE)).status == 200


def test_a_customer_at_home_can_go_on_with_the_new_allowance(site: Site) -> None:
    customer, boss = site.visitor(), colleague(site, BOSS)
    customer.walk_to("sms-code")
    for _ in range(2):
        site.advance(minutes=1)
        customer.send("sms-resend")
    site.advance(minutes=1)
    page = customer.open(SECOND)
    assert all(form["data-step"] != "sms-resend" for form in page.root.all("form")), "all three have been sent"
    boss.serve(ANNA.policy_number)
    assert boss.page is not None
    boss.follow(boss.post(boss.page.path, {"action": "new-budget", "reason": "Rosszul hallotta"}))
    assert customer.open(SECOND).form("sms-resend")
    customer.send("sms-resend")
    assert customer.give_code(site.code(ANNA.mobile)).step == "terms"


def test_an_actions_form_that_is_not_there_does_nothing(clerk: Colleague, site: Site) -> None:
    page = clerk.serve(ILONAS_POLICY)
    before = site.database("staff_sessions", "audit")
    for fields in (
        {"action": "new-budget", "reason": "kell"}, {"action": "end", "reason": "kell"}, {"action": "forgot"},
        {"action": "resend-email"}, {"sms_code": "1234"}, {"step": "sms-resend"}, {"action": "end"},
        {"action": "new-budget"}, {"action": "end-account", "reason": "kell"}, {"action": "end-account"},
        {"action": "end-active-account", "reason": "kell"},
    ):  # fmt: skip
        answer = clerk.follow(clerk.post(page.path, fields))
        assert answer.status == 200, fields
        assert answer.form("staff-record")
    assert site.database("staff_sessions", "audit") == before


# --- What got stuck --------------------------------------------------------------------------------------------------


def test_a_stuck_registration_is_seen_mailed_again_and_ended(clerk: Colleague, site: Site) -> None:
    stuck = site.visitor()
    stuck.walk_to("sms-code", ESZTER)
    stuck.give_wrong_code(site.code(ESZTER.mobile))
    page = clerk.serve(ESZTER.policy_number)
    for key in ("link_opened", "identified", "refused.sms_code.wrong"):
        assert site.say(f"staff.event.{key}") in page.text
    page = clerk.follow(clerk.post(page.path, {"action": "resend-email"}))
    assert (page.status, page.fields_in_error) == (422, ["actions"])
    site.advance(minutes=1)
    page = clerk.follow(clerk.post(page.path, {"action": "resend-email"}))
    assert page.status == 200
    newest = site.visitor()
    assert newest.open_link(ESZTER.email).step == "mobile"
    page = clerk.follow(clerk.post(page.path, {"action": "end", "reason": "Más címet szeretne"}))
    assert site.say("staff.takeover.ended") in page.text
    ended = newest.open_link(ESZTER.email)
    assert ended.status == 410
    assert site.say("dead_end.ended_by_staff.heading") in ended.text
    assert newest.act("restart").step == "identify"


def test_a_mistyped_address_is_recorded_anew_at_once_after_the_end(clerk: Colleague, site: Site) -> None:
    clerk.serve(ILONAS_POLICY)
    clerk.record("ilnoa@example.hu")
    page = clerk.type_code(site.code(NEW_MOBILE))
    page = clerk.follow(clerk.post(page.path, {"action": "end", "reason": "Elírtuk a címet"}))
    assert site.say("staff.takeover.ended") in page.text
    assert page.form("staff-record")
    # Nor does a search lead back to where nothing can be done.
    assert clerk.search(ILONAS_POLICY).form("staff-record")
    assert clerk.record().form("staff-code")
    page = clerk.type_code(site.code(NEW_MOBILE))
    assert next(page.root.all("main"))["data-step"] == "staff-done"
    assert site.visitor().open_link(MAIL).step == "mobile"


def test_a_code_read_out_from_a_dead_end_finds_the_customer(clerk: Colleague, site: Site) -> None:
    page = site.visitor().identify(ILONA)
    found = re.search(r"\b([2-9A-Z]{3}-[2-9A-Z]{3})\b", page.text)
    assert found is not None
    clerk.search(found[1].lower())
    page = clerk.record_identification()
    assert "Nagy Ilona" in page.text
    assert site.say("staff.event.no_mobile") in page.text


@pytest.mark.parametrize("who", [CLERK, ADVISER])
def test_a_forgotten_password_started_by_staff_ends_as_the_customers_own(site: Site, who: str) -> None:
    site.visitor().walk_to("done")
    one = colleague(site, who)
    page = one.serve(ANNA.policy_number)
    page = one.follow(one.post(page.path, {"action": "forgot"}))
    assert site.say("staff.forgot.done", minutes=15) in page.text
    link = site.link(ANNA.email)
    assert link not in page.html
    customer = site.visitor()
    assert customer.open(link).step == "reset"
    customer.send(password="Vadonatúj 7 tulipán", password_confirm="Vadonatúj 7 tulipán")
    customer.open("/belepes")
    assert customer.send(email=ANNA.email, password="Vadonatúj 7 tulipán").is_signed_in


def test_a_supervisor_takes_an_account_from_whoever_got_hold_of_it(site: Site, htmx: bool) -> None:
    site.open_account()
    thief = site.visitor()
    thief.open("/belepes")
    thief.sign_in()
    for who in (CLERK, ADVISER):
        other = colleague(site, who)
        page = other.serve(ANNA.policy_number)
        assert not page.has_button("end-active-account")
        only = f"{site.say('staff.takeover.end_active_account')}: {site.say('staff.takeover.supervisor_only')}"
        assert only in page.text
        page = other.follow(other.post(page.path, {"action": "end-active-account", "reason": "Feltörték"}))
        assert (page.status, page.fields_in_error) == (200, [])
    assert site.rows("accounts")
    boss = Colleague(site, htmx=htmx)
    boss.sign_in(BOSS)
    page = boss.serve(ANNA.policy_number)
    assert page.has_button("end-active-account")
    assert site.say("staff.takeover.heading.account") in page.text
    page = boss.follow(boss.post(page.path, {"action": "end-active-account", "reason": ""}))
    assert (page.status, page.fields_in_error) == (422, ["reason"])
    page = boss.follow(boss.post(page.path, {"action": "end-active-account", "reason": "Feltörték a fiókját"}))
    assert site.say("staff.takeover.account_ended") in page.text
    told = site.say("staff.event.active_account_ended", staff="x", reason="Feltörték a fiókját")
    assert all(part in page.text for part in told.split("x"))
    assert page.form("staff-record")
    assert thief.open("/fiok").step == "login"
    assert site.told("account_closed") == 1
    site.advance(seconds=61)
    assert site.visitor().walk_to("done").step == "done"


# --- Notices ----------------------------------------------------------------------------------------------------------


def test_a_notice_waits_for_the_consoles_next_page_whatever_else_the_browser_opens(site: Site) -> None:
    site.open_account()
    one = colleague(site, CLERK)
    case = one.serve(ANNA.policy_number).path
    assert one.post(case, {"action": "forgot"}).status_code == 303
    done = site.say("staff.forgot.done", minutes=15)
    for address in ("/belepes", "/regisztracio", "/fiok", "/sso/ForgotPassword"):
        page = one.open(address)
        assert page.status == 200, address
        assert done not in page.text
    assert done in one.open(case).text
    assert done not in one.open(case).text, "once"


def test_a_notice_is_shown_on_whichever_page_of_the_console_comes_next(site: Site) -> None:
    site.open_account()
    one = colleague(site, CLERK)
    case = one.serve(ANNA.policy_number).path
    one.post(case, {"action": "forgot"})
    page = one.open(f"{SERVICE}/munkalistak/adatok")
    assert page.status == 200
    assert site.say("staff.forgot.done", minutes=15) in page.text


def test_what_customers_are_told_is_not_told_to_staff(site: Site) -> None:
    one = colleague(site, CLERK)
    case = one.serve(ILONAS_POLICY).path
    assert one.client.get("/fiok").status_code == 303
    assert "login.needed" not in one.open(case).text
    assert site.say("login.needed") in one.open("/belepes").text


def test_the_demonstrations_reset_signs_staff_out_and_lets_them_in_again(site: Site) -> None:
    one = colleague(site, CLERK)
    assert site.app.test_client().post("/dev/reset").status_code == 200
    assert isinstance(site.parts.clock, DemoClock)
    assert one.open(SERVICE).step == "staff-login"
    assert one.sign_in().step == "staff-search"


def test_english(site: Site) -> None:
    one = Colleague(site, "en")
    one.sign_in()
    page = one.serve(GABOR.policy_number)
    assert site.say("staff.record.heading", "en") in page.text
