"""Headers that other sites, proxies and browsers fill with what is no ASCII, at the server and at the application."""

import socket
from collections.abc import Iterator
from http.client import HTTPResponse
from urllib.parse import urlencode

import pytest

from tests.world.served import Server
from tests.world.site import Site


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own for this module."""
    running = Server(tmp_path_factory.mktemp("served"))
    yield running
    running.end()


def ask(
    server: Server, *headers: bytes, method: bytes = b"GET", address: bytes = b"/", body: bytes = b""
) -> tuple[HTTPResponse, str]:
    """Send these bytes; return the answer and its text."""
    lines = [
        method + b" " + address + b" HTTP/1.1",
        b"Host: 127.0.0.1:%d" % server.port,
        b"Connection: close",
        *headers,
    ]
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        answer = HTTPResponse(connection)
        answer.begin()
        return answer, answer.read().decode()


_BAD = [
    pytest.param("nev=Éva".encode(), id="utf-8"),
    pytest.param("nev=Éva".encode("latin-1"), id="latin-1"),
    pytest.param('a="Éva'.encode(), id="open quote"),
    pytest.param(b"\xff\xfe=\x80", id="name"),
]


@pytest.mark.parametrize("bad", _BAD)
@pytest.mark.parametrize("order", ["{bad}; {own}", "{own}; {bad}", "x=1;{bad};{own}"])
def test_a_bad_cookie_costs_itself_alone(site: Site, bad: bytes, order: str) -> None:
    visitor = site.visitor()
    visitor.open()
    own = visitor.client.get_cookie("session")
    assert own is not None
    cookies = order.format(bad=bad.decode("latin-1"), own=f"session={own.value}")
    answer = site.app.test_client(use_cookies=False).post(
        "/megjelenes",
        data={"csrf_token": visitor.csrf_token, "theme": "dark", "next": "/"},
        environ_overrides={"HTTP_COOKIE": cookies},
    )
    assert answer.status_code == 303


@pytest.mark.parametrize("bad", _BAD)
def test_the_server_hands_the_other_cookies_over(server: Server, bad: bytes) -> None:
    page, text = ask(server, address=b"/regisztracio")
    own = page.headers["Set-Cookie"].partition(";")[0].encode()
    token = text.partition('name="csrf_token" value="')[2].partition('"')[0]
    body = urlencode({"csrf_token": token, "theme": "dark", "next": "/"}).encode()
    form = (b"Content-Type: application/x-www-form-urlencoded", b"Content-Length: %d" % len(body))
    answer, _ = ask(server, b"Cookie: " + bad + b"; " + own, *form, method=b"POST", address=b"/megjelenes", body=body)
    assert answer.status == 303


def test_the_server_reads_other_headers_as_they_came(server: Server) -> None:
    answer, text = ask(server, "Accept-Language: en, é;q=0.5".encode(), b"Referer: \xff")
    assert answer.status == 200
    assert 'lang="en"' in text


def test_the_server_hears_no_name_with_an_underscore(server: Server) -> None:
    assert ask(server, b"HX-Request: true")[1].startswith("<title>")
    assert ask(server, b"HX_Request: true")[1].startswith("<!doctype html>")


@pytest.mark.parametrize("sized", [True, False])
def test_a_body_that_is_too_long_is_refused(server: Server, sized: bool) -> None:
    length = b"Content-Length: 100000" if sized else b"Transfer-Encoding: chunked"
    body = b"x" * 100_000 if sized else b"186a0\r\n" + b"x" * 100_000 + b"\r\n0\r\n\r\n"
    kind = b"Content-Type: application/x-www-form-urlencoded"
    assert ask(server, length, kind, method=b"POST", address=b"/belepes", body=body)[0].status == 413
