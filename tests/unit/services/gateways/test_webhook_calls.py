"""Calls of endpoints: over https or on this machine, to public addresses, without redirects, in limited time (P42)."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from services.events.calls import CallFailed
from services.gateways.webhooks import HttpCaller

BODY = b'{"id":1}'


class Endpoint(ThreadingHTTPServer):
    """An endpoint on this machine, which answers as a test tells it and keeps what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: Callable[[_Handler], None] = lambda handler: handler.answer(204)
        self.ended = threading.Event()

    def url(self, scheme: str = "http") -> str:
        return f"{scheme}://localhost:{self.server_port}/events?of=belepo"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of callers that leave."""


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers.items()), body))
        self.server.answers(self)

    do_GET = do_POST

    def answer(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    server = Endpoint()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.ended.set()
    server.shutdown()
    thread.join()
    server.server_close()


def fails(url: str, caller: HttpCaller | None = None) -> str:
    with pytest.raises(CallFailed) as failure:
        (caller or HttpCaller(allows_private=False)).post(url, {}, BODY)
    return str(failure.value)


@contextmanager
def leads_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> Iterator[list[tuple[Any, ...]]]:
    """Let every name lead to these addresses; yield those that are called, of which none answers."""
    called: list[tuple[Any, ...]] = []

    def found(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    def refused(address: tuple[Any, ...], *_: Any) -> None:
        called.append(address)
        raise ConnectionRefusedError

    with monkeypatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", found)
        patch.setattr(socket, "create_connection", refused)
        yield called


def test_an_endpoint_gets_the_call_as_it_is(endpoint: Endpoint) -> None:
    HttpCaller(allows_private=False).post(endpoint.url(), {"webhook-id": "event_1"}, BODY)
    ((path, headers, body),) = endpoint.got
    assert (path, body) == ("/events?of=belepo", BODY)
    assert headers["webhook-id"] == "event_1"
    assert headers["Content-Type"] == "application/json"
    assert headers["Host"] == f"localhost:{endpoint.server_port}"


@pytest.mark.parametrize("status", [302, 304, 307, 400, 410, 500])
def test_all_but_2xx_is_a_failure_and_no_redirect_is_followed(endpoint: Endpoint, status: int) -> None:
    endpoint.answers = lambda handler: handler.answer(status, Location=endpoint.url())
    assert fails(endpoint.url()) == f"HTTP {status}"
    assert len(endpoint.got) == 1


def test_nobody_there_is_a_failure(endpoint: Endpoint) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        assert "ConnectionRefused" in fails(f"http://127.0.0.1:{nobody.getsockname()[1]}/")


def test_one_that_says_nothing_is_left(endpoint: Endpoint) -> None:
    endpoint.answers = lambda handler: handler.server.ended.wait(20) and None
    assert fails(endpoint.url(), HttpCaller(allows_private=False, step_seconds=0.2)) == "no answer"


def test_one_that_drips_is_left(endpoint: Endpoint) -> None:
    def drips(handler: _Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while not handler.server.ended.wait(0.05):
            handler.wfile.write(b"x")

    endpoint.answers = drips
    assert fails(endpoint.url(), HttpCaller(allows_private=False, step_seconds=5, all_seconds=0.5)) == "no answer"


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "169.254.169.254", "0.0.0.0",
        "224.0.0.1", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "2002:a00:1::",
    ],
)  # fmt: skip
def test_a_name_that_leads_inside_is_not_called(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    with leads_to(monkeypatch, address) as called:
        assert "public" in fails("https://insurer.example/")
    assert called == []


def test_a_public_address_is_called_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    with leads_to(monkeypatch, "10.0.0.1", "93.184.215.14") as called:
        fails("https://insurer.example/")
    assert called == [("93.184.215.14", 443)]


def test_a_setting_opens_private_networks_and_not_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    caller = HttpCaller(allows_private=True)
    for address in ("127.0.0.1", "169.254.169.254"):
        with leads_to(monkeypatch, address) as called:
            fails("https://insurer.example/", caller)
        assert called == []
    with leads_to(monkeypatch, "10.0.0.1") as called:
        fails("https://insurer.example/", caller)
    assert called == [("10.0.0.1", 443)]


def test_localhost_is_this_machine_whatever_the_resolver_says(monkeypatch: pytest.MonkeyPatch) -> None:
    with leads_to(monkeypatch, "93.184.215.14") as called:
        fails("http://localhost/")
    assert called == []


def test_certificates_are_checked(endpoint: Endpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = _secure(endpoint, tmp_path)
    assert fails(endpoint.url("https")) == "its certificate is not valid"
    assert endpoint.got == []
    # As an operator adds an authority of their own.
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    HttpCaller(allows_private=False).post(endpoint.url("https"), {}, BODY)
    assert len(endpoint.got) == 1
    assert "certificate" in fails(endpoint.url("https").replace("localhost", "127.0.0.1"))


def _secure(endpoint: Endpoint, folder: Path) -> Path:
    """Let an endpoint speak TLS as localhost, and return its certificate."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    file = folder / "endpoint.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(certificate.public_bytes(Encoding.PEM) + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    endpoint.socket = context.wrap_socket(endpoint.socket, server_side=True, do_handshake_on_connect=False)
    return file
