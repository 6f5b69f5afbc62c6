"""Staff sign in with the company's own account, at a real provider's on this machine."""

import http.client
import json
import os
import re
import select
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from werkzeug.test import TestResponse

from tests.ports import free_port
from tests.world.site import Site
from webapp.cli.doctor import examine
from webapp.settings import SettingsError, load

HERE = Path(__file__).parent
DOOR, BACK = "/ugyfelszolgalat/ceges-belepes", "/ugyfelszolgalat/ceges-belepes/vissza"
CLERK = {"email": "ugyintezo@example.hu", "email_verified": True}
SECRET = "the client's secret, known to both"


class Provider:
    """The provider's process."""

    def __init__(self) -> None:
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        environment = {**os.environ, "AUTHLIB_INSECURE_TRANSPORT": "1"}
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "company_provider.py"), str(self.port)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                self.tell(user=CLERK)
                return
            except OSError:
                assert time.monotonic() < deadline
                assert self.process.poll() is None
                time.sleep(0.05)

    def tell(self, **control: Any) -> None:
        """Say who signs in, and what is to be wrong."""
        body = json.dumps({"user": CLERK, **control}).encode()
        asked = urllib.request.Request(f"{self.issuer}/control", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked, timeout=30) as answer:
            assert answer.status == 200


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    """A provider for all tests of this file."""
    provider = Provider()
    yield provider
    provider.process.terminate()
    provider.process.wait(30)


@pytest.fixture
def provider(running: Provider) -> Provider:
    """The provider, with nothing wrong."""
    running.tell()
    return running


@pytest.fixture
def site(make_site: Callable[..., Site], provider: Provider) -> Site:
    """A site that is configured for it."""
    return configured(make_site, provider)


def configured(make_site: Callable[..., Site], provider: Provider, **settings: Any) -> Site:
    own = {"oidc_issuer": provider.issuer, "oidc_client_id": "belepo", "oidc_client_secret": SECRET, **settings}
    return make_site(**own)


class Browser:
    """A browser that goes to the provider and comes back."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.client = site.app.test_client()

    def leave(self) -> str:
        """Go to the provider; return where the browser is sent."""
        answer = self.client.get(DOOR)
        assert answer.status_code == 302, answer.text
        return str(answer.location)

    def at_provider(self, address: str) -> str:
        """Sign in there; return the address that leads back."""
        there = urlsplit(address)
        connection = http.client.HTTPConnection(there.netloc, timeout=30)
        connection.request("GET", f"{there.path}?{there.query}")
        answer = connection.getresponse()
        assert answer.status == 302, answer.read()
        back = answer.headers["Location"]
        connection.close()
        return str(back).removeprefix(self.site.parts.settings.public_url)

    def sign_in(self) -> TestResponse:
        return self.client.get(self.at_provider(self.leave()))

    @property
    def is_in(self) -> bool:
        return 'data-step="staff-search"' in self.client.get("/ugyfelszolgalat", follow_redirects=True).text


def refused(site: Site, browser: Browser, answer: TestResponse, key: str = "staff.login.oidc.failed") -> None:
    assert answer.status_code == 403
    assert site.say(key) in " ".join(answer.text.replace("&nbsp;", " ").split())
    assert not browser.is_in


def test_the_button_is_there_where_it_is_configured(site: Site, make_site: Callable[..., Site]) -> None:
    page = site.app.test_client().get("/ugyfelszolgalat").text
    assert f'href="{DOOR}"' in page
    assert site.say("staff.login.oidc") in page
    other = make_site()
    assert DOOR not in other.app.test_client().get("/ugyfelszolgalat").text
    assert other.app.test_client().get(DOOR).status_code == 404


def test_a_member_of_staff_comes_in_and_stays_who_they_are_here(site: Site) -> None:
    browser = Browser(site)
    answer = browser.sign_in()
    assert (answer.status_code, answer.location) == (303, "/ugyfelszolgalat")
    assert browser.is_in
    assert [(row.action, row.facts) for row in site.rows("audit")] == [("signed_in", {"by": "company"})]


def test_an_adviser_comes_to_their_own_door(site: Site, provider: Provider) -> None:
    provider.tell(user={"email": "Tanacsado@EXAMPLE.hu", "email_verified": True})
    assert Browser(site).sign_in().location == "/partner"


def test_what_is_asked_of_the_provider(site: Site, provider: Provider) -> None:
    asked = parse_qs(urlsplit(Browser(site).leave()).query)
    assert asked["response_type"] == ["code"]
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["state"][0]) >= 20
    assert len(asked["nonce"][0]) >= 20
    # From the settings, whatever the request says of its host.
    assert asked["redirect_uri"] == [f"{site.parts.settings.public_url}{BACK}"]
    forged = site.app.test_client().get(DOOR, headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
    assert "evil.example" not in forged.location


def test_the_cookie_tells_neither_verifier_nor_nonce(site: Site) -> None:
    browser = Browser(site)
    asked = parse_qs(urlsplit(browser.leave()).query)
    with browser.client.session_transaction() as session:
        kept = json.dumps(dict(session))
    assert asked["state"][0] in kept
    assert asked["nonce"][0] not in kept
    assert "verifier" not in kept
    for _ in range(20):
        browser.leave()
    cookie = browser.client.get_cookie("session")
    assert cookie is not None
    assert len(cookie.value) < 2500


@pytest.mark.parametrize(
    "user",
    [
        {"email": "ugyintezo@example.hu", "email_verified": False},
        {"email": "senki@example.hu", "email_verified": True},
        {"email": "", "email_verified": True},
        {"email": "tanac\N{LATIN SMALL LETTER LONG S}ado@example.hu", "email_verified": True},
    ],
)
def test_whom_the_provider_does_not_vouch_for_or_nobody_knows(site: Site, provider: Provider, user: Any) -> None:
    provider.tell(user=user)
    before = len(site.rows("staff"))
    browser = Browser(site)
    refused(site, browser, browser.sign_in(), "error.staff_login.unknown")
    assert len(site.rows("staff")) == before


@pytest.mark.parametrize(("said", "named"), [({}, "missing"), ({"email_verified": "true"}, "a str")])
def test_a_provider_that_does_not_say_whether_it_vouches(
    site: Site, provider: Provider, log: list[str], said: dict[str, Any], named: str
) -> None:
    provider.tell(user={"email": CLERK["email"], **said})
    browser = Browser(site)
    refused(site, browser, browser.sign_in(), "error.staff_login.unverified")
    (line,) = [line for line in log if "BELEPO_OIDC_CLAIM" in line]
    assert named in line


def test_who_has_left_stays_out(site: Site) -> None:
    site.parts.staff.accounts.disable(CLERK["email"])
    browser = Browser(site)
    refused(site, browser, browser.sign_in(), "error.staff_login.unknown")
    row = site.rows("audit")[-1]
    assert (row.action, row.actor, row.facts, row.source) == (
        "sign_in_failed", "unknown", {"by": "company"}, "127.0.0.1",
    )  # fmt: skip


def test_another_claim_can_name_the_account(make_site: Callable[..., Site], provider: Provider) -> None:
    site = configured(make_site, provider, oidc_claim="upn")
    provider.tell(user={"email": "masik@example.hu", "upn": "vezeto@example.hu"})
    browser = Browser(site)
    browser.sign_in()
    assert browser.is_in


@pytest.mark.parametrize(
    "wrong",
    [
        {"claims": {"iss": "http://127.0.0.1:1"}},
        {"claims": {"iss": None}},
        {"claims": {"aud": ["another"]}},
        {"claims": {"aud": None}},
        {"claims": {"nonce": "another"}},
        {"claims": {"nonce": None}},
        {"claims": {"exp": 1_700_000_000}},
        {"claims": {"exp": None}},
        {"claims": {"at_hash": "another"}},
        {"signed": "other"},
        {"signed": "secret"},
        {"signed": "none"},
        {"missing": True},
    ],
)
def test_a_token_that_is_wrong_lets_nobody_in(site: Site, provider: Provider, wrong: dict[str, Any]) -> None:
    provider.tell(wrong=wrong, algorithms=["RS256", "HS256", "none"])
    browser = Browser(site)
    refused(site, browser, browser.sign_in())


def test_an_answer_is_good_once_and_in_its_own_browser(site: Site) -> None:
    browser = Browser(site)
    back = browser.at_provider(browser.leave())
    stranger = Browser(site)
    refused(site, stranger, stranger.client.get(back))
    stranger.leave()
    refused(site, stranger, stranger.client.get(back))
    assert browser.client.get(back).status_code == 303
    fresh = Browser(site)
    again = fresh.at_provider(fresh.leave())
    assert fresh.client.get(again).status_code == 303
    assert fresh.client.get(again).status_code == 403


@pytest.mark.parametrize("query", ["", "code=x", "state=x", "code=x&state=x", "error=access_denied&state=x"])
def test_an_answer_that_nobody_asked_for(site: Site, query: str) -> None:
    browser = Browser(site)
    refused(site, browser, browser.client.get(f"{BACK}?{query}"))


def test_a_code_stolen_on_its_way_needs_the_verifier(site: Site) -> None:
    browser, thief = Browser(site), Browser(site)
    back = parse_qs(urlsplit(browser.at_provider(browser.leave())).query)
    own = parse_qs(urlsplit(thief.leave()).query)["state"][0]
    answer = thief.client.get(f"{BACK}?{urlencode({'code': back['code'][0], 'state': own})}")
    refused(site, thief, answer)


def test_the_session_before_ends(site: Site) -> None:
    browser = Browser(site)
    browser.sign_in()
    browser.sign_in()
    ended = [row.ended_at is not None for row in sorted(site.rows("staff_sessions"), key=lambda row: row.created_at)]
    assert ended == [True, False]


@pytest.mark.parametrize("control", [{"down": True}, {"metadata_issuer": "http://127.0.0.1:1"}])
def test_a_provider_that_is_down_or_another_one(
    make_site: Callable[..., Site], provider: Provider, control: dict[str, Any]
) -> None:
    provider.tell(**control)
    site = configured(make_site, provider)
    browser = Browser(site)
    refused(site, browser, browser.client.get(DOOR))
    provider.tell()
    site.advance(minutes=1)
    assert browser.sign_in().status_code == 303


class Silent:
    """A server that takes connections and says nothing."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.settimeout(30)
        self.address = f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def hold(self) -> socket.socket:
        """Wait for somebody to ask, and leave them without an answer."""
        return self.socket.accept()[0]

    def is_asked(self) -> bool:
        """Tell whether somebody waits to be taken."""
        return bool(select.select([self.socket], [], [], 0)[0])


@pytest.fixture
def silent() -> Iterator[Silent]:
    """A provider, or a part of one, that is silent."""
    server = Silent()
    yield server
    server.socket.close()


def test_a_silent_provider_is_waited_for_once(
    make_site: Callable[..., Site], provider: Provider, silent: Silent
) -> None:
    site = configured(make_site, provider, oidc_issuer=silent.address)
    browser = Browser(site)
    with ThreadPoolExecutor(1) as beside:
        waiting = beside.submit(Browser(site).client.get, DOOR)
        held = silent.hold()
        refused(site, browser, browser.client.get(DOOR))
        assert not silent.is_asked()
        held.close()
        assert waiting.result().status_code == 403
        # It is left alone for a while, the longer the oftener it fails.
        refused(site, browser, browser.client.get(DOOR))
        assert not silent.is_asked()
        site.advance(minutes=1)
        waiting = beside.submit(Browser(site).client.get, DOOR)
        silent.hold().close()
        assert waiting.result().status_code == 403


def test_few_wait_for_a_provider_that_is_silent_about_its_tokens(
    make_site: Callable[..., Site], provider: Provider, silent: Silent
) -> None:
    provider.tell(token_endpoint=f"{silent.address}/token")
    site = configured(make_site, provider)
    browsers = [Browser(site) for _ in range(5)]
    ways_back = [browser.at_provider(browser.leave()) for browser in browsers]
    with ThreadPoolExecutor(4) as beside, ExitStack() as held:
        waiting = [
            beside.submit(browser.client.get, back) for browser, back in zip(browsers[:4], ways_back[:4], strict=True)
        ]
        for _ in waiting:
            held.enter_context(silent.hold())
        refused(site, browsers[4], browsers[4].client.get(ways_back[4]))
        assert not silent.is_asked()
        held.close()
        assert [one.result().status_code for one in waiting] == [403] * 4


def test_a_state_ends(site: Site) -> None:
    browser = Browser(site)
    back = browser.at_provider(browser.leave())
    site.advance(minutes=14)
    assert browser.client.get(back).status_code == 303
    late = Browser(site)
    back = late.at_provider(late.leave())
    site.advance(minutes=15)
    refused(site, late, late.client.get(back))


def test_new_keys_of_the_provider_are_fetched(site: Site, provider: Provider) -> None:
    assert Browser(site).sign_in().status_code == 303
    provider.tell(key="next")
    assert Browser(site).sign_in().status_code == 303


def test_another_key_by_the_same_name_refuses_the_first_alone(site: Site, provider: Provider) -> None:
    assert Browser(site).sign_in().status_code == 303
    provider.tell(key="other")
    assert [Browser(site).sign_in().status_code for _ in range(2)] == [403, 303]


def test_a_key_that_was_withdrawn_ends_within_the_hour(site: Site, provider: Provider) -> None:
    assert Browser(site).sign_in().status_code == 303
    provider.tell(key="next", wrong={"nothing": "but the stolen key"})
    site.advance(hours=1)
    browser = Browser(site)
    refused(site, browser, browser.sign_in())


def test_nothing_of_it_is_logged(site: Site, log: list[str]) -> None:
    browser = Browser(site)
    asked = browser.leave()
    back = browser.at_provider(asked)
    browser.client.get(back)
    browser.client.get(back)
    known = [value for query in (asked, back) for value in parse_qs(urlsplit(query).query).get("code", ())]
    known += parse_qs(urlsplit(asked).query)["nonce"]
    lines = [line for line in log if "urllib3" not in line]
    assert not [line for line in lines if any(one in line for one in known) or re.search("verifier", line)]


def test_the_doctor_looks_whether_the_provider_answers(site: Site, provider: Provider) -> None:
    def found() -> tuple[str, bool]:
        (one,) = (one for one in examine(site.parts.settings) if one.subject == "company sign-in")
        return one.state, one.is_bad

    assert found() == (f"{provider.issuer} answers", False)
    for control in ({"down": True}, {"metadata_issuer": "http://127.0.0.1:1"}):
        provider.tell(**control)
        assert found() == (f"{provider.issuer} does not answer as that issuer", True)


def test_half_a_configuration_does_not_start(provider: Provider) -> None:
    with pytest.raises(SettingsError, match="go together"):
        load(demo=True, oidc_issuer=provider.issuer)
    with pytest.raises(SettingsError, match="https"):
        load(demo=True, oidc_issuer="http://idp.example", oidc_client_id="x", oidc_client_secret="y")
