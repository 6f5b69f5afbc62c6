"""No form without its own token: missing, empty, another session's, altered (security.md, Sign-in and session)."""

from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from tests.world.cast import ANNA, PASSWORD
from tests.world.pages import Page
from tests.world.site import Site
from tests.world.walk import FIRST, SECOND

_FORMS = [
    ("identify", FIRST, {"step": "identify", **ANNA.identification}),
    ("email", FIRST, {"step": "email", "email": ANNA.email, "email_confirm": ANNA.email}),
    ("email-sent", FIRST, {"action": "resend-email"}),
    ("email-sent", FIRST, {"action": "change-email"}),
    ("mobile", SECOND, {"step": "mobile", "mobile": ANNA.mobile}),
    ("sms-code", SECOND, {"step": "sms-code", "sms_code": "0000"}),
    ("sms-code", SECOND, {"step": "sms-resend"}),
    ("sms-code", SECOND, {"action": "restart"}),
    ("terms", SECOND, {"step": "terms", "terms": "1"}),
    ("password", SECOND, {"step": "password", "password": PASSWORD, "password_confirm": PASSWORD}),
    ("identify", "/megjelenes", {"theme": "dark", "next": "/"}),
]


def altered(token: str) -> str:
    """Return the token with another first sign: the last may decode to the same bytes."""
    return f"{'B' if token[0] == 'A' else 'A'}{token[1:]}"


@pytest.mark.parametrize(("due", "address", "fields"), _FORMS, ids=lambda value: str(value)[:40])
def test_a_form_without_its_own_token_does_nothing(
    site: Site, htmx: bool, due: str, address: str, fields: dict[str, str]
) -> None:
    visitor = site.visitor(htmx=htmx)
    visitor.walk_to(due)
    if due == "terms":
        visitor.open_document("terms")
    stranger = site.visitor()
    stranger.open()
    right = visitor.csrf_token
    before, cookies = site.database(), visitor.client.get_cookie("theme")
    for token in ("", stranger.csrf_token, altered(right), right[1:], "x", "\0", "é" * 50):
        page = visitor.follow(visitor.post(address, fields, token=token))
        assert page.status == 400
        assert site.say("page.csrf.heading") in page.text
    page = visitor.follow(visitor.client.post(address, data=fields, headers=visitor.headers))
    assert page.status == 400
    assert page.is_fragment == htmx
    assert site.database() == before
    assert visitor.client.get_cookie("theme") == cookies
    assert visitor.open(SECOND if due not in ("identify",) else FIRST).step in (due, "email-sent")


def test_the_way_back_leads_to_a_page(site: Site) -> None:
    site.visitor().walk_to("email-sent")
    reader = site.visitor()
    reader.open_link(ANNA.email)
    token = site.link(ANNA.email).partition("token=")[2]
    for address, step in (("/megjelenes", ""), (FIRST, "mobile"), (SECOND, "mobile")):
        page = reader.follow(reader.post(address, {"token": token} if address == SECOND else {}, token="x"))
        button = next(link for link in page.root.all("a") if link["href"] and "btn" in link["class"].split())
        there = reader.open(button["href"])
        assert (there.status, there.step) == (200, step)


def test_a_form_outlives_a_change_of_keys(make_site: Callable[..., Site]) -> None:
    older, newer, newest = ("one key of this test, 32+ signs" + str(n) * 3 for n in range(3))
    site = make_site(secret_keys=(older,))
    visitor = site.visitor()
    visitor.open()
    held = visitor.client.get_cookie("session")
    for keys, status in (((newer, older), 303), ((newest, newer, older), 303), ((newest, newer), 400)):
        changed = make_site(secret_keys=keys).visitor()
        changed.client.set_cookie("session", held.value)  # type: ignore[union-attr]
        answer = changed.post("/megjelenes", {"theme": "dark", "next": "/"}, token=visitor.csrf_token)
        assert answer.status_code == status


def test_a_form_stays_good_as_long_as_the_session(site: Site) -> None:
    visitor = site.visitor()
    visitor.open()
    site.advance(hours=20)
    assert visitor.send(**ANNA.identification).step == "email"


_ACCOUNT_FORMS = [
    ("/belepes", {"email": ANNA.email, "password": PASSWORD}, False),
    ("/sso/ForgotPassword", {"email": ANNA.email}, False),
    ("/sso/ResetPassword", {"password": "Kerek tó partján 8 j", "password_confirm": "Kerek tó partján 8 j"}, False),
    ("/fiok/email/uj", {}, False),
    ("/kilepes", {}, True),
    ("/belepes/maradok", {"next": "/fiok"}, True),
    ("/fiok/beallitasok", {"action": "end-others"}, True),
    ("/fiok/jelszo", {"current_password": PASSWORD, "password": "Kerek tó partján 8 j",
                      "password_confirm": "Kerek tó partján 8 j"}, True),
    ("/fiok/email", {"email": "uj@example.hu", "current_password": PASSWORD}, True),
    ("/fiok/mobil", {"mobile": "20 999 8877", "current_password": PASSWORD}, True),
    ("/fiok/megszuntetes", {"confirm": "1", "current_password": PASSWORD}, True),
    ("/fiok/feltetelek", {"terms": "1"}, True),
]  # fmt: skip


@pytest.mark.parametrize(("address", "fields", "is_signed_in"), _ACCOUNT_FORMS, ids=lambda value: str(value)[:24])
def test_no_form_of_the_account_does_anything_without_its_own_token(
    site: Site, htmx: bool, address: str, fields: dict[str, str], *, is_signed_in: bool
) -> None:
    site.open_account()
    site.advance(hours=24)
    visitor, stranger = site.visitor(htmx=htmx), site.visitor()
    visitor.ask_for_reset()
    if address == "/sso/ResetPassword":
        fields = {**fields, "token": site.link(ANNA.email).partition("token=")[2]}
    if address == "/fiok/feltetelek":
        site.publish_terms("2027-1")
    visitor.open("/belepes")
    if is_signed_in:
        visitor.sign_in()
    if address == "/fiok/feltetelek":
        visitor.open_document("terms")
    elif address == "/fiok/email/uj":
        other = site.visitor()
        other.sign_in()
        other.open("/fiok/email")
        other.send(email="uj@example.hu", current_password=PASSWORD)
        fields = {"token": site.link("uj@example.hu").partition("token=")[2]}
    stranger.sign_in()
    right = visitor.csrf_token
    before = site.database()
    for token in ("", stranger.csrf_token, altered(right), right[1:], "x", "\0"):
        page = visitor.follow(visitor.post(address, fields, token=token))
        assert page.status == 400
        assert site.say("page.csrf.heading") in page.text
    page = visitor.follow(visitor.client.post(address, data=fields, headers=visitor.headers))
    assert page.status == 400
    assert site.database() == before
    assert visitor.open("/").is_signed_in == is_signed_in
    assert visitor.post(address, fields, token=right).status_code in (200, 303)
    assert site.database() != before or address == "/belepes/maradok"


# --- What the browser says of where a form comes from ----------------------------------------------------------

_OURS, _EVIL = "https://portal.example.hu", "https://evil.example"
_GOOD = [
    {"Origin": _OURS, "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": _OURS},
    {"Origin": f"{_OURS}:443"},
    {"Origin": "null", "Referer": f"{_OURS}/"},
    {"Referer": f"{_OURS}/belepes"},
    # A proxy that drops the port: the browser's own comparison counts, and so does the public address.
    {"Origin": f"{_OURS}:8443", "Sec-Fetch-Site": "same-origin"},
]
_BAD = [
    ({}, "unsaid"),
    ({"Origin": "null"}, "unsaid"),
    ({"Origin": _EVIL}, "other_host"),
    ({"Origin": _EVIL, "Referer": f"{_OURS}/"}, "other_host"),
    ({"Referer": f"{_EVIL}/"}, "other_host"),
    ({"Referer": "https://[::1"}, "other_host"),
    ({"Origin": "http://portal.example.hu"}, "other_host"),
    ({"Origin": "https://mas.example.hu", "Sec-Fetch-Site": "same-site"}, "other_host"),
    ({"Sec-Fetch-Site": "cross-site"}, "other_host"),
    ({"Origin": f"{_OURS}:8443"}, "port"),
]


@pytest.fixture
def on_https(make_site: Callable[..., Site]) -> Site:
    """A site behind a proxy that speaks https."""
    return make_site(public_url=_OURS, demo_anywhere=True, trusted_proxies=1)


def posted(site: Site, headers: dict[str, str], *, token: bool = True, use_cookies: bool = True) -> TestResponse:
    """Open the start page and send a form of it; both by https."""
    client = site.app.test_client(use_cookies=use_cookies)
    page = Page(client.get("/", base_url=_OURS), site.texts)
    fields = {"theme": "dark", "next": "/", **({"csrf_token": page.csrf_token} if token else {})}
    return client.post("/megjelenes", data=fields, base_url=_OURS, headers=headers)


@pytest.mark.parametrize("headers", _GOOD, ids=str)
def test_the_best_proof_of_a_browser_counts(on_https: Site, headers: dict[str, str]) -> None:
    assert posted(on_https, headers).status_code == 303
    assert posted(on_https, headers, token=False).status_code == 400


@pytest.mark.parametrize(("headers", "cause"), _BAD, ids=str)
def test_each_cause_has_its_own_words_and_its_own_way_on(on_https: Site, headers: dict[str, str], cause: str) -> None:
    answer = posted(on_https, {**headers, "Accept-Language": "hu"})
    page = Page(answer, on_https.texts)
    assert answer.status_code == 400
    assert on_https.say(f"page.csrf.{cause}.heading") in page.text
    there = f"{_OURS}/" if cause in ("other_host", "port") else "/"
    assert there in [link["href"] for link in page.root.all("a") if "btn" in (link["class"] or "").split()]


def test_only_a_missing_cookie_is_blamed_on_cookies(on_https: Site, site: Site) -> None:
    good = {"Sec-Fetch-Site": "same-origin", "Accept-Language": "hu"}
    without = Page(posted(on_https, good, use_cookies=False), site.texts)
    assert site.say("page.csrf.no_cookie.heading") in without.text
    assert site.say("page.csrf.heading") in Page(posted(on_https, good, token=False), site.texts).text


def test_the_token_is_another_on_every_page(site: Site) -> None:
    """A constant one beside reflected text could be read from the size of compressed pages (BREACH)."""
    visitor = site.visitor()
    tokens = set()
    for _ in range(5):
        page = visitor.open()
        assert len({field["value"] for field in page.root.all("input") if field["name"] == "csrf_token"}) == 1
        tokens.add(visitor.csrf_token)
    assert len(tokens) == 5
    with visitor.client.session_transaction() as session:
        secret = session["csrf_token"]
    assert secret not in page.html
    for token in tokens:
        answer = visitor.client.post("/megjelenes", data={"theme": "dark", "next": "/"}, headers={"X-CSRFToken": token})
        assert answer.status_code == 303
