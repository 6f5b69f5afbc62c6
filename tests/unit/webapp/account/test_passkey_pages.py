"""Passkeys over HTTP: what the script gets and sends, and what nobody gets without a page of their own."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from threading import Barrier

import pytest
from werkzeug.test import TestResponse

from tests.world.authenticator import Authenticator
from tests.world.cast import ANNA, ESZTER, PASSWORD, Customer
from tests.world.site import Site, Visitor

ACCOUNT, SIGN_IN, BY_PASSKEY = "/fiok", "/belepes", "/belepes/azonositokulcs"
SETTINGS = "/fiok/beallitasok"
PASSKEYS, NEW, REMOVE = "/fiok/azonositokulcsok", "/fiok/azonositokulcsok/uj", "/fiok/azonositokulcsok/torles"


@pytest.fixture
def origin(site: Site) -> str:
    return site.parts.accounts.passkeys.origin


def member(site: Site, customer: Customer = ANNA, *, htmx: bool = False) -> Visitor:
    """Return somebody who has registered and signed in."""
    visitor = site.visitor()
    visitor.walk_to("done", customer)
    return sign_in(site.visitor(htmx=htmx), customer)


def sign_in(visitor: Visitor, customer: Customer = ANNA) -> Visitor:
    visitor.open(SIGN_IN)
    visitor.post(SIGN_IN, {"email": customer.email, "password": PASSWORD})
    assert visitor.open(ACCOUNT).status == 200
    return visitor


def options(visitor: Visitor, address: str) -> str:
    """Return what a page tells the script."""
    html = visitor.open(address).html
    return unescape(html.partition('data-options="')[2].partition('"')[0])


def add(visitor: Visitor, device: Authenticator, name: str = "Anna telefonja") -> TestResponse:
    visitor.open(PASSKEYS)
    visitor.send("passkey", current_password=PASSWORD)
    answer = device.make(options(visitor, NEW))
    return visitor.post(NEW, {"name": name, "credential": answer})


def enter(visitor: Visitor, device: Authenticator, **fields: str) -> TestResponse:
    answer = device.prove(options(visitor, SIGN_IN))
    return visitor.post(BY_PASSKEY, {"credential": answer, **fields})


def is_in(visitor: Visitor) -> bool:
    return visitor.client.get(ACCOUNT).status_code == 200


def test_adding_using_and_removing_a_passkey(site: Site, htmx: bool, origin: str) -> None:
    visitor, device = member(site, htmx=htmx), Authenticator(origin)
    before = visitor.client.get_cookie("session")
    answer = add(visitor, device)
    assert (answer.status_code, answer.json) == (200, {"to": SETTINGS})
    assert visitor.client.get_cookie("session") != before
    page = visitor.open(SETTINGS)
    assert site.say("account.passkeys.added") in page.text
    assert "Anna telefonja" in page.text

    other = site.visitor()
    answer = enter(other, device, next="/fiok/jelszo")
    assert (answer.status_code, answer.json) == (200, {"to": "/fiok/jelszo"})
    assert is_in(other)
    assert other.client.get_cookie("device") is not None

    page = visitor.follow(visitor.post(REMOVE, {"passkey": site.rows("passkeys")[0].id}))
    assert site.say("account.passkeys.removed") in page.text
    assert site.rows("passkeys") == []
    assert is_in(other), "it stays signed in until its session is ended"
    third = site.visitor()
    answer = enter(third, device)
    assert (answer.status_code, answer.json["error"]) == (422, site.say("login.passkey.stopped"))
    assert not is_in(third)


def test_the_sign_in_is_a_new_session_of_the_browser(site: Site, origin: str) -> None:
    device = Authenticator(origin)
    add(member(site), device)
    visitor = site.visitor()
    visitor.open(SIGN_IN)
    token, cookie = visitor.csrf_token, visitor.client.get_cookie("session")
    assert enter(visitor, device).status_code == 200
    assert visitor.client.get_cookie("session") != cookie
    assert visitor.post("/kilepes", {}, token=token).status_code == 400, "a token from before the sign-in"


def test_the_same_cookie_and_answer_again_do_nothing(site: Site, origin: str) -> None:
    device = Authenticator(origin, counts=False)
    add(member(site), device)
    visitor = site.visitor()
    answer = device.prove(options(visitor, SIGN_IN))
    cookie = visitor.client.get_cookie("session")
    assert cookie is not None
    assert visitor.post(BY_PASSKEY, {"credential": answer}).status_code == 200
    sessions = len(site.rows("sessions"))
    thief = site.visitor()
    thief.client.set_cookie("session", cookie.value)
    thief.csrf_token = visitor.csrf_token
    assert thief.post(BY_PASSKEY, {"credential": answer}).status_code == 422
    assert not is_in(thief)
    assert len(site.rows("sessions")) == sessions


def test_an_answer_meant_for_another_browser_does_nothing(site: Site, origin: str) -> None:
    device = Authenticator(origin)
    add(member(site), device)
    answer = device.prove(options(site.visitor(), SIGN_IN))
    thief = site.visitor()
    thief.open(SIGN_IN)
    assert thief.post(BY_PASSKEY, {"credential": answer}).status_code == 422
    assert not is_in(thief)


def test_of_eight_posts_at_once_one_signs_in(site: Site, origin: str) -> None:
    device = Authenticator(origin, counts=False)
    add(member(site), device)
    visitor = site.visitor()
    answer = device.prove(options(visitor, SIGN_IN))
    cookie = visitor.client.get_cookie("session")
    assert cookie is not None
    gate = Barrier(8)

    def post(_number: int) -> int:
        client = site.app.test_client()
        client.set_cookie("session", cookie.value)
        gate.wait(30)
        return client.post(BY_PASSKEY, data={"csrf_token": visitor.csrf_token, "credential": answer}).status_code

    before = len(site.rows("sessions"))
    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(post, range(8))) == [200] + [422] * 7
    assert len(site.rows("sessions")) == before + 1


@pytest.mark.parametrize("address", [BY_PASSKEY, PASSKEYS, NEW, REMOVE])
def test_no_post_without_the_pages_own_token(site: Site, origin: str, address: str) -> None:
    visitor, device = member(site), Authenticator(origin)
    add(visitor, device)
    before = site.database()
    fields = {
        "credential": device.prove(options(site.visitor(), SIGN_IN)) if address == BY_PASSKEY else "{}",
        "current_password": PASSWORD, "name": "x", "passkey": site.rows("passkeys")[0].id,
    }  # fmt: skip
    stranger = site.visitor()
    stranger.open("/")
    for token in ("", stranger.csrf_token):
        assert visitor.post(address, fields, token=token).status_code == 400
    assert site.database() == before
    assert visitor.client.get(address, query_string=fields).status_code in (200, 303, 405)
    assert site.database("sessions") == {name: rows for name, rows in before.items() if name != "sessions"}


@pytest.mark.parametrize("wrong", ["http://evil.example", "http://127.0.0.1:8000"])
def test_another_origin_opens_nothing(site: Site, origin: str, wrong: str) -> None:
    device = Authenticator(origin)
    add(member(site), device)
    device.origin = wrong
    visitor = site.visitor()
    assert enter(visitor, device).status_code == 422
    assert not is_in(visitor)


def test_the_passkey_needs_the_password_first(site: Site, origin: str) -> None:
    visitor, device = member(site), Authenticator(origin)
    assert visitor.client.get(NEW).location == PASSKEYS
    visitor.open(PASSKEYS)
    page = visitor.send("passkey", current_password="not this one")
    assert page.status == 422
    assert visitor.client.get(NEW).location == PASSKEYS
    sign_in_options = json.loads(options(site.visitor(), SIGN_IN))
    made_up = {"rp": {"id": "localhost"}, "user": {"id": "AA"}, "challenge": sign_in_options["challenge"]}
    answer = visitor.post(NEW, {"name": "x", "credential": device.make(json.dumps(made_up))})
    assert answer.json == {"to": PASSKEYS}
    assert site.rows("passkeys") == []


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\0b"])
def test_a_name_that_cannot_be_kept_is_said_beside_the_button(site: Site, origin: str, name: str) -> None:
    visitor = member(site)
    answer = add(visitor, Authenticator(origin), name)
    assert answer.status_code == 422
    assert answer.json["error"]
    assert site.rows("passkeys") == []
    assert add(visitor, Authenticator(origin), "<b>&amp;").json == {"to": SETTINGS}
    assert "<b>&amp;" in visitor.open(SETTINGS).text


def test_strangers_remove_nothing(site: Site, origin: str) -> None:
    add(member(site), Authenticator(origin))
    own = site.rows("passkeys")[0].id
    stranger = member(site, ESZTER)
    assert stranger.post(REMOVE, {"passkey": own}).status_code == 404
    outsider = site.visitor()
    assert outsider.post(REMOVE, {"passkey": own}).status_code == 403
    assert outsider.post(NEW, {"name": "x", "credential": "{}"}).json == {"to": PASSKEYS}
    assert [row.id for row in site.rows("passkeys")] == [own]


def test_changed_terms_come_before_anything_else(site: Site, origin: str) -> None:
    device = Authenticator(origin)
    add(member(site), device)
    site.advance(minutes=1)
    site.app.test_client().post("/dev/terms", data={"version": "2027-1"})
    site.advance(minutes=1)
    visitor = site.visitor()
    assert enter(visitor, device).json == {"to": ACCOUNT}
    assert visitor.client.get(ACCOUNT).location == "/fiok/feltetelek"
    visitor.open("/fiok/feltetelek")
    assert visitor.post(NEW, {"name": "x", "credential": "{}"}).json == {"to": PASSKEYS}


def test_the_way_on_stays_on_the_site(site: Site, origin: str) -> None:
    device = Authenticator(origin)
    add(member(site), device)
    assert enter(site.visitor(), device, next="https://evil.example/").json == {"to": ACCOUNT}


@pytest.mark.parametrize(
    ("public", "origin", "are_offered"),
    [
        ("http://127.0.0.1:8123", "http://localhost:8123", True),
        ("https://ugyfel.example.hu", "https://ugyfel.example.hu", True),
        ("https://ugyfel.example.hu/", "https://ugyfel.example.hu", True),
        ("https://10.1.2.3", "https://10.1.2.3", False),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443", False),
    ],
)
def test_passkeys_belong_to_a_name(make_site: Callable[..., Site], public: str, origin: str, are_offered: bool) -> None:
    site = make_site(public_url=public)
    assert site.parts.accounts.passkeys.origin == origin
    assert ("data-passkey" in site.visitor().open(SIGN_IN).html) == are_offered
