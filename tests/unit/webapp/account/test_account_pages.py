"""The account's pages: the password, the address, the mobile, the sessions, the download, the end."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.world.cast import ANNA, ESZTER, JOZSEF, MARTA, OTHER_PASSWORD, PASSWORD, one_of_many
from tests.world.site import Site, Visitor

NEW_EMAIL, NEW_MOBILE = "uj@example.hu", "+36209998877"
CHANGE = {"current_password": PASSWORD, "password": OTHER_PASSWORD, "password_confirm": OTHER_PASSWORD}


@pytest.fixture
def visitor(anna: Site) -> Visitor:
    """Anna's browser, signed in."""
    visitor = anna.visitor()
    visitor.sign_in()
    return visitor


@pytest.fixture
def browser(anna: Site, htmx: bool) -> Visitor:
    """Anna's browser, signed in, with htmx and without."""
    visitor = anna.visitor(htmx=htmx)
    visitor.sign_in()
    return visitor


def _account(site: Site):
    return next(row for row in site.rows("accounts") if row.kutid == "10000001")


# --- The overview ------------------------------------------------------------------------------------------------


def test_the_account_shows_its_holder_and_masks_what_it_can(anna: Site, visitor: Visitor) -> None:
    page = visitor.open("/fiok/beallitasok")
    assert "Kovács Anna" in page.text
    assert ANNA.email not in page.html
    assert ANNA.mobile[-9:] not in page.html.replace(" ", "")
    assert ANNA.mobile[-2:] in page.text
    assert "2026-1" in page.text
    assert page.headers["Cache-Control"] == "no-store"


def test_a_name_full_of_markup_is_text(site: Site) -> None:
    site.open_account(MARTA)
    visitor = site.visitor()
    page = visitor.sign_in(MARTA.email)
    assert 'Fekete <b>Márta</b> & "Fiai"' in page.text
    assert not [bold for bold in page.root.all("b") if "Márta" in bold.text]
    assert 'Fekete <b>Márta</b> & "Fiai"' in visitor.client.get("/fiok/adatok.json").json["account"]["name"]


def test_another_session_can_be_ended_and_the_own_one_not(anna: Site, browser: Visitor) -> None:
    others = [anna.visitor(), anna.visitor()]
    for other in others:
        other.sign_in()
    page = browser.open("/fiok/beallitasok")
    buttons = [button for button in page.root.all("button") if button["name"] == "session"]
    assert len(buttons) == 2
    newest = max(anna.rows("sessions"), key=lambda row: row.created_at)
    page = browser.follow(browser.post("/fiok/beallitasok", {"session": newest.id}))
    assert anna.say("account.sessions.ended") in page.text
    assert [other.open("/fiok").step for other in others] == ["home", "login"]
    assert anna.say("login.ended.elsewhere") in others[1].page.text  # type: ignore[union-attr]
    browser.open("/fiok/beallitasok")
    browser.act("end-others")
    assert others[0].open("/fiok").step == "login"
    assert browser.open("/fiok").path == "/fiok"


def test_nothing_of_a_stranger_can_be_ended(anna: Site, browser: Visitor) -> None:
    anna.open_account(ESZTER)
    stranger = anna.visitor()
    stranger.sign_in(ESZTER.email)
    mine = next(row.id for row in anna.rows("sessions") if row.account_id == _account(anna).id)
    for row in anna.rows("sessions"):
        if row.id != mine:
            browser.follow(browser.post("/fiok/beallitasok", {"session": row.id}))
    browser.follow(browser.post("/fiok/beallitasok", {"action": "end-others"}))
    for fields in ({}, {"session": mine}, {"session": ""}, {"action": "x"}):
        assert browser.follow(browser.post("/fiok/beallitasok", fields)).status == 404
    assert stranger.open("/fiok").path == "/fiok"
    assert browser.open("/fiok").path == "/fiok"


def test_password_managers_find_where_to_change(anna: Site, visitor: Visitor) -> None:
    answer = visitor.client.get("/.well-known/change-password")
    assert (answer.status_code, answer.location) == (302, "/fiok/jelszo")
    page = visitor.open("/fiok/jelszo")
    marks = {field["name"]: field["autocomplete"] for field in page.form("password-change").all("input")}
    assert marks["current_password"] == "current-password"
    assert marks["password"] == marks["password_confirm"] == "new-password"


# --- The password ------------------------------------------------------------------------------------------------


def test_a_change_ends_the_other_sessions_and_this_one_goes_on(anna: Site, browser: Visitor) -> None:
    other = anna.visitor()
    other.sign_in()
    saved = browser.copy()
    page = browser.change_password(OTHER_PASSWORD)
    assert (page.status, page.step) == (200, "password-changed")
    assert browser.open("/fiok").path == "/fiok"
    page = saved.open("/fiok")
    assert page.step == "login", "what the browser held before is worth nothing"
    assert anna.say("login.ended.gone") in page.text
    page = other.open("/fiok")
    assert page.step == "login"
    assert anna.say("login.ended.elsewhere") in page.text
    assert anna.told("password_changed") == 1
    browser.sign_out()
    assert browser.sign_in().status == 422
    assert browser.sign_in(password=OTHER_PASSWORD).path == "/fiok"


@pytest.mark.parametrize(
    ("fields", "expected", "key"),
    [
        ({**CHANGE, "current_password": ""}, ["current_password"], "error.current_password.empty"),
        ({**CHANGE, "current_password": "not it"}, ["current_password"], "error.current_password.wrong"),
        ({**CHANGE, "password": "", "password_confirm": ""}, ["password", "password_confirm"], "error.password.empty"),
        ({**CHANGE, "password_confirm": "other"}, ["password_confirm"], "error.password_confirm.mismatch"),
        ({**CHANGE, "password": PASSWORD, "password_confirm": PASSWORD}, ["password"], "error.password.same"),
        ({**CHANGE, "password": "Abcdefg1", "password_confirm": "Abcdefg1"}, ["password"], "error.password.too_short"),
        (
            {"current_password": "", "password": "abc", "password_confirm": "abd"},
            ["current_password", "password", "password_confirm"],
            "error.current_password.empty",
        ),
        (
            {"current_password": "not it", "password": "abc", "password_confirm": "abc"},
            ["current_password", "password"],
            "error.current_password.wrong",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_what_is_wrong_is_said_beside_its_field(
    anna: Site, browser: Visitor, fields: dict[str, str], expected: list[str], key: str
) -> None:
    before = _account(anna)
    browser.open("/fiok/jelszo")
    page = browser.send(**fields)
    assert (page.status, page.step, page.fields_in_error) == (422, "password-change", expected)
    assert anna.say(key, length=10) in page.error_of(expected[0])
    assert _account(anna) == before
    assert browser.open("/fiok").path == "/fiok"


def test_wrong_present_passwords_must_wait(anna: Site, browser: Visitor) -> None:
    browser.open("/fiok/jelszo")
    rules = anna.parts.profile.sign_in
    for _ in range(rules.tries):
        assert browser.send(**{**CHANGE, "current_password": "not it"}).status == 422
    page = browser.send(**CHANGE)
    assert (page.status, page.fields_in_error) == (429, ["current_password"])
    anna.advance(seconds=rules.first_wait_seconds)
    assert browser.send(**CHANGE).step == "password-changed"


@pytest.mark.parametrize("language", ["hu", "en"])
@pytest.mark.parametrize(
    ("changed", "day", "time"),
    [
        (datetime(2027, 3, 27, 12, 30, tzinfo=UTC), {"hu": "2027. március 28.", "en": "28 March 2027"}, "14:31"),
        (datetime(2027, 3, 28, 12, 30, tzinfo=UTC), {"hu": "2027. március 29.", "en": "29 March 2027"}, "14:31"),
        (datetime(2027, 10, 30, 12, 30, tzinfo=UTC), {"hu": "2027. október 31.", "en": "31 October 2027"}, "13:31"),
        (datetime(2027, 10, 31, 0, 30, tzinfo=UTC), {"hu": "2027. november 1.", "en": "1 November 2027"}, "1:31"),
    ],
)  # fmt: skip
def test_the_time_from_which_it_can_be_changed_is_right_when_the_clocks_change(
    site: Site, language: str, changed: datetime, day: dict[str, str], time: str
) -> None:
    """Never too early: a moment after half past is said as the next minute."""
    site.advance(seconds=(changed - site.now).total_seconds())
    site.open_account()
    visitor = site.visitor(language)
    visitor.sign_in()
    page = visitor.open("/fiok/jelszo")
    when = f"{day[language]} {time}"
    assert site.say("password_change.not_yet.text", language, datetime=when) in page.text
    assert when in visitor.open("/fiok/beallitasok").text
    visitor.open("/fiok/jelszo")
    tries = site.rows("sign_in_tries")
    page = visitor.send(**{**CHANGE, "current_password": "not it"})
    assert (page.status, page.fields_in_error) == (422, ["password"])
    assert site.say("error.password.too_soon", language, datetime=when) in page.error_of("password")
    assert site.rows("sign_in_tries") == tries, "the present password was not looked at"
    site.advance(seconds=(changed + timedelta(hours=24) - site.now).total_seconds() - 5)
    visitor.sign_in()
    assert visitor.change_password(OTHER_PASSWORD).status == 422
    site.advance(seconds=6)
    assert visitor.change_password(OTHER_PASSWORD).step == "password-changed"


# --- The address -------------------------------------------------------------------------------------------------


def _ask_for_email(visitor: Visitor, address: str = NEW_EMAIL, password: str = PASSWORD):
    visitor.open("/fiok/email")
    return visitor.send(email=address, current_password=password)


def test_a_new_address_is_proved_by_the_link_on_whatever_device(anna: Site, browser: Visitor, htmx: bool) -> None:
    page = _ask_for_email(browser)
    assert page.status == 200
    assert NEW_EMAIL in page.text.replace(" ", ""), "said at once"
    assert (anna.told("address_new", NEW_EMAIL), anna.told("address_old")) == (1, 1)
    link = anna.link(NEW_EMAIL)
    before = anna.database()
    phone = anna.visitor(htmx=htmx)
    assert phone.client.head(link).status_code == 200
    assert phone.open(link).step == "email-confirm"
    assert anna.database() == before, "opening it changes nothing"
    page = phone.send()
    assert (page.status, page.step) == (200, "email-changed")
    assert not phone.open("/").is_signed_in, "it proves the address and signs nobody in"
    assert phone.open(link).status == 410
    assert browser.open("/fiok").path == "/fiok"
    assert phone.sign_in(ANNA.email).status == 422
    assert phone.sign_in(NEW_EMAIL).path == "/fiok"


@pytest.mark.parametrize(
    ("address", "password", "field", "key"),
    [
        ("", PASSWORD, "email", "error.email.empty"),
        ("uj@", PASSWORD, "email", "error.email.malformed"),
        (ANNA.email, PASSWORD, "email", "error.email.same"),
        (NEW_EMAIL, "", "current_password", "error.current_password.empty"),
        (NEW_EMAIL, "not it", "current_password", "error.current_password.wrong"),
        (ESZTER.email, PASSWORD, "email", "error.email.taken"),
        (ESZTER.email, "not it", "current_password", "error.current_password.wrong"),
    ],
)
def test_a_new_address_that_cannot_be_is_refused(
    anna: Site, visitor: Visitor, address: str, password: str, *, field: str, key: str
) -> None:
    anna.open_account(ESZTER)
    page = _ask_for_email(visitor, address, password)
    assert (page.status, page.step, page.fields_in_error) == (422, "email-change", [field])
    assert anna.say(key) in page.error_of(field)
    assert page.value("email") == address
    assert anna.rows("account_changes") == []


def test_taken_is_told_six_times_at_most(anna: Site, visitor: Visitor) -> None:
    anna.open_account(JOZSEF)
    answers = [_ask_for_email(visitor, JOZSEF.email).error_of("email") for _ in range(8)]
    assert [anna.say("error.email.taken") in answer for answer in answers] == [True] * 6 + [False] * 2
    assert anna.say("error.email.taken") not in _ask_for_email(visitor, "szabad@example.hu").error_of("email")


def test_an_address_taken_meanwhile_is_said_by_the_link(anna: Site, browser: Visitor) -> None:
    _ask_for_email(browser, ESZTER.email)
    link = anna.link(ESZTER.email)
    anna.open_account(ESZTER)
    browser.open(link)
    page = browser.send()
    assert (page.status, page.step, page.fields_in_error) == (422, "email-confirm", ["email"])
    assert _account(anna).email == ANNA.email


def test_made_up_and_foreign_links_confirm_nothing(anna: Site, visitor: Visitor) -> None:
    _ask_for_email(visitor)
    token = anna.link(NEW_EMAIL).partition("token=")[2]
    links = anna.parts.links
    opaque = links.read("email", token)
    assert opaque
    before = anna.database()
    for each in ("", "x", "%00", "x" * 3000, links.token("reset", opaque), links.token("confirm", opaque), token[:-2]):
        assert visitor.open(f"/fiok/email/uj?token={each}").status == 410
        assert visitor.follow(visitor.post("/fiok/email/uj", {"token": each})).status == 410
    assert visitor.open("/fiok/email/uj").status == 410
    assert anna.database() == before


def test_the_addresss_token_shows_nowhere_else(anna: Site, browser: Visitor, log: list[str]) -> None:
    _ask_for_email(browser)
    token = anna.link(NEW_EMAIL).partition("token=")[2]
    browser.open(anna.link(NEW_EMAIL))
    answer = browser.post("/fiok/email/uj", {"token": token})
    assert token not in str(answer.headers) + answer.text
    assert not [line for line in log if token in line]


# --- The mobile --------------------------------------------------------------------------------------------------


def _ask_for_mobile(visitor: Visitor, typed: str = "20 999 8877", password: str = PASSWORD):
    visitor.open("/fiok/mobil")
    return visitor.send(mobile=typed, current_password=password)


def test_a_new_mobile_is_proved_by_its_code(anna: Site, browser: Visitor) -> None:
    page = _ask_for_mobile(browser)
    assert (page.status, page.step) == (200, "mobile-code")
    assert NEW_MOBILE[-9:] not in page.html.replace(" ", "")
    code = anna.code(NEW_MOBILE)
    page = browser.send(sms_code=f"{(int(code) + 1) % 10**4:04}")
    assert (page.status, page.fields_in_error) == (422, ["sms_code"])
    assert browser.send(sms_code="12").status == 422
    page = browser.send(sms_code=f" {code[:2]} {code[2:]} ")
    assert page.status == 200
    assert anna.say("account.mobile.change.done") in page.text
    assert _account(anna).mobile == NEW_MOBILE
    assert anna.told("mobile_changed") == 1


@pytest.mark.parametrize(
    ("typed", "password", "field", "key"),
    [
        ("", PASSWORD, "mobile", "error.mobile.empty"),
        ("1 234 5678", PASSWORD, "mobile", "error.mobile."),
        (ANNA.mobile, PASSWORD, "mobile", "error.mobile.same"),
        ("20 999 8877", "", "current_password", "error.current_password.empty"),
        ("20 999 8877", "not it", "current_password", "error.current_password.wrong"),
    ],
)
def test_a_new_mobile_that_cannot_be_is_refused(
    anna: Site, visitor: Visitor, typed: str, password: str, *, field: str, key: str
) -> None:
    page = _ask_for_mobile(visitor, typed, password)
    assert (page.status, page.step, page.fields_in_error) == (422, "mobile-change", [field])
    assert page.value("mobile") == typed
    if not key.endswith("."):
        assert anna.say(key) in page.error_of(field)
    assert anna.messages(NEW_MOBILE) == []


def test_a_code_that_was_not_delivered_is_told_and_another_can_be_had_at_once(anna: Site, htmx: bool) -> None:
    visitor = anna.visitor(htmx=htmx)
    visitor.sign_in()
    told = anna.say("sms_code.delivery_failed", phone="|").partition("|")[0].strip()
    assert told not in _ask_for_mobile(visitor).text
    with anna.parts.store.write() as connection:
        anna.parts.codes.one_time_codes.give_back(connection, anna.rows("accounts")[0].kutid)
    assert told in visitor.open("/fiok/mobil").text
    page = visitor.send("sms-resend")
    assert page.status == 200
    assert told not in page.text


def test_the_codes_of_a_day_are_one_budget(site: Site, htmx: bool) -> None:
    site.open_account()
    site.advance(minutes=2)
    visitor = site.visitor(htmx=htmx)
    visitor.sign_in()
    assert _ask_for_mobile(visitor).step == "mobile-code", "the registration took one, this is the second"
    site.messages()
    page = visitor.send("sms-resend")
    assert (page.status, page.fields_in_error) == (422, ["resend"]), "too early"
    site.advance(seconds=61)
    assert visitor.open("/fiok/mobil").step == "mobile-code"
    page = visitor.send("sms-resend")
    assert site.say("sms_code.resent") in page.text
    assert len(site.messages(NEW_MOBILE, "sms")) == 2
    site.advance(seconds=61)
    page = visitor.follow(visitor.post("/fiok/mobil", {"step": "sms-resend"}))
    assert page.status == 422
    assert site.say("error.sms_resend.used_up", time=site.clock_time(
        next(row.expires_at for row in site.rows("one_time_codes")))) in page.text  # fmt: skip
    code = site.code(NEW_MOBILE)
    for _ in range(3):
        page = visitor.follow(visitor.post("/fiok/mobil", {"sms_code": f"{(int(code) + 1) % 10**4:04}"}))
    assert page.status == 403
    assert site.say("dead_end.codes_used_up.heading") in page.text
    assert visitor.open("/fiok/mobil").status == 403
    assert visitor.follow(visitor.post("/fiok/mobil", {"sms_code": code})).status == 403
    assert _account(site).mobile == ANNA.mobile


def test_a_code_that_is_spent_asks_for_a_new_one(site: Site, htmx: bool) -> None:
    site.open_account()
    site.advance(minutes=2)
    visitor = site.visitor(htmx=htmx)
    visitor.sign_in()
    _ask_for_mobile(visitor)
    code = site.code(NEW_MOBILE)
    for _ in range(3):
        page = visitor.follow(visitor.post("/fiok/mobil", {"sms_code": f"{(int(code) + 1) % 10**4:04}"}))
        assert page.status == 422
    assert page.step == "sms-resend"
    page = visitor.follow(visitor.post("/fiok/mobil", {"step": "sms-resend"}))
    assert page.status == 422, "too early, with no field for a code on the page"
    site.advance(seconds=61)
    visitor.open("/fiok/mobil")
    assert visitor.send("sms-resend").step == "mobile-code"


def test_another_number_can_be_given(anna: Site, browser: Visitor) -> None:
    _ask_for_mobile(browser)
    code = anna.code(NEW_MOBILE)
    browser.open("/fiok/mobil")
    assert browser.act("change-mobile").step == "mobile-change"
    assert browser.follow(browser.post("/fiok/mobil", {"sms_code": code})).step == "mobile-change"
    assert _account(anna).mobile == ANNA.mobile
    page = _ask_for_mobile(browser, "30 111 2233")
    assert (page.status, page.fields_in_error) == (422, ["mobile"]), "a code left a moment ago"
    anna.advance(seconds=61)
    assert _ask_for_mobile(browser, "30 111 2233").step == "mobile-code"


@pytest.mark.parametrize("fields", [{"sms_code": "1234"}, {"step": "sms-resend"}, {"action": "change-mobile"}])
def test_posts_out_of_turn_do_nothing(anna: Site, browser: Visitor, fields: dict[str, str]) -> None:
    before = anna.database()
    assert browser.follow(browser.post("/fiok/mobil", fields)).step == "mobile-change"
    assert anna.database() == before


# --- All of it ---------------------------------------------------------------------------------------------------


def test_the_download_is_a_file_without_secrets(anna: Site, visitor: Visitor) -> None:
    _ask_for_email(visitor)
    _ask_for_mobile(visitor)
    visitor.ask_for_reset()
    answer = visitor.client.get("/fiok/adatok.json")
    assert answer.mimetype == "application/json"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Cache-Control"] == "no-store"
    held = json.loads(answer.data)
    assert set(held) >= {"account", "registration", "changes_to_confirm", "sessions", "passkeys", "history"}
    assert (held["account"]["email"], held["account"]["mobile"]) == (ANNA.email, ANNA.mobile)
    assert held["account"]["created_at"].endswith(("+01:00", "+02:00")), "in the time that the customer lives in"
    cookies = [visitor.client.get_cookie(name).value for name in ("session", "device")]  # type: ignore[union-attr]
    (account,) = anna.rows("accounts")
    ids = [row.id for name in ("sessions", "account_changes") for row in anna.rows(name)]
    token = anna.link(NEW_EMAIL).partition("token=")[2]
    for secret in (*cookies, account.password_hash, account.id, *ids, token):
        assert secret not in answer.text


def test_closing_ends_everything_and_leaves_the_register(anna: Site, browser: Visitor) -> None:
    other = anna.visitor()
    other.sign_in()
    saved = browser.copy()
    register = {name: anna.rows(name) for name in ("customers", "policies", "phones")}
    old_link = next(mail["links"][0] for mail in anna.messages(ANNA.email) if "token=" in mail["links"][0])
    old_link = old_link.removeprefix(anna.parts.settings.public_url)
    browser.open("/fiok/megszuntetes")
    page = browser.send(current_password=PASSWORD)
    assert (page.status, page.fields_in_error) == (422, ["confirm"])
    page = browser.send(confirm="1", current_password="not it")
    assert (page.status, page.fields_in_error) == (422, ["current_password"])
    page = browser.send(confirm="1", current_password=PASSWORD)
    assert (page.status, page.step) == (200, "closed")
    assert browser.post("/megjelenes", {"theme": "dark"}).status_code == 303, "what stands around it follows"
    assert not browser.open("/").is_signed_in
    assert [each.open("/fiok").step for each in (browser, saved, other)] == ["login"] * 3
    assert anna.rows("accounts") == anna.rows("sessions") == []
    assert {name: anna.rows(name) for name in register} == register
    assert browser.sign_in().status == 422
    assert anna.told("account_closed") == 1
    for each in (browser, anna.visitor()):
        assert each.open(old_link).status in (404, 410), "the old link opens nothing again"
    again = anna.visitor()
    again.walk_to("done")
    assert again.sign_in().path == "/fiok"


_PAGES = ("/fiok", "/fiok/beallitasok", "/fiok/jelszo", "/fiok/jelszo?done", "/fiok/email", "/fiok/mobil",
          "/fiok/megszuntetes", "/fiok/megszunt", "/fiok/email/uj?done", "/sso/ResetPassword?done")  # fmt: skip


@pytest.mark.parametrize("language", ["hu", "en"])
def test_every_page_is_sound_in_both_languages(anna: Site, htmx: bool, language: str) -> None:
    visitor = anna.visitor(language, htmx=htmx)
    visitor.sign_in()
    for address in _PAGES:
        page = visitor.open(address, whole=not htmx)
        assert (page.status, page.is_fragment) == (200, htmx)


def test_customers_do_not_mix(anna: Site, visitor: Visitor) -> None:
    other = one_of_many(121)
    anna.open_account(other)
    stranger = anna.visitor()
    stranger.sign_in(other.email)
    _ask_for_email(visitor)
    _ask_for_mobile(visitor)
    assert stranger.open("/fiok/mobil").step == "mobile-change"
    assert NEW_EMAIL not in stranger.open("/fiok").html
    assert stranger.follow(stranger.post("/fiok/mobil", {"sms_code": anna.code(NEW_MOBILE)})).step == "mobile-change"
    assert ANNA.email not in stranger.client.get("/fiok/adatok.json").text
