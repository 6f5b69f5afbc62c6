"""`/dev/states`: every state of every insurer is reached by one call, and the browser goes on from there."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import request_started, template_rendered

import webapp
from services.profiles import load
from services.texts import Texts
from tests.world.cast import MINTA
from tests.world.pages import Page
from tests.world.site import Site
from webapp.demo.states import known
from webapp.ui.language import Say

TEMPLATES = Path(webapp.__file__).parent / "templates"
_PROFILES = ("mygenerali", "allianz", "genertel", "generali-sk")
_ALL = [
    pytest.param(profile, one.name, one.status, id=f"{profile}-{one.name}")
    for profile in _PROFILES
    for one in known(load(profile))
]
_NOT_RENDERED = {"pages/states.html": "it lists the states", "portal/archive_index.html": "it is a file in a ZIP"}
_NOT_SHOWN = {
    "error.sms.paused": "no profile sets a budget of text messages",
    "error.sms_budget.stopped": "no profile sets a budget of text messages",
    "error.more.malformed": "no profile sets a budget of text messages",
    "error.passkey.no_name": "it takes a browser's passkey",
    "error.passkey.too_many": "it takes a browser's passkey",
    "error.staff_login.unknown": "it takes a company's provider",
    "error.staff_login.unverified": "it takes a company's provider",
    "error.reason.not_supervisor": "whom it refuses are shown no button",
    "error.customers.supervisor": "whom it refuses are shown no button",
    "error.customers.too_many": "it takes five hundred customers",
    "error.activation_code.malformed": "no profile asks for the whole of an activation code",
    "error.identify.wait": "it takes sixty wrong tries from one network",
    "error.search.none": "the console says it in words of its own",
    "error.contract.ended": "a contract would have to end while a request about it is filled in",
    **dict.fromkeys(
        ("error.choice.unknown", "error.contract.unsuitable", "error.request.letter", "error.to.unknown"),
        "no form offers such an answer",
    ),
    "error.file.of_day": "nobody adds five hundred files for a look",
    "error.files.empty": "not every insurer has a kind that needs files",
    **dict.fromkeys(
        (
            "error.money.empty", "error.money.malformed", "error.money.zero", "error.name.empty", "error.phone.empty",
            "error.date.before", "error.time.future",
            "error.phone.malformed", "error.plate.empty", "error.plate.malformed", "error.sold_on.future",
        ),
        "a question of another type is shown for all",
    ),
    **dict.fromkeys(
        (
            "error.birth_date.day", "error.birth_date.too_old", "error.birth_date.year",
            "error.due_on.malformed", "error.due_on.too_far", "error.note.personal", "error.note.too_long",
            "error.password.like_email", "error.password.like_record", "error.password.lower", "error.password.special",
            "error.password.too_long", "error.password.opens_letters", "error.letter_password.too_many",
            "error.invoice_number.currency", "error.tax_number.malformed",
            "error.account.empty", "error.account.malformed", "error.date.day", "error.date.empty", "error.date.future",
            "error.date.impossible", "error.date.malformed", "error.date.month", "error.date.past", "error.date.year",
            "error.long_text.too_long", "error.time.empty", "error.town.empty",
        ),
        "another of the field's sentences is shown where it would stand",
    ),
}  # fmt: skip
"""Texts that no state shows, and why."""


@pytest.mark.parametrize(("profile", "name", "status"), _ALL)
def test_a_state_is_reached_by_one_call(site_of: Callable[[str], Site], profile: str, name: str, status: int) -> None:
    site = site_of(profile)
    answer = site.app.test_client().get(f"/dev/states/{name}", headers={"Accept-Language": "hu,sk"})
    assert answer.status_code == status
    if name != "internet-explorer":  # a page of its own make
        assert not Page(answer, site.texts).is_fragment


@pytest.mark.parametrize(("profile", "language"), [(name, code) for name in _PROFILES for code in load(name).languages])
@pytest.mark.parametrize("name", ["account-sessions", "password"])
def test_what_is_heard_holds_what_is_seen_in_each_language(
    site_of: Callable[[str], Site], profile: str, language: str, name: str
) -> None:
    """`Page` sees to it wherever a page is read; here stand those with names of their own."""
    site = site_of(profile)
    page = Page(site.app.test_client().get(f"/dev/states/{name}", headers={"Accept-Language": language}), site.texts)
    assert page.language == language
    assert any("aria-label" in element for element in page.root.all("a", "button") if element["name"] != "theme")


def test_one_after_another_they_show_every_page_and_every_refusal(
    site_of: Callable[[str], Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a reset between them, as testers come by them. Other insurers' alone where they differ."""
    said: set[str] = set()
    rendered: set[str] = set()
    for way in ("__call__", "plain"):
        monkeypatch.setattr(Say, way, _noting(getattr(Say, way), said))
    all_said, all_rendered, others = set(), set(), []
    for profile in _PROFILES:
        site = site_of(profile)

        def forget(_app: Any, **_: Any) -> None:  # what was shown on the way
            said.clear()
            rendered.clear()

        def note(_app: Any, template: Any, **_: Any) -> None:
            rendered.add(template.name)

        with request_started.connected_to(forget, site.app), template_rendered.connected_to(note, site.app):
            for name, status in _new_in(profile):
                answer = site.app.test_client().get(f"/dev/states/{name}", headers={"Accept-Language": "hu,sk"})
                if answer.status_code != status:
                    others.append((profile, name, answer.status))
                all_said |= said
                all_rendered |= rendered
    assert not others
    pages = {
        f"{folder}/{file.name}"
        for folder in ("account", "console", "pages", "portal", "steps")
        for file in (TEMPLATES / folder).glob("*.html")
    }
    assert pages - all_rendered == set(_NOT_RENDERED)
    texts = site_of(_PROFILES[0]).texts
    keys = {_stem(key, texts) for key in texts.known_keys if key.startswith(("error.", "dead_end."))}
    assert keys - all_said == set(_NOT_SHOWN)


def _new_in(profile: str) -> list[tuple[str, int]]:
    """Return the states that no profile before this one has, and those that differ by what customers are asked."""
    before = {one.name for name in _PROFILES[: _PROFILES.index(profile)] for one in known(load(name))}
    return [
        (one.name, one.status)
        for one in known(load(profile))
        if one.name not in before or one.name.startswith(("identify", "sms-code-malformed"))
    ]


def _noting(say: Callable[..., Any], said: set[str]) -> Callable[..., Any]:
    def say_and_note(self: Say, key: str, **facts: Any) -> Any:
        said.add(key)
        return say(self, key, **facts)

    return say_and_note


def _stem(key: str, texts: Texts) -> str:
    """Return the key by which a text is asked for: without the end of its plural form."""
    stem = key.rpartition(".")[0]
    return stem if texts.is_known(f"{stem}.other") else key


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


@pytest.mark.parametrize(
    ("profile", "number"),
    [("mygenerali", MINTA.policy_number), ("allianz", "7000101"), ("genertel", MINTA.policy_number)],
)
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
