"""Signing in, out, and staying signed in: the pages (security.md, Sign-in and session)."""

import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from tests.world.cast import ANNA, ESZTER, OTHER_PASSWORD, PASSWORD
from tests.world.site import Site, Visitor

ACCOUNT_PAGES = ["/fiok", "/fiok/beallitasok", "/fiok/jelszo", "/fiok/email", "/fiok/mobil", "/fiok/megszuntetes",
                 "/fiok/adatok.json"]  # fmt: skip


def _fail(visitor: Visitor, times: int, email: str = ANNA.email) -> None:
    for _ in range(times):
        assert visitor.sign_in(email, "not the password").status == 422


# --- In and out --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["hu", "en"])
def test_registered_here_then_signed_in_and_out(site: Site, htmx: bool, language: str) -> None:
    visitor = site.visitor(language, htmx=htmx)
    visitor.walk_to("done")
    page = visitor.sign_in()
    assert (page.status, page.path, page.title) == (
        200, "/fiok", site.say("shell.title", language, step=site.say("home.title", language)),
    )  # fmt: skip
    assert site.told("new_device", language=language) == 0
    page = visitor.sign_out()
    assert page.step == "login"
    assert site.say("login.signed_out", language) in page.text
    assert visitor.open("/fiok").step == "login"


def test_messages_follow_the_language_in_which_the_customer_is_signed_in(anna: Site, htmx: bool) -> None:
    visitor = anna.visitor("en", htmx=htmx)
    visitor.sign_in()
    assert anna.told("new_device") == 1, "who signs in may be whom it warns of, and has not chosen its language"
    visitor.open("/fiok/email")
    visitor.send(email="uj@example.hu", current_password=PASSWORD)
    assert anna.told("address_new", "uj@example.hu", "en") == 1
    visitor.sign_out()
    assert visitor.ask_for_reset().step == "forgot-sent"
    assert anna.told("reset", language="en") == 1
    visitor.sign_in()
    visitor.open("/fiok?lang=hu")
    visitor.sign_out()
    anna.visitor("en").ask_for_reset()
    assert anna.told("reset") == 1, "whoever asks for it without a sign-in changes nothing"


def test_a_saved_cookie_of_a_registration_is_worth_nothing_after_its_time(site: Site) -> None:
    visitor = site.visitor()
    visitor.walk_to("done")
    thief = visitor.copy()
    thief.client.delete_cookie("device")
    site.advance(minutes=50)
    visitor.sign_in()
    assert site.told("new_device") == 0, "within the registration's time its browser is known"
    site.advance(minutes=11)
    thief.sign_in()
    assert site.told("new_device") == 1


@pytest.mark.parametrize("typed", [" ANNA@Example.HU ", "anna@example.hu"])
def test_the_address_may_be_typed_in_any_letters(anna: Site, visitor: Visitor, typed: str) -> None:
    assert visitor.sign_in(typed).path == "/fiok"


def test_every_failure_looks_alike(anna: Site, htmx: bool) -> None:
    seen = set()
    for email, password in (
        (ANNA.email, "not the password"),
        (ESZTER.email, PASSWORD),
        ("no address at all", PASSWORD),
        ("a" * 300 + "@example.hu", PASSWORD),
        ("anna@example.hu.", PASSWORD),
        (ANNA.email, "x" * 5000),
        ("ann\u0430@example.hu", PASSWORD),
    ):
        page = anna.visitor(htmx=htmx).sign_in(email, password)
        assert (page.status, page.step, page.fields_in_error) == (422, "login", ["email", "password"])
        assert page.value("email") == email, "what was typed is there"
        assert anna.say("login.failed") in page.error_of("email")
        # What was typed, the form's token and the challenge for passkeys aside.
        seen.add(re.sub(r'(value|data-options)="[^"]*"', "", page.html))
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"email": "", "password": ""}, ["email", "password"]),
        ({"email": ANNA.email, "password": ""}, ["password"]),
        ({"email": "", "password": PASSWORD}, ["email"]),
        ({"email": "a\0b@example.hu", "password": PASSWORD}, ["email"]),
        ({"email": "x" * 400, "password": PASSWORD}, ["email"]),
    ],
)
def test_what_is_missing_or_no_text_is_said_beside_its_field(
    anna: Site, htmx: bool, fields: dict[str, str], expected: list[str]
) -> None:
    visitor = anna.visitor(htmx=htmx)
    visitor.open("/belepes")
    page = visitor.send(**fields)
    assert (page.status, page.fields_in_error) == (422, expected)
    assert anna.rows("sign_in_tries") == []


def test_there_is_no_way_in_beside_the_form(anna: Site, visitor: Visitor) -> None:
    """No sign-in by query string, JSON, an upload or a method's override."""
    credentials = {"email": ANNA.email, "password": PASSWORD}
    visitor.open("/belepes")
    token = visitor.csrf_token
    headers = {"X-CSRFToken": token, "X-HTTP-Method-Override": "POST", "X-HTTP-Method": "POST"}
    open_ = visitor.client.open
    answers = [
        open_("/belepes", query_string=credentials),
        open_("/belepes", query_string={**credentials, "_method": "POST", "csrf_token": token}, headers=headers),
        open_("/belepes", method="POST", json={**credentials, "csrf_token": token}, headers=headers),
        open_("/belepes", method="POST", query_string=credentials, data={"csrf_token": token}),
        open_("/belepes", method="PUT", data={**credentials, "csrf_token": token}, headers=headers),
        open_("/belepes", auth=(ANNA.email, PASSWORD)),
        open_("/fiok", auth=(ANNA.email, PASSWORD)),
    ]
    assert all(answer.status_code in (200, 303, 405, 422) for answer in answers)
    assert anna.rows("sessions") == []
    assert visitor.open("/fiok").step == "login"
    assert visitor.open("/kilepes").status == 405


def test_a_new_session_id_and_a_saved_cookie_is_worth_nothing_afterwards(anna: Site, visitor: Visitor) -> None:
    visitor.open("/belepes")
    before = visitor.copy()
    visitor.sign_in()
    assert before.open("/fiok").step == "login", "the session of before the sign-in has no rights now"
    saved = visitor.copy()
    assert saved.open("/fiok").path == "/fiok"
    again = visitor.copy()
    again.open("/sso/ForgotPassword")
    page = again.follow(again.post("/belepes", {"email": ANNA.email, "password": PASSWORD}))
    assert page.path == "/fiok"
    assert saved.copy().open("/fiok").step == "login", "signing in anew ends the session that was held"
    saved = again.copy()
    again.sign_out()
    page = saved.open("/fiok")
    assert page.step == "login"
    assert {row.ended_by for row in anna.rows("sessions")} == {"signed_out"}


def test_a_page_of_before_signing_in_posts_nothing_after_it(anna: Site, visitor: Visitor) -> None:
    visitor.open("/belepes")
    older = visitor.csrf_token
    visitor.sign_in()
    assert visitor.post("/kilepes", {}, token=older).status_code == 400
    assert visitor.open("/fiok").is_signed_in


def test_the_button_to_sign_out_is_on_every_page_of_a_signed_in_customer(anna: Site, visitor: Visitor) -> None:
    for address in ("/", "/belepes", "/aszf", "/regisztracio", "/sso/ForgotPassword", "/no-such-page"):
        assert not visitor.open(address).is_signed_in
    visitor.sign_in()
    for address in (*ACCOUNT_PAGES[:-1], "/", "/aszf", "/regisztracio", "/sso/ForgotPassword", "/no-such-page",
                    "/sso/ResetPassword?token=x", "/fiok/email/uj?token=x"):  # fmt: skip
        page = visitor.open(address)
        assert page.is_signed_in, address
        assert page.form("logout")["action"] == "/kilepes"
    assert visitor.open("/belepes").path == "/fiok", "who is signed in is not asked again"


# --- Where to afterwards -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ACCOUNT_PAGES)
def test_a_page_that_needs_a_sign_in_asks_and_leads_back(anna: Site, htmx: bool, address: str) -> None:
    visitor = anna.visitor(htmx=htmx)
    page = visitor.open(address)
    assert (page.step, page.path) == ("login", "/belepes")
    assert anna.say("login.needed") in page.text
    page = visitor.sign_in(password="not the password")
    (next_,) = (field["value"] for field in page.form("login").all("input") if field["name"] == "next")
    assert next_ == address
    answer = visitor.post("/belepes", {"next": next_, "email": ANNA.email, "password": PASSWORD})
    assert answer.headers["HX-Redirect" if htmx else "Location"] == address


@pytest.mark.parametrize(
    "next_", ["https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
              "/\t/evil.example", "/x\r\nSet-Cookie: a=b", "//[x", "http://[", "evil.example", "", "///evil.example",
              "/\u2028/evil", "https:evil.example", " //evil.example", "/fiok\\..\\x", "/fiok\x00", "http:/fiok",
              "//evil.example/fiok?kept=1", "/\u00ad//evil.example"],
)  # fmt: skip
def test_afterwards_one_stays_on_the_site(anna: Site, htmx: bool, next_: str) -> None:
    for kept in ({}, {"kept-email": "uj@example.hu"}):
        visitor = anna.visitor(htmx=htmx)
        page = visitor.open(f"/belepes?{urlencode({'next': next_})}")
        assert not [field for field in page.form("login").all("input") if field["name"] == "next"]
        answer = visitor.post("/belepes", {"email": ANNA.email, "password": PASSWORD, "next": next_, **kept})
        assert answer.headers["HX-Redirect" if htmx else "Location"] == "/fiok"
    answer = visitor.client.get("/belepes", query_string={"next": next_})
    assert (answer.status_code, answer.location) == (303, "/fiok")


# --- Growing waits -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["hu", "en"])
def test_the_page_says_when_to_try_again(anna: Site, htmx: bool, language: str) -> None:
    rules = anna.parts.profile.sign_in
    visitor = anna.visitor(language, htmx=htmx)
    _fail(visitor, rules.tries)
    page = visitor.sign_in()
    assert (page.status, page.step) == (429, "login")
    assert 0 < int(page.headers["Retry-After"]) <= rules.first_wait_seconds
    until = anna.now + timedelta(seconds=int(page.headers["Retry-After"]))
    assert any(
        anna.say("login.wait.text", language, time=anna.time_from(moment)) in page.text
        for moment in (until, until - timedelta(seconds=1))
    )
    assert anna.say("login.wait.heading", language) in page.text
    assert anna.parts.profile.phone_display in page.text
    assert re.search(r"\b[2-9A-Z]{3}-[2-9A-Z]{3}\b", page.text), "a reference code"
    assert page.value("email") == ANNA.email
    assert "/sso/ForgotPassword" in page.html, "the way out"
    anna.advance(seconds=rules.first_wait_seconds)
    assert visitor.sign_in().path == "/fiok"


def test_a_hundred_failures_in_a_row_are_stopped_and_the_stop_ends_by_itself(anna: Site, visitor: Visitor) -> None:
    visitor.open("/belepes")
    fields = {"email": ANNA.email, "password": "not the password"}
    answers = [visitor.post("/belepes", fields).status_code for _ in range(100)]
    assert answers.count(422) == anna.parts.profile.sign_in.tries
    assert answers.count(429) == 100 - answers.count(422)
    anna.advance(minutes=anna.parts.profile.sign_in.longest_wait_minutes)
    assert visitor.sign_in().path == "/fiok"


def test_failures_elsewhere_do_not_stop_a_known_browser_or_a_mailed_link(anna: Site) -> None:
    known, attacker, new = anna.visitor(), anna.visitor(), anna.visitor()
    known.sign_in()
    known.sign_out()
    _fail(attacker, anna.parts.profile.sign_in.tries)
    assert new.sign_in().status == 429
    assert known.sign_in().path == "/fiok"
    new.ask_for_reset()
    assert new.reset(OTHER_PASSWORD).step == "reset-done"
    _fail(attacker, anna.parts.profile.sign_in.tries)
    assert attacker.sign_in(password=OTHER_PASSWORD).status == 429
    assert anna.visitor().sign_in(password=OTHER_PASSWORD).status == 429
    assert new.sign_in(password=OTHER_PASSWORD).path == "/fiok", "the browser that followed the link gets through"


def test_who_has_just_registered_is_not_stopped_by_failures_elsewhere(site: Site) -> None:
    visitor, attacker = site.visitor(), site.visitor()
    visitor.walk_to("done")
    _fail(attacker, site.parts.profile.sign_in.tries)
    assert attacker.sign_in().status == 429
    assert visitor.sign_in().path == "/fiok"


def test_one_source_waits_whomever_it_tries(make_site: Callable[..., Site]) -> None:
    site = make_site(trusted_proxies=1)
    site.open_account()
    few = site.parts.profile.sign_in.source_tries
    attacker, other = site.visitor(), site.visitor()
    attacker.headers["X-Forwarded-For"] = "203.0.113.9"
    attacker.open("/belepes")
    for number in range(few):
        answer = attacker.post("/belepes", {"email": f"valaki{number}@example.hu", "password": PASSWORD})
        assert answer.status_code == 422
    assert attacker.post("/belepes", {"email": "mas@example.hu", "password": PASSWORD}).status_code == 429
    attacker.headers["X-Forwarded-For"] = "198.51.100.1, 203.0.113.9"
    assert attacker.post("/belepes", {"email": "mas@example.hu", "password": PASSWORD}).status_code == 429
    other.headers["X-Forwarded-For"] = "203.0.113.10"
    assert other.sign_in().path == "/fiok"
    site.advance(seconds=site.parts.profile.sign_in.first_wait_seconds)
    assert attacker.post("/belepes", {"email": ANNA.email, "password": PASSWORD}).status_code == 303


# --- New devices -------------------------------------------------------------------------------------------------


def test_a_new_device_is_told_by_its_name(anna: Site) -> None:
    visitor = anna.visitor()
    visitor.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    visitor.sign_in()
    visitor.sign_out()
    visitor.sign_in()
    (mail,) = anna.mails_of("new_device")
    assert "Firefox, Linux" in mail["text"]
    assert mail["links"][0].endswith("/sso/ForgotPassword")
    assert "Firefox, Linux" in visitor.open("/fiok/beallitasok").text


@pytest.mark.parametrize("agent", ["", "<script>alert(1)</script>", "x" * 5000, "curl/8\u00e9"])
def test_a_devices_name_is_never_what_it_says_itself(anna: Site, agent: str) -> None:
    visitor = anna.visitor()
    visitor.headers["User-Agent"] = agent
    visitor.sign_in()
    unknown = anna.say("account.device.unknown")
    assert unknown in " ".join(anna.mails_of("new_device")[-1]["text"].split())
    assert unknown in visitor.open("/fiok/beallitasok").text


def test_a_forged_mark_makes_no_browser_known(anna: Site) -> None:
    first = anna.visitor()
    first.sign_in()
    for mark in ("short", "x" * 65, "with spaces in the mark", "a" * 20):
        other = anna.visitor()
        other.client.set_cookie("device", mark)
        anna.advance(hours=1)
        other.sign_in()
    assert anna.told("new_device") == 5


# --- How long it lasts -------------------------------------------------------------------------------------------


def test_an_idle_session_ends_and_says_so(anna: Site, htmx: bool) -> None:
    visitor = anna.visitor(htmx=htmx)
    visitor.sign_in()
    for _ in range(3):
        anna.advance(minutes=14)
        assert visitor.open("/fiok").path == "/fiok"
    anna.advance(minutes=15, seconds=1)
    page = visitor.open("/fiok")
    assert page.step == "login"
    assert anna.say("login.ended.idle") in page.text
    assert not page.is_signed_in
    assert visitor.sign_in().path == "/fiok"


def test_a_busy_session_ends_after_its_longest_time(anna: Site, visitor: Visitor) -> None:
    visitor.sign_in()
    rules = anna.parts.profile.sign_in
    for _ in range(int(rules.longest / timedelta(minutes=14))):
        anna.advance(minutes=14)
        page = visitor.open("/fiok")
        assert page.path == "/fiok"
    end = anna.rows("sessions")[0].ends_at
    assert anna.say("session.warning.absolute", time=anna.clock_time(end)) in page.root.text
    anna.advance(minutes=14)
    page = visitor.open("/fiok")
    assert page.step == "login"
    assert anna.say("login.ended.absolute") in page.text


def test_the_end_stands_on_the_page_as_a_time_of_day(anna: Site, visitor: Visitor) -> None:
    visitor.sign_in()
    anna.advance(minutes=3)
    page = visitor.open("/fiok")
    (row,) = anna.rows("sessions")
    until = anna.clock_time(row.seen_at + anna.parts.profile.sign_in.idle)
    assert anna.say("session.warning.text", time=until) in page.root.text


def _note(visitor: Visitor) -> str:
    answer = visitor.client.get("/belepes/meddig", headers={**visitor.headers, "HX-Request": "true"})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return " ".join(answer.text.split())


def test_being_asked_how_long_does_not_prolong_and_the_button_does(anna: Site, htmx: bool) -> None:
    visitor = anna.visitor(htmx=htmx)
    visitor.sign_in()
    visitor.open("/fiok")
    anna.advance(minutes=12)
    assert 'role="alert"' not in _note(visitor)
    anna.advance(minutes=1, seconds=30)
    before = anna.rows("sessions")
    note = _note(visitor)
    assert 'role="alert"' in note
    assert "/belepes/maradok" in note
    assert anna.rows("sessions") == before
    answer = visitor.post("/belepes/maradok", {"next": "/fiok/email"})
    assert anna.rows("sessions") != before
    if htmx:
        assert (answer.status_code, "<main" in answer.text) == (200, False)
    else:
        assert (answer.status_code, answer.location) == (303, "/fiok/email")
        (row,) = anna.rows("sessions")
        until = anna.clock_time(row.seen_at + anna.parts.profile.sign_in.idle)
        assert anna.say("session.extended", time=until) in visitor.open("/fiok/email").root.text
    anna.advance(minutes=14)
    assert visitor.open("/fiok").path == "/fiok"


def test_staying_is_said_once_wherever_it_leads(anna: Site, visitor: Visitor) -> None:
    """Also by way of a page that shows no notices, and after the session has ended meanwhile."""
    visitor.sign_in()
    visitor.open("/fiok")
    for address in ("/", "/aszf", "/fiok/jelszo"):
        page = visitor.follow(visitor.post("/belepes/maradok", {"next": address}))
        assert (page.status, page.path) == (200, address)
        (row,) = anna.rows("sessions")
        until = anna.clock_time(row.seen_at + anna.parts.profile.sign_in.idle)
        assert anna.say("session.extended", time=until) in page.root.text
        assert anna.say("session.extended", time=until) not in visitor.open(address).root.text
    visitor.post("/belepes/maradok", {"next": "/"})
    anna.advance(minutes=20)
    page = visitor.open("/fiok")
    assert (page.status, page.step) == (200, "login")


def test_asking_all_the_time_keeps_nobody_signed_in(anna: Site, visitor: Visitor) -> None:
    visitor.sign_in()
    for _ in range(16):
        _note(visitor)
        anna.advance(minutes=1)
    assert visitor.open("/fiok").step == "login"


@pytest.mark.parametrize(("ending", "text"), [("idle", "login.ended.idle"), ("elsewhere", "login.ended.elsewhere")])
def test_the_note_says_why_it_ended(anna: Site, ending: str, text: str) -> None:
    visitor, other = anna.visitor(), anna.visitor()
    visitor.sign_in()
    if ending == "idle":
        anna.advance(minutes=15)
    else:
        other.sign_in()
        other.open("/fiok/beallitasok")
        other.act("end-others")
    note = _note(visitor)
    assert 'role="alert"' in note
    assert anna.say(text) in note
    assert "<main" not in note


def test_staying_after_the_end_asks_for_a_sign_in_and_leads_back(anna: Site, htmx: bool) -> None:
    visitor = anna.visitor(htmx=htmx)
    visitor.sign_in()
    anna.advance(minutes=15)
    answer = visitor.post("/belepes/maradok", {"next": "/fiok/email"})
    if htmx:
        assert answer.status_code == 200
        assert "<main" not in answer.text, "it is swapped into the note, not into the page"
        assert anna.say("login.ended.idle") in " ".join(answer.text.split())
        return
    page = visitor.follow(answer)
    assert page.step == "login"
    assert anna.say("login.ended.idle") in page.text
    assert anna.say("login.kept") not in page.text
    assert visitor.sign_in().path == "/fiok/email"


@pytest.mark.parametrize("next_", ["//evil.example", "https://evil.example", "/\\evil"])
def test_the_button_to_stay_stays_on_the_site(anna: Site, visitor: Visitor, next_: str) -> None:
    visitor.sign_in()
    assert visitor.post("/belepes/maradok", {"next": next_}).location == "/fiok"


# --- What was typed ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "name", "typed"), [("/fiok/email", "email", "uj@example.hu"), ("/fiok/mobil", "mobile", "20 999 8877")]
)
@pytest.mark.parametrize(("ending", "htmx"), [("idle", False), ("elsewhere", True)])
def test_what_was_typed_is_kept_when_the_session_ended(
    anna: Site, address: str, name: str, typed: str, *, ending: str, htmx: bool
) -> None:
    visitor, other = anna.visitor(htmx=htmx), anna.visitor()
    visitor.sign_in()
    visitor.open(address)
    if ending == "idle":
        anna.advance(minutes=15)
    else:
        other.sign_in()
        other.open("/fiok/beallitasok")
        other.act("end-others")
    page = visitor.send(**{name: typed, "current_password": PASSWORD})
    assert (page.status, page.step) == (403, "login")
    assert anna.say(f"login.ended.{ending}") in page.text
    assert anna.say("login.kept") in page.text
    assert PASSWORD not in page.html
    assert visitor.sign_in(password="not the password").status == 422
    page = visitor.sign_in()
    assert (page.path, page.value(name)) == (address, typed)
    assert PASSWORD not in page.html
    assert PASSWORD not in repr(anna.database())
    if ending == "idle":
        assert visitor.send(current_password=PASSWORD).status == 200, "and it can be sent now"


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        ("/fiok/jelszo", {"current_password": PASSWORD, "password": OTHER_PASSWORD, "password_confirm": PASSWORD}),
        ("/fiok/megszuntetes", {"confirm": "1", "current_password": PASSWORD}),
        ("/fiok/mobil", {"sms_code": "1234"}),
        ("/fiok/beallitasok", {"action": "end-others"}),
    ],
)  # fmt: skip
def test_a_password_or_a_code_is_never_kept(anna: Site, htmx: bool, address: str, fields: dict[str, str]) -> None:
    visitor = anna.visitor(htmx=htmx)
    visitor.sign_in()
    anna.advance(minutes=15)
    before = anna.rows("accounts")
    page = visitor.follow(visitor.post(address, fields))
    assert (page.status, page.step) == (403, "login")
    assert "kept-" not in page.html
    assert anna.say("login.kept") not in page.text
    for secret in (PASSWORD, OTHER_PASSWORD, "1234"):
        assert f'value="{secret}"' not in page.html
    assert anna.rows("accounts") == before
    assert visitor.sign_in().path == address


def test_only_what_a_form_asks_for_travels_through_the_sign_in(anna: Site, visitor: Visitor) -> None:
    visitor.open("/belepes")
    smuggled = {"kept-password": PASSWORD, "kept-x": "y" * 900, "kept-email": "z" * 5000, "kept-mobile": "20 999 8877"}
    visitor.post("/belepes", {"email": ANNA.email, "password": PASSWORD, "next": "/fiok/mobil", **smuggled})
    assert [row.kept for row in anna.rows("sessions")] == [{"mobile": "20 999 8877"}]


# --- Changed terms -----------------------------------------------------------------------------------------------


def test_changed_terms_stand_before_the_account_once(anna: Site, htmx: bool) -> None:
    earlier, visitor = anna.visitor(), anna.visitor(htmx=htmx)
    earlier.sign_in()
    anna.advance(minutes=1)
    anna.publish_terms("2027-1")
    anna.advance(minutes=1)
    assert earlier.open("/fiok").path == "/fiok", "an open session goes on undisturbed"
    page = visitor.sign_in()
    assert (page.step, page.path) == ("terms-update", "/fiok/feltetelek")
    assert anna.say("demo.terms.changes", version="2027-1") in page.text
    for address in ACCOUNT_PAGES:
        assert visitor.open(address).step == "terms-update"
    before = anna.database()
    for address in ACCOUNT_PAGES[1:-1]:
        answer = visitor.post(address, {"current_password": PASSWORD, "confirm": "1", "action": "end-others"})
        assert answer.location == "/fiok/feltetelek"
    assert anna.database() == before
    visitor.open("/fiok")
    page = visitor.send(terms="1")
    assert (page.status, page.fields_in_error) == (422, ["terms"])
    assert anna.say("error.terms.not_opened") in page.error_of("terms")
    visitor.open_document("terms")
    assert visitor.send(terms="").fields_in_error == ["terms"]
    old = visitor.copy()
    page = visitor.send(terms="1")
    assert (page.status, page.step) == (200, "home")
    assert old.open("/fiok").step == "login", "a new session id with new rights"
    assert visitor.open("/fiok").path == "/fiok"
    visitor.sign_out()
    assert visitor.sign_in().path == "/fiok", "asked once"
    (account,) = anna.rows("accounts")
    assert account.terms_version == "2027-1"


def test_a_version_that_came_meanwhile_must_be_opened_too(anna: Site, htmx: bool) -> None:
    anna.publish_terms("2027-1")
    visitor = anna.visitor(htmx=htmx)
    visitor.sign_in()
    visitor.open_document("terms")
    anna.advance(minutes=1)
    anna.publish_terms("2027-2")
    page = visitor.send(terms="1")
    assert (page.status, page.fields_in_error) == (422, ["terms"])
    assert anna.say("error.terms.replaced") in page.error_of("terms")
    assert "2027-2" in page.text
    visitor.open_document("terms")
    assert visitor.send(terms="1").status == 200
    assert anna.rows("accounts")[0].terms_version == "2027-2"


def test_who_does_not_accept_signs_out_and_is_asked_again(anna: Site, visitor: Visitor) -> None:
    anna.publish_terms("2027-1")
    visitor.sign_in()
    page = visitor.page
    assert page is not None
    forms = [form for form in page.root.all("form") if form["action"] == "/kilepes"]
    assert len(forms) == 2, "in the head and beside the terms"
    visitor.follow(visitor.post("/kilepes", {}))
    assert visitor.open("/fiok").step == "login"
    assert visitor.sign_in().step == "terms-update"


def test_opening_the_terms_before_the_sign_in_does_not_count(anna: Site, visitor: Visitor) -> None:
    anna.publish_terms("2027-1")
    visitor.open("/aszf")
    visitor.sign_in()
    assert visitor.send(terms="1").status == 422


def test_htmx_goes_on_to_an_address_with_accents(anna: Site) -> None:
    visitor = anna.visitor(htmx=True)
    visitor.open("/belepes?next=/szerzodesek/%C5%91")
    answer = visitor.post("/belepes", {"next": "/szerzodesek/ő", "email": ANNA.email, "password": PASSWORD})
    assert "/szerzodesek/%C5%91" in (answer.headers.get("HX-Redirect"), answer.headers.get("HX-Push-Url"))
