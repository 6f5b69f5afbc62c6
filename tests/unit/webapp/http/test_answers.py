"""What every address answers, however it is asked: methods, sizes, hosts, redirects, headers."""

from collections.abc import Callable

import pytest

from tests.world.cast import ANNA
from tests.world.site import Site, Visitor
from tests.world.walk import FIRST, SECOND

_PAGES = ["/", FIRST, SECOND, "/belepes", "/aszf"]


@pytest.mark.parametrize("language", ["hu", "en"])
@pytest.mark.parametrize("address", [*_PAGES, "/dev/messages", "/no-such-page", f"{SECOND}?token=x"])
def test_every_page_and_its_fragment_are_sound(site: Site, language: str, address: str, htmx: bool) -> None:
    page = site.visitor(language, htmx=htmx).open(address, whole=not htmx)
    assert page.is_fragment == htmx
    assert htmx or page.language == language


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
@pytest.mark.parametrize("address", [*_PAGES, "/megjelenes", "/dev/clock", "/healthz"])
def test_wrong_methods_are_refused(visitor: Visitor, address: str, method: str) -> None:
    answer = visitor.client.open(address, method=method, headers={"X-CSRFToken": visitor.open().csrf_token})
    assert answer.status_code in (400, 405)
    if answer.status_code == 405:
        assert answer.headers["Allow"]


@pytest.mark.parametrize(("method", "address"), [("GET", "/megjelenes"), ("GET", "/dev/reset"), ("GET", "/dev/terms")])
def test_what_changes_something_is_not_opened(visitor: Visitor, method: str, address: str) -> None:
    page = visitor.open(address)
    assert page.status == 405
    assert page.headers["Allow"] == "OPTIONS, POST"
    assert method == "GET"


@pytest.mark.parametrize(
    "address",
    ["/regisztracio/", "/wp-login.php", "/static/../webapp/settings.py", "/static/x.css",
     "/brand-00000000.css", "/dev/messages/x.html", "/.git/config", "/%00", "/%ff", "/dev", "/x" * 2000,
     "//evil.example/x", "/\\evil.example", "/aszf/../dev/reset"],
    ids=lambda address: address[:24],
)  # fmt: skip
def test_unknown_addresses_are_not_found(site: Site, visitor: Visitor, address: str) -> None:
    page = visitor.open(address)
    assert page.status == 404
    for link in page.root.all("a"):
        assert not link["href"].startswith(("//", "/\\"))
    assert site.app.test_client().head(address).status_code == 404


@pytest.mark.parametrize("address", [FIRST, SECOND, "/megjelenes", "/dev/clock", "/dev/terms"])
def test_too_large_a_request_is_refused(site: Site, address: str, htmx: bool) -> None:
    visitor = site.visitor(htmx=htmx)
    visitor.open()
    page = visitor.follow(visitor.post(address, {"policy_number": "9" * 70_000}))
    assert page.status == 413
    many = visitor.follow(visitor.post(address, {f"field{number}": "x" * 60 for number in range(1100)}))
    assert many.status == 413
    parts = {f"field{number}": "x" for number in range(100)} | {"csrf_token": visitor.csrf_token}
    answer = visitor.client.post(address, data=parts, content_type="multipart/form-data", headers=visitor.headers)
    assert visitor.follow(answer).status == 413


@pytest.mark.parametrize(
    "next_", ["https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
              "/\t/evil.example", "/x\r\nSet-Cookie: a=b", "//[x", "http://[", "evil.example", "", "///evil.example",
              "/\u2028/evil", "https:evil.example", " //evil.example"],
)  # fmt: skip
def test_a_redirect_stays_on_the_site(visitor: Visitor, next_: str) -> None:
    visitor.open()
    answer = visitor.post("/megjelenes", {"theme": "dark", "next": next_})
    assert (answer.status_code, answer.location) == (303, "/")


@pytest.mark.parametrize("next_", ["/", FIRST, f"{SECOND}?token=abc.def", "/aszf/2026-1"])
def test_a_redirect_leads_back(visitor: Visitor, next_: str) -> None:
    visitor.open()
    assert visitor.post("/megjelenes", {"theme": "dark", "next": next_}).location == next_
    assert 'data-theme="dark"' in visitor.open("/").html
    visitor.post("/megjelenes", {"theme": '"><script>', "next": next_})
    assert 'data-theme="dark"' in visitor.open("/").html


def test_a_forged_host_reaches_no_page(site: Site) -> None:
    for host in ("evil.example", 'evil"<x>', "evil.example:99999", "[::1", ""):
        for address in (FIRST, "/no-such-page", f"{SECOND}?token=x"):
            answer = site.app.test_client().get(address, headers={"Host": host, "X-Forwarded-Host": "evil.example"})
            assert answer.status_code < 500
            assert "evil" not in answer.text
            assert "evil" not in answer.headers.get("Location", "")


def test_forwarded_headers_are_believed_only_as_far_as_told(make_site: Callable[..., Site]) -> None:
    limited = make_site(requests_a_minute=10)
    visitor = limited.visitor()
    visitor.open()
    answers = []
    for number in range(12):
        visitor.headers["X-Forwarded-For"] = f"203.0.113.{number}"
        answers.append(visitor.post("/megjelenes", {"theme": "dark"}).status_code)
    assert answers.count(429) == 2
    behind = make_site(requests_a_minute=10, trusted_proxies=1)
    visitor = behind.visitor()
    visitor.open()
    for number in range(12):
        visitor.headers["X-Forwarded-For"] = f"198.51.100.7, 203.0.113.{number}"
        assert visitor.post("/megjelenes", {"theme": "dark"}).status_code == 303


@pytest.mark.parametrize("form", ["2001:db8:1:2::{}", "2001:db8:1:2:{}::"])
def test_a_flood_from_one_network_is_one_flood(make_site: Callable[..., Site], form: str) -> None:
    visitor = make_site(requests_a_minute=10, trusted_proxies=1).visitor()
    visitor.headers["X-Forwarded-For"] = form.format(0)
    visitor.open()
    answers = []
    for number in range(12):
        visitor.headers["X-Forwarded-For"] = form.format(number) if number else "::ffff:192.0.2.8"
        answers.append(visitor.post("/megjelenes", {"theme": "dark"}).status_code)
    assert answers.count(429) == 1


def test_a_flood_is_told_when_to_come_back(make_site: Callable[..., Site], htmx: bool) -> None:
    site = make_site(requests_a_minute=10)
    visitor = site.visitor(htmx=htmx)
    visitor.open()
    for _ in range(10):
        assert visitor.post("/megjelenes", {"theme": "dark"}).status_code == 303
    page = visitor.follow(visitor.post(FIRST, ANNA.identification))
    assert page.status == 429
    assert 0 < int(page.headers["Retry-After"]) <= 60
    assert visitor.open(FIRST).status == 200
    site.advance(seconds=61)
    assert visitor.follow(visitor.post(FIRST, ANNA.identification)).step == "email"


def test_what_a_flood_came_from_is_not_remembered_for_ever(make_site: Callable[..., Site]) -> None:
    site = make_site(requests_a_minute=10, trusted_proxies=1)
    counts = site.app.extensions["belepo.limits"].storage.expirations
    visitor = site.visitor()
    visitor.open()
    for number in range(40):
        visitor.headers["X-Forwarded-For"] = f"203.0.113.{number}"
        visitor.post("/megjelenes", {"theme": "dark"})
    assert len(counts) == 40
    site.advance(seconds=121)
    visitor.post("/megjelenes", {"theme": "dark"})
    assert len(counts) == 1


def test_static_files_are_kept_for_good_and_carry_the_headers(site: Site, visitor: Visitor) -> None:
    page = visitor.open()
    files = [link["href"] for link in page.root.all("link")] + [script["src"] for script in page.root.all("script")]
    assert len(files) == 5
    for address in files:
        answer = site.app.test_client().get(address, headers={"Accept-Encoding": "br"})
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "Set-Cookie" not in answer.headers
        answer.close()


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {"If-None-Match": ""}, 304),
        ("POST", {}, 405),
        ("OPTIONS", {}, 405),
        ("GET", {"Range": "bytes=99999999-"}, 416),
        ("GET", {"Range": "bytes=0-9"}, 206),
        ("HEAD", {}, 200),
    ],
)
def test_what_is_answered_in_place_of_a_file_carries_the_headers_too(
    site: Site, visitor: Visitor, method: str, headers: dict[str, str], status: int
) -> None:
    address = next(visitor.open().root.all("script"))["src"]
    client = site.app.test_client()
    with client.get(address) as whole:
        if "If-None-Match" in headers:
            headers = {"If-None-Match": whole.headers["ETag"]}
        with client.open(address, method=method, headers=headers) as answer:
            assert answer.status_code == status
            for name in (
                "Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy", "X-Frame-Options",
                "Cross-Origin-Resource-Policy",
            ):  # fmt: skip
                assert answer.headers.getlist(name) == [whole.headers[name]]
    with client.get(address) as again:
        own = [[one for one in answer.headers if one[0] != "X-Request-ID"] for answer in (again, whole)]
        assert own[0] == own[1], "what is answered otherwise leaves the file's own headers alone"


def test_every_cookie_of_https_bears_the_prefix_and_is_read_again(make_site: Callable[..., Site]) -> None:
    site = make_site(public_url="https://portal.example.hu")
    site.open_account()
    visitor = site.visitor("en")
    visitor.open(f"{FIRST}?lang=hu")
    visitor.post("/megjelenes", {"theme": "dark"})
    visitor.sign_in()
    for name in ("session", "lang", "theme", "device"):
        assert visitor.client.get_cookie(name) is None
        cookie = visitor.client.get_cookie(f"__Host-{name}")
        assert cookie is not None
        assert cookie.secure
        assert cookie.path == "/"
        assert not cookie.domain.startswith(".")
    (html,) = visitor.open(FIRST).root.all("html")
    assert (html["lang"], html["data-theme"]) == ("hu", "dark")
    assert site.told("new_device") == 1
    visitor.sign_out()
    visitor.sign_in()
    assert site.told("new_device") == 1, "the browser's mark is read again"
    stranger = site.visitor("en")
    for name, value in (("lang", "hu"), ("theme", "dark")):
        stranger.client.set_cookie(name, value)
    (html,) = stranger.open(FIRST).root.all("html")
    assert html["lang"] == "en", "what another host may have set counts for nothing"
    assert "data-theme" not in html


def test_cookies_are_closed(site: Site, make_site: Callable[..., Site]) -> None:
    answer = site.app.test_client().get(f"{FIRST}?lang=en")
    for cookie in answer.headers.getlist("Set-Cookie"):
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Domain" not in cookie
    secure = make_site(public_url="https://portal.example.hu").app.test_client().get(f"{FIRST}?lang=en")
    cookies = secure.headers.getlist("Set-Cookie")
    assert all("Secure" in cookie for cookie in cookies)
    assert any(cookie.startswith("__Host-session=") and "Path=/" in cookie for cookie in cookies)
    assert "max-age=31536000" in secure.headers["Strict-Transport-Security"]
    assert "Strict-Transport-Security" not in answer.headers


def test_internet_explorer_is_told_which_browsers_do(site: Site) -> None:
    agent = "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko"
    for address in ("/", FIRST):
        answer = site.app.test_client().get(address, headers={"User-Agent": agent, "Accept-Language": "hu"})
        assert site.say("ie.title") in answer.text
        assert "<script" not in answer.text


@pytest.mark.parametrize("address", ["/healthz", "/readyz", "/metrics", "/api/v1/openapi.json", "/api/v1/nothing"])
def test_a_program_is_answered_as_a_program_whatever_it_calls_itself(site: Site, address: str) -> None:
    client = site.app.test_client()
    agent = "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1; Trident/7.0)"
    answer, plain = client.get(address, headers={"User-Agent": agent}), client.get(address)
    assert (answer.status_code, answer.mimetype) == (plain.status_code, plain.mimetype)
    assert answer.mimetype != "text/html"


def test_an_invitations_policy_number_is_filled_in_and_escaped(visitor: Visitor) -> None:
    page = visitor.open(f"{FIRST}?policy_number=%22%3E%3Cscript%3E%00940000001")
    assert page.value("policy_number") == '"><script>940000001'
    assert not [script for script in page.root.all("script") if not script["src"]]


def test_figures_are_for_this_machine_alone(site: Site, make_site: Callable[..., Site]) -> None:
    client = site.app.test_client()
    assert b"belepo_accounts" in client.get("/metrics").data
    assert b"belepo_webhooks_waiting 0" in client.get("/metrics").data
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "::ffff:127.0.0.1"}).status_code == 200
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "::ffff:203.0.113.9"}).status_code == 404
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 404
    assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404
    guarded = make_site(metrics_token="long-enough-token").app.test_client()
    assert guarded.get("/metrics").status_code == 404
    for given, status in (("Bearer long-enough-token", 200), ("Bearer long-enough-tokem", 404), ("Bearer é", 404)):
        assert guarded.get("/metrics", headers={"Authorization": given}).status_code == status


@pytest.mark.parametrize("address", ["/ugyfelszolgalat/belepes", "/ugyfelszolgalat/kereses", "/partner/belepes"])
def test_a_page_that_answers_a_form_is_left_for_one_that_can_be_opened(
    site: Site, visitor: Visitor, address: str
) -> None:
    """By the links of the languages and by the choice of light or dark."""
    visitor.open("/ugyfelszolgalat")
    page = visitor.follow(visitor.post(address, {"policy_number": "", "email": "", "password": ""}))
    (english,) = [link["href"] for link in page.root.all("a") if "lang=en" in link["href"]]
    assert visitor.open(english).status == 200
    chosen = visitor.follow(visitor.post("/megjelenes", {"theme": "dark", "next": page.value("next")}))
    assert (chosen.status, chosen.step) == (200, "staff-login")


def test_the_language_is_chosen_while_a_new_password_is_mended(site: Site) -> None:
    site.open_account()
    visitor = site.visitor()
    visitor.ask_for_reset()
    visitor.open(site.link(ANNA.email))
    page = visitor.give_password("Rovid")
    assert (page.status, page.step) == (422, "reset")
    (english,) = [link["href"] for link in page.root.all("a") if "lang=en" in link["href"]]
    page = visitor.open(english)
    assert (page.language, page.step) == ("en", "reset")
