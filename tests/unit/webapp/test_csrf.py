"""No form without its own token: missing, empty, another session's, altered (security.md, Sign-in and session)."""

from collections.abc import Callable

import pytest
from browsing import FIRST, SECOND, Site
from demo_cast import ANNA, PASSWORD

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
    """Return the token with another signature: its last sign alone may decode to the same one."""
    signed, _, signature = token.rpartition(".")
    return f"{signed}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


@pytest.mark.parametrize(("due", "address", "fields"), _FORMS, ids=lambda value: str(value)[:40])
def test_a_form_without_its_own_token_does_nothing(
    site: Site, htmx: bool, due: str, address: str, fields: dict[str, str]
) -> None:
    visitor = site.visitor(htmx=htmx)
    visitor.reach(due)
    if due == "terms":
        visitor.read_terms()
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
    assert visitor.get(SECOND if due not in ("identify",) else FIRST).step in (due, "email-sent")


def test_the_way_back_leads_to_a_page(site: Site) -> None:
    site.visitor().reach("email-sent")
    reader = site.visitor()
    reader.open_link(ANNA.email)
    token = site.link(ANNA.email).partition("token=")[2]
    for address, step in (("/megjelenes", ""), (FIRST, "mobile"), (SECOND, "mobile")):
        page = reader.follow(reader.post(address, {"token": token} if address == SECOND else {}, token="x"))
        button = next(link for link in page.root.all("a") if link["href"] and "btn" in link["class"].split())
        there = reader.get(button["href"])
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
    assert visitor.send(ANNA.identification).step == "email"


_ACCOUNT_FORMS = [
    ("/belepes", {"email": ANNA.email, "password": PASSWORD}, False),
    ("/sso/ForgotPassword", {"email": ANNA.email}, False),
    ("/sso/ResetPassword", {"password": "Kerek tó partján 8 j", "password_confirm": "Kerek tó partján 8 j"}, False),
    ("/fiok/email/uj", {}, False),
    ("/kilepes", {}, True),
    ("/belepes/maradok", {"next": "/fiok"}, True),
    ("/fiok", {"action": "end-others"}, True),
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
    visitor.get("/belepes")
    if is_signed_in:
        visitor.sign_in()
    if address == "/fiok/feltetelek":
        visitor.read_terms()
    elif address == "/fiok/email/uj":
        other = site.visitor()
        other.sign_in()
        other.get("/fiok/email")
        other.send({"email": "uj@example.hu", "current_password": PASSWORD})
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
    assert visitor.get("/").is_signed_in == is_signed_in
    assert visitor.post(address, fields, token=right).status_code in (200, 303)
    assert site.database() != before or address == "/belepes/maradok"
