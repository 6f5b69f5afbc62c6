"""The forgotten password: one answer for every address, and a link that works once (M30, M31)."""

import re

import pytest

from tests.world.cast import ANNA, ESZTER, OTHER_PASSWORD, PASSWORD
from tests.world.site import Site, Visitor

FORGOT, RESET = "/sso/ForgotPassword", "/sso/ResetPassword"
THIRD_PASSWORD = "Magas hegyen 9 fenyő Zúg"


def _token(site: Site, email: str = ANNA.email) -> str:
    return site.link(email).partition("token=")[2]


# --- Asking ------------------------------------------------------------------------------------------------------


def test_whatever_address_is_given_the_answer_is_the_same(anna: Site, htmx: bool) -> None:
    seen = set()
    for email in (
        ANNA.email,
        " ANNA@example.hu ",
        ESZTER.email,
        "ann\u0430@example.hu",
        "anna+biztosito@example.hu",
        "o'neil@example.hu",
        "ıstvan@example.hu",
        "a" * 64 + "@example.hu",
        "anna@árvíztűrő.hu",
    ):
        visitor = anna.visitor(htmx=htmx)
        visitor.open(FORGOT)
        answer = visitor.post(FORGOT, {"email": email})
        assert answer.status_code == (200 if htmx else 303)
        assert answer.headers["HX-Push-Url" if htmx else "Location"] == f"{FORGOT}?sent"
        page = visitor.follow(answer)
        assert (page.status, page.step) == (200, "forgot-sent")
        assert email.strip() not in page.html
        seen.add(re.sub(r'(csrf_token" value=|href="/brand)[^>]*', "", page.html))
    assert len(seen) == 1
    assert visitor.open(f"{FORGOT}?sent").step == "forgot-sent"


def test_the_page_says_how_many_links_an_hour_there_are_and_no_more_are_mailed(anna: Site, htmx: bool) -> None:
    visitor = anna.visitor(htmx=htmx)
    asked = {visitor.ask_for_reset().text: len(anna.mails_of("reset")) for _ in range(8)}
    ((text, mailed),) = asked.items()
    assert 1 < mailed < 8
    assert anna.say("forgot_sent.limit", mails=mailed) in text
    # The newest one's link counts, though it was asked for again since.
    link = anna.link(ANNA.email)
    assert visitor.open(link).step == "reset"


@pytest.mark.parametrize("email", ["", "anna", "anna@", "@example.hu", "anna@example", "a b@example.hu", "x" * 400,
                                   "a\0b@example.hu", "anna@example.hu\r\nBcc: x@example.hu"])  # fmt: skip
def test_what_is_no_address_is_said_to_be_none_and_writes_nothing(anna: Site, htmx: bool, email: str) -> None:
    visitor = anna.visitor(htmx=htmx)
    visitor.open(FORGOT)
    before = anna.database()
    page = visitor.send(email=email)
    assert (page.status, page.step, page.fields_in_error) == (422, "forgot", ["email"])
    assert anna.database() == before


def test_the_mail_says_what_to_do_and_holds_nothing_personal(anna: Site, visitor: Visitor) -> None:
    visitor.ask_for_reset()
    (mail,) = anna.mails_of("reset")
    assert anna.say("mail.reset.not_you") in " ".join(mail["text"].split())
    assert "15" in mail["text"]
    assert mail["links"][0].startswith(f"{anna.parts.settings.public_url}{RESET}?token=")
    for personal in ("Anna", "Kovács", ANNA.policy_number, ANNA.mobile[-4:], "1985"):
        assert personal not in mail["text"].replace(ANNA.email, "")


def test_a_stranger_is_led_to_the_registration_once_a_day(site: Site, visitor: Visitor) -> None:
    for _ in range(3):
        visitor.ask_for_reset("idegen@example.hu")
    (mail,) = site.messages("idegen@example.hu")
    assert mail["links"][0].endswith("/regisztracio")
    assert site.rows("password_resets") == []
    site.advance(hours=24)
    visitor.ask_for_reset("idegen@example.hu")
    assert len(site.messages("idegen@example.hu")) == 2


def test_links_are_built_from_the_public_address_alone(anna: Site, visitor: Visitor) -> None:
    visitor.open(FORGOT)
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https",
              "Forwarded": "host=evil.example"}  # fmt: skip
    body = {"csrf_token": visitor.csrf_token, "email": ANNA.email}
    visitor.client.post(FORGOT, data=body, headers=forged)
    client = anna.app.test_client()
    client.set_cookie("session", visitor.client.get_cookie("session").value, domain="evil.example")  # type: ignore[union-attr]
    client.post(FORGOT, data=body, headers=forged)
    for mail in anna.messages(ANNA.email):
        assert "evil" not in mail["text"] + mail["html"]


# --- The link ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["hu", "en"])
def test_the_link_sets_a_new_password_and_the_customer_signs_in(anna: Site, htmx: bool, language: str) -> None:
    elsewhere = anna.visitor()
    elsewhere.sign_in()
    visitor = anna.visitor(language, htmx=htmx)
    visitor.ask_for_reset()
    page = visitor.open(anna.link(ANNA.email))
    assert page.step == "reset"
    (row,) = anna.rows("password_resets")
    assert anna.say("reset.until", language, time=anna.clock_time(row.expires_at)) in page.text
    page = visitor.give_password(OTHER_PASSWORD)
    assert (page.status, page.step) == (200, "reset-done")
    assert anna.say("reset_done.passkeys", language) in page.text
    assert not page.is_signed_in
    assert visitor.post("/megjelenes", {"theme": "dark"}).status_code == 303, "what stands around it follows"
    assert visitor.open("/fiok").step == "login"
    assert elsewhere.open("/fiok").step == "login", "every session has ended"
    assert anna.told("password_changed") == 1
    assert visitor.sign_in().status == 422
    assert visitor.sign_in(password=OTHER_PASSWORD).path == "/fiok"


def test_opening_the_link_changes_nothing(anna: Site, visitor: Visitor) -> None:
    visitor.ask_for_reset()
    link = anna.link(ANNA.email)
    before = anna.database()
    for _ in range(2):
        scanner = anna.app.test_client()
        assert scanner.head(link).status_code == 200
        assert scanner.get(link).status_code == 200
        assert scanner.get(link, headers={"HX-Request": "true"}).status_code == 200
        assert scanner.open(link, method="OPTIONS").status_code == 200
    assert anna.database() == before
    assert visitor.reset(OTHER_PASSWORD).step == "reset-done"


def test_the_link_works_once(anna: Site, htmx: bool) -> None:
    visitor, second = anna.visitor(htmx=htmx), anna.visitor(htmx=htmx)
    visitor.ask_for_reset()
    link = anna.link(ANNA.email)
    second.open(link)
    visitor.reset(OTHER_PASSWORD)
    page = second.give_password(THIRD_PASSWORD)
    assert (page.status, page.step) == (410, "")
    assert anna.say("reset.dead.heading") in page.text
    assert FORGOT in page.html
    (just_set,) = [line for line in page.root.all("p") if anna.say("reset.dead.just_set") in line.text]
    assert [link["href"] for link in just_set.all("a")] == ["/belepes"], "whoever clicked twice has set it"
    assert second.open(link).status == 410
    assert second.sign_in(password=OTHER_PASSWORD).path == "/fiok"


def test_only_the_newest_link_works_also_in_a_form_that_was_open(anna: Site, htmx: bool) -> None:
    visitor = anna.visitor(htmx=htmx)
    visitor.ask_for_reset()
    older = anna.link(ANNA.email)
    opened = anna.visitor(htmx=htmx)
    opened.open(older)
    anna.advance(seconds=1)
    visitor.ask_for_reset()
    assert anna.link(ANNA.email) != older
    assert opened.give_password(OTHER_PASSWORD).status == 410
    assert anna.visitor().open(older).status == 410
    assert visitor.reset(OTHER_PASSWORD).step == "reset-done"


def test_the_link_lives_fifteen_minutes_also_in_a_form_that_was_open(anna: Site, visitor: Visitor) -> None:
    visitor.ask_for_reset()
    link = anna.link(ANNA.email)
    anna.advance(minutes=14, seconds=50)
    assert visitor.open(link).step == "reset"
    anna.advance(seconds=10)
    before = anna.rows("accounts")
    assert visitor.give_password(OTHER_PASSWORD).status == 410
    assert visitor.open(link).status == 410
    assert anna.rows("accounts") == before


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("Rovid", "Rovid", ["password"]),
        ("", "", ["password", "password_confirm"]),
        (OTHER_PASSWORD, THIRD_PASSWORD, ["password_confirm"]),
        ("Rovid", "Rovidebb", ["password", "password_confirm"]),
        ("Anna Kovács 1985 Anna", "Anna Kovács 1985 Anna", ["password"]),
        ("A1" + "a" * 2000, "A1" + "a" * 2000, ["password"]),
    ],
)
def test_a_refused_password_uses_nothing_up(
    anna: Site, htmx: bool, first: str, second: str, expected: list[str]
) -> None:
    visitor = anna.visitor(htmx=htmx)
    visitor.ask_for_reset()
    link = anna.link(ANNA.email)
    visitor.open(link)
    before = anna.database()
    page = visitor.send(password=first, password_confirm=second)
    assert (page.status, page.step, page.fields_in_error) == (422, "reset", expected)
    assert anna.database() == before
    assert visitor.give_password(OTHER_PASSWORD).step == "reset-done", "the same page goes on"


def test_a_link_that_was_not_signed_here_for_this_is_dead(anna: Site, visitor: Visitor) -> None:
    visitor.ask_for_reset()
    token = _token(anna)
    links = anna.parts.links
    opaque = links.read("reset", token)
    assert opaque
    payload, _, signature = token.rpartition(".")
    made_up = [
        "", "x", "a.b.c", "%00", "é", "x" * 3000, f"{payload}.{signature[:-4]}AAAA", f"{payload[:-2]}AA.{signature}",
        links.token("confirm", opaque), links.token("email", opaque), opaque,
        type(links)(("another-key-of-at-least-32-characters",), "http://localhost").token("reset", opaque),
    ]  # fmt: skip
    before = anna.database()
    for each in made_up:
        page = visitor.open(f"{RESET}?token={each}")
        assert page.status == 410
        sent = {"token": each, "password": OTHER_PASSWORD, "password_confirm": OTHER_PASSWORD}
        assert visitor.follow(visitor.post(RESET, sent)).status == 410
    assert visitor.open(RESET).status == 410
    assert anna.database() == before


def test_a_link_for_a_registration_resets_nothing(anna: Site) -> None:
    other = anna.visitor()
    other.walk_to("email-sent", ESZTER)
    token = _token(anna, ESZTER.email)
    assert other.open(f"{RESET}?token={token}").status == 410


def test_the_token_shows_nowhere_else(anna: Site, htmx: bool, log: list[str]) -> None:
    """Not in a redirect, nor a line of the log, nor a page but the one that it opens."""
    visitor = anna.visitor(htmx=htmx)
    visitor.ask_for_reset()
    token = _token(anna)
    page = visitor.open(f"{RESET}?token={token}")
    assert page.headers["Referrer-Policy"] == "strict-origin"
    assert token not in str(page.headers)
    for form in page.root.all("form"):
        assert token not in form["action"]
    for link in page.root.all("a"):
        assert token not in link["href"] or link["href"].startswith(f"{RESET}?")
    refused = visitor.post(RESET, {"token": token, "password": "x", "password_confirm": "x"})
    assert token not in str(refused.headers)
    answer = visitor.post(RESET, {"token": token, "password": OTHER_PASSWORD, "password_confirm": OTHER_PASSWORD})
    assert token not in str(answer.headers)
    assert token not in answer.text
    for address in ("/", "/belepes", FORGOT, f"{RESET}?done"):
        page = visitor.open(address)
        assert token not in page.html
    assert token not in repr(anna.database("demo_messages"))
    assert not [line for line in log if token in line]


def test_a_signed_in_browser_that_resets_is_signed_out(anna: Site, visitor: Visitor) -> None:
    visitor.sign_in()
    visitor.ask_for_reset()
    assert visitor.reset(OTHER_PASSWORD).step == "reset-done"
    assert not visitor.open("/").is_signed_in
    assert visitor.sign_in(password=OTHER_PASSWORD).path == "/fiok"


def test_the_day_between_two_changes_does_not_matter(anna: Site, visitor: Visitor) -> None:
    for password in (OTHER_PASSWORD, THIRD_PASSWORD, PASSWORD):
        visitor.ask_for_reset()
        assert visitor.reset(password).step == "reset-done"
    assert visitor.sign_in(password=PASSWORD).path == "/fiok"


def test_a_reset_is_found_by_its_marks_in_every_language(anna: Site) -> None:
    anna.visitor().ask_for_reset()
    for language in ("hu", "en"):
        page = anna.visitor(language).open(anna.link(ANNA.email))
        fields = {field["name"]: field for field in page.form("reset").all("input")}
        assert {"csrf_token", "token", "password", "password_confirm"} <= set(fields)
        assert fields["password"]["autocomplete"] == fields["password_confirm"]["autocomplete"] == "new-password"
        assert ANNA.email in page.html, "for the password manager"
