"""The link in the mail: whoever opens it goes on, and nobody else (M18, M19)."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.world.cast import ANNA, MINTA
from tests.world.site import Site, Visitor
from tests.world.walk import FIRST, SECOND


def test_opening_the_link_changes_nothing(site: Site, visitor: Visitor) -> None:
    """Scanners of mail servers open links too."""
    visitor.walk_to("email-sent")
    link = site.link(ANNA.email)
    before = site.database()
    for _ in range(2):
        scanner = site.app.test_client()
        assert scanner.head(link).status_code == 200
        assert scanner.get(link).status_code == 200
        assert scanner.get(link, headers={"HX-Request": "true"}).status_code == 200
    assert site.database() == before
    assert site.visitor().open(link).step == "mobile"


def test_the_browser_that_opened_it_stands_behind_the_link(site: Site, visitor: Visitor, htmx: bool) -> None:
    """Without the token in its address bar, or in its form, too; the browser that waits does not."""
    visitor.walk_to("email-sent")
    reader = site.visitor(htmx=htmx)
    reader.open_link(ANNA.email)
    for address in (FIRST, SECOND):
        assert reader.open(address).step == "mobile"
        assert visitor.open(address).step == "email-sent"
    answer = reader.post(SECOND, {"mobile": ANNA.mobile})
    assert reader.follow(answer).step == "sms-code"


def test_a_made_up_link_writes_nothing(site: Site, visitor: Visitor) -> None:
    before = site.database()
    for token in ("x", "a.b.c", "%00", "%ff", "é", "x" * 3000, "ImEi.AAAA"):
        assert visitor.open(f"{SECOND}?token={token}").status == 404
    assert site.database() == before


def test_the_link_leads_on_in_another_browser(site: Site, htmx: bool) -> None:
    site.visitor().walk_to("email-sent")
    phone = site.visitor(htmx=htmx)
    phone.open_link(ANNA.email)
    phone.walk_to("done")
    (account,) = site.rows("accounts")
    assert account.email == ANNA.email


def test_the_token_leaves_the_address_with_the_first_step(site: Site) -> None:
    site.visitor().walk_to("email-sent")
    phone = site.visitor(htmx=True)
    page = phone.open_link(ANNA.email)
    assert page.form("mobile")["action"] == SECOND
    answer = phone.give_mobile(ANNA.mobile)
    assert answer.headers["HX-Replace-Url"] == SECOND
    assert 'name="token"' not in answer.html


def test_the_tab_that_waits_gains_nothing_from_the_click(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("email-sent")
    reader = site.visitor()
    reader.open_link(ANNA.email)
    assert visitor.open(FIRST).step == "email-sent"
    reader.walk_to("sms-code")
    for address in (FIRST, SECOND):
        page = visitor.open(address)
        assert page.step == "email-sent"
        assert site.say("email_sent.continued_elsewhere") in page.text
    code = site.code(ANNA.mobile)
    before = site.database()
    for fields in (
        {"step": "mobile", "mobile": ANNA.mobile},
        {"step": "sms-code", "sms_code": code},
        {"step": "sms-resend"},
        {"step": "terms", "terms": "1"},
        {"action": "change-mobile"},
    ):
        assert visitor.follow(visitor.post(SECOND, fields)).step == "email-sent"
    assert site.database() == before
    assert len(site.messages(kind="sms")) == 1
    assert reader.give_code(code).step == "terms"
    reader.walk_to("done")
    told = visitor.open(FIRST)
    assert told.status == 409, "that there is an account, and whom to call"
    assert site.say("dead_end.already_registered.next", phone="").rstrip(" .") in told.text
    assert site.parts.profile.phone_display in told.text
    assert site.say("done.heading") not in told.text


@pytest.mark.parametrize("changed", ["payload", "signature", "purpose", "keys"])
def test_a_link_that_was_not_signed_here_for_this_is_unknown(site: Site, visitor: Visitor, changed: str) -> None:
    visitor.walk_to("email-sent")
    link = site.link(ANNA.email)
    payload, _, signature = link.partition("token=")[2].rpartition(".")
    links = site.parts.links
    opaque = links.read("confirm", f"{payload}.{signature}")
    assert opaque
    token = {
        "payload": f"{payload[:-2]}AA.{signature}",
        "signature": f"{payload}.{signature[:-4]}AAAA",
        "purpose": links.token("reset", opaque),
        "keys": type(links)(("another-key-of-at-least-32-characters",), "http://localhost").token("confirm", opaque),
    }[changed]
    reader = site.visitor()
    page = reader.open(f"{SECOND}?token={token}")
    assert page.status == 404
    reader.post(SECOND, {"step": "mobile", "mobile": ANNA.mobile, "token": token})
    assert not site.messages(kind="sms")


def test_an_older_key_still_verifies(make_site: Callable[..., Site]) -> None:
    older, newer = "k1-" + "abcdefghij" * 4, "k2-" + "klmnopqrst" * 4
    before = make_site(secret_keys=(older,))
    visitor = before.visitor()
    visitor.walk_to("email-sent")
    link = before.link(ANNA.email)
    after = make_site(secret_keys=(newer, older))
    reader = after.visitor()
    assert reader.open(link).step == "mobile"
    reader.walk_to("done")
    visitor.client.application = after.app
    assert visitor.open(SECOND).status == 409, "the session of before still counts: the reader has registered"
    gone = make_site(secret_keys=(newer,))
    assert gone.visitor().open(link).status == 404


def test_after_the_hour_the_link_has_expired(site: Site, visitor: Visitor, htmx: bool) -> None:
    visitor = site.visitor(htmx=htmx)
    visitor.walk_to("email-sent")
    link = site.link(ANNA.email)
    site.advance(minutes=59, seconds=50)
    assert site.visitor().open(link).step == "mobile"
    site.advance(seconds=20)
    page = site.visitor().open(link)
    assert page.status == 410
    (kept,) = site.rows("reference_codes")
    assert kept.code in page.text
    assert site.parts.profile.phone_display in page.text
    assert site.visitor().open(link).text == page.text, "the reference stays the same"
    page = visitor.open(FIRST)
    assert page.status == 410
    again = site.visitor()
    again.open(link)
    assert again.act("restart").step == "identify"


def test_after_completion_the_link_says_so(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("email-sent")
    link = site.link(ANNA.email)
    visitor.open_link(ANNA.email)
    visitor.walk_to("done")
    assert visitor.open(link).step == "done"
    stranger = site.visitor().open(link)
    assert stranger.status == 410
    assert ANNA.mobile[-2:] not in stranger.text
    assert site.say("done.heading") not in stranger.text


def test_who_finished_elsewhere_is_told_so(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("email-sent")
    other = site.visitor()
    other.walk_to("done", replace(ANNA, policy_number="940000002", email="anna2@example.hu"))
    assert visitor.open(FIRST).status == 409
    assert visitor.open_link(ANNA.email).status == 409


def test_a_link_of_an_earlier_address_is_dead_for_its_browser_too(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("sms-code")
    held = visitor.client.get_cookie("session")
    assert held
    visitor.act("change-email")
    visitor.send(email="masik@example.hu", email_confirm="masik@example.hu")
    replayed = site.visitor()
    replayed.client.set_cookie("session", held.value)
    for page in (
        replayed.open(SECOND),
        replayed.follow(replayed.post(SECOND, {"step": "sms-code", "sms_code": "0000"})),
    ):
        assert page.status == 404
        assert "masik@example.hu" not in page.text


@pytest.mark.parametrize("address", [ANNA.email, "anna+biztosito@example.hu", "o'neil@example.hu", "ıstvan@example.hu"])
def test_links_are_built_from_the_public_address_alone(site: Site, address: str) -> None:
    visitor = site.visitor()
    visitor.walk_to("email")
    forged = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https",
              "X-Forwarded-For": "203.0.113.9", "X-Forwarded-Prefix": "/evil", "Forwarded": "host=evil"}  # fmt: skip
    body = {"csrf_token": visitor.csrf_token, "step": "email", "email": address, "email_confirm": address}
    visitor.client.post(FIRST, data=body, headers=forged)
    client = site.app.test_client()
    client.set_cookie("session", visitor.client.get_cookie("session").value, domain="evil.example")  # type: ignore[union-attr]
    client.post(FIRST, data=body, headers=forged)
    (mail,) = site.messages(address)
    assert "evil" not in mail["text"] + mail["html"]
    assert mail["links"][0].startswith(f"{site.parts.settings.public_url}{SECOND}?token=")


def test_a_link_and_a_cookie_hold_no_data(site: Site, visitor: Visitor) -> None:
    visitor.walk_to("sms-code", MINTA)
    cookie = visitor.client.get_cookie("session")
    assert cookie
    serializer = site.app.session_interface.get_signing_serializer(site.app)  # type: ignore[attr-defined]
    # In what is drawn by lot a short number may stand by chance.
    held = re.sub(r"[\w-]{20,}", "", repr(serializer.loads(cookie.value)))
    opaque = site.parts.links.read("confirm", site.link(MINTA.email).partition("token=")[2])
    for known in (MINTA.policy_number, "10000002", MINTA.mobile[-9:], MINTA.email, "12345676", site.code(MINTA.mobile)):
        assert known not in held
        assert known not in str(opaque)


@pytest.mark.parametrize("sent", [{"step": "mobile", "mobile": ANNA.mobile}, {"action": "change-email"},
                                  {"step": "email", "email": "idegen@example.hu", "email_confirm": "idegen@example.hu"},
                                  {"action": "resend-email"}])  # fmt: skip
def test_whoever_got_a_mail_by_mistake_can_do_nothing_once_the_address_is_corrected(
    site: Site, visitor: Visitor, sent: dict[str, str]
) -> None:
    visitor.walk_to("email-sent")
    token = site.messages(ANNA.email)[-1]["links"][0].partition("token=")[2]
    site.advance(seconds=61)
    visitor.act("change-email")
    visitor.send(email="masik@example.hu", email_confirm="masik@example.hu")
    before = site.rows("registrations")
    stranger = site.visitor()
    stranger.open()
    page = stranger.follow(stranger.post(SECOND, {**sent, "token": token}))
    assert page.status == 404
    assert stranger.open(FIRST).step == "identify"
    assert site.rows("registrations") == before
