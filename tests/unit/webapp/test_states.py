"""`/dev/states`: every state of every insurer is reached by one call, and the browser goes on from there."""

from collections.abc import Callable

import pytest
from browsing import Site
from demo_cast import MINTA
from pages import Page

from services.profiles import load
from webapp.states import known

_ALL = [
    pytest.param(profile, one.name, one.status, id=f"{profile}-{one.name}")
    for profile in ("mygenerali", "allianz", "genertel", "generali-sk")
    for one in known(load(profile))
    # The account and the console are alike for all insurers.
    if profile == "mygenerali" or one.group in ("registration", "dead ends", "signing in") or one.by_staff
]


@pytest.mark.parametrize(("profile", "name", "status"), _ALL)
def test_a_state_is_reached_by_one_call(site_of: Callable[[str], Site], profile: str, name: str, status: int) -> None:
    site = site_of(profile)
    answer = site.app.test_client().get(f"/dev/states/{name}", headers={"Accept-Language": "hu,sk"})
    assert answer.status_code == status
    if name != "internet-explorer":  # a page of its own make
        assert not Page(answer, site.texts).is_fragment


def test_the_list_leads_to_each_and_there_is_nothing_else(site: Site) -> None:
    client = site.app.test_client()
    listed = client.get("/dev/states.json").json
    page = Page(client.get("/dev/states"), site.texts)
    links = {link["href"] for link in page.root.all("a") if link["href"].startswith("/dev/states/")}
    assert links == {one["url"] for one in listed}
    assert len(listed) > 100
    assert client.get("/dev/states/nincs-ilyen").status_code == 404


def test_the_browser_goes_on_from_there(site: Site) -> None:
    client = site.app.test_client()
    client.get("/dev/states/sms-code")
    page = Page(client.get("/regisztracioveglegesites"), site.texts)
    assert page.step == "sms-code"
    client.get("/dev/states/account")
    assert client.get("/fiok").status_code == 200


@pytest.mark.parametrize(("profile", "number"), [("mygenerali", MINTA.policy_number), ("allianz", "7000101")])
def test_the_customer_can_be_chosen(site_of: Callable[[str], Site], profile: str, number: str) -> None:
    site = site_of(profile)
    client = site.app.test_client()
    asked = {"number": number, "email": "en@example.hu"}
    assert client.get("/dev/states/done", query_string=asked).status_code == 200
    (account,) = site.rows("accounts")
    assert account.email == "en@example.hu"
    assert account.kutid in {row.kutid for row in site.rows("policies") if row.policy_number == number} | {
        row.kutid for row in site.rows("customer_accounts") if row.account_number == number
    }
    # Nobody registers twice.
    assert client.get("/dev/states/mobile", query_string=asked).status_code == 404
    assert client.get("/dev/states/mobile", query_string={"number": "1"}).status_code == 404


def test_it_is_seen_in_the_language_and_theme_of_the_browser(site: Site) -> None:
    client = site.app.test_client()
    client.set_cookie("lang", "en")
    client.set_cookie("theme", "dark")
    page = Page(client.get("/dev/states/email-empty"), site.texts)
    assert page.language == "en"
    assert 'data-theme="dark"' in page.html


def test_there_are_none_outside_of_a_demonstration(make_site: Callable[..., Site]) -> None:
    site = make_site(
        demo=False,
        secret_keys="Valami-Nagyon-Titkos-Kulcs-2026-xyz",
        bcrypt_rounds=10,
        mail_url="folder:/nonexistent",
        sms_url="folder:/nonexistent",
        public_url="http://127.0.0.1",
    )
    assert site.app.test_client().get("/dev/states").status_code == 404
