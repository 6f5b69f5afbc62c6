"""What reaches the application through the front of `belepo serve`, and what does not."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest
from flask import Flask, request

from webapp.cli import front
from webapp.cli.front import Front

_LARGEST = 100


def _pages(largest: int) -> Flask:
    app = Flask("pages")
    app.config["MAX_CONTENT_LENGTH"] = largest

    @app.post("/<path:path>")
    def page(path: str) -> str:
        told = [path, request.query_string.decode(), request.get_data(as_text=True), *request.cookies.values()]
        return "|".join(told)

    return app


def _front(pages: Any, largest: int = _LARGEST) -> Front:
    return Front(
        pages, threads=4, largest_body=lambda *_: largest, may_send=lambda environ: "HTTP_AUTHORIZATION" in environ
    )


def _ask(
    chunks: Iterable[bytes | None],
    headers: Iterable[tuple[bytes, bytes]] = (),
    path: bytes = b"/page",
    *,
    largest: int = _LARGEST,
) -> tuple[int, str]:
    """Send a request; None among its chunks is where the client leaves. Return status and text, or 0 without answer."""
    scope = {
        "type": "http",
        "method": "POST",
        "http_version": "1.1",
        "scheme": "http",
        "raw_path": path,
        "query_string": b"q=%C3%A9",
        "client": ("203.0.113.9", "5000"),
        "server": ("127.0.0.1", "8000"),
        "headers": [(b"host", b"localhost"), *headers],
    }
    waiting = list(chunks)
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        if not waiting:
            await asyncio.Event().wait()
        chunk = waiting.pop(0)
        if chunk is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": chunk, "more_body": chunk != b""}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(_front(_pages(largest), largest)(scope, receive, send))
    return (sent[0]["status"], b"".join(one["body"] for one in sent[1:]).decode()) if sent else (0, "")


def test_a_whole_request_reaches_the_application() -> None:
    answer = _ask([b"one ", b"two", b""], [(b"content-length", b"7"), (b"cookie", b"a=1"), (b"cookie", b"b=2")])
    assert answer == (200, "page|q=%C3%A9|one two|1|2")


def test_a_cookie_with_other_letters_costs_itself_alone() -> None:
    assert _ask([b""], [(b"cookie", "name=Éva; good=1".encode())])[1].endswith("|1")


def test_an_address_keeps_its_letters() -> None:
    assert _ask([b""], path=b"/f%C3%A9l%2Fe")[1].startswith("fél/e|")


def test_a_body_that_does_not_come_ends_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "_BODY_SECONDS", 0.01)
    assert _ask([b"one"], [(b"content-length", b"7")])[0] == 408


def test_a_client_that_leaves_gets_no_answer() -> None:
    assert _ask([b"one ", None], [(b"content-length", b"7")]) == (0, "")


@pytest.mark.parametrize(
    ("chunks", "header"),
    [
        ([], (b"content-length", b"101")),
        ([b"x" * 60, b"x" * 60], (b"transfer-encoding", b"chunked")),
    ],
)
def test_a_body_that_is_too_large_is_refused_unread(chunks: list[bytes], header: tuple[bytes, bytes]) -> None:
    assert _ask(chunks, [header])[0] == 413


_LARGE = 1024 * 1024
_PROMISED = [(b"content-length", str(_LARGE).encode())], [(b"transfer-encoding", b"chunked")]


@pytest.mark.parametrize("headers", _PROMISED)
def test_nothing_is_read_of_a_large_body_whose_sender_may_not_send_it(headers: list[tuple[bytes, bytes]]) -> None:
    assert _ask([], headers, largest=_LARGE) == (200, "page|q=%C3%A9|")


@pytest.mark.parametrize("headers", _PROMISED)
def test_a_large_body_is_read_of_whoever_may_send_it(headers: list[tuple[bytes, bytes]]) -> None:
    answer = _ask([b"x" * _LARGE, b""], [*headers, (b"authorization", b"Bearer one")], largest=_LARGE)
    assert answer == (200, f"page|q=%C3%A9|{'x' * _LARGE}")


def test_a_body_that_fits_into_memory_is_nobodys_question() -> None:
    assert _ask([b"one", b""], [(b"content-length", b"3")], largest=_LARGE) == (200, "page|q=%C3%A9|one")


def _sent_by(pages: Any) -> list[dict[str, Any]]:
    """Return what the front sends of an answer."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "http_version": "1.1", "scheme": "http", "raw_path": b"/",
        "query_string": b"", "client": ("203.0.113.9", "5000"), "server": ("127.0.0.1", "8000"),
        "headers": [(b"host", b"localhost")],
    }  # fmt: skip
    asyncio.run(_front(pages)(scope, receive, send))
    return sent


@pytest.mark.parametrize("size", [0, 1, 256 * 1024 - 1, 256 * 1024, 3 * 256 * 1024 + 5])
def test_a_long_answer_is_sent_in_pieces(size: int) -> None:
    def pages(environ: Any, start: Any) -> Iterable[bytes]:
        start("200 OK", [])
        return (b"x" * min(100_000, size - at) for at in range(0, size, 100_000))

    sent = _sent_by(pages)
    assert max(len(one["body"]) for one in sent[1:]) <= 256 * 1024
    assert b"".join(one["body"] for one in sent[1:]) == b"x" * size
    assert [one.get("more_body", False) for one in sent[1:]] == [True] * (len(sent) - 2) + [False]


def test_an_answer_that_breaks_off_is_no_half_one() -> None:
    def pages(environ: Any, start: Any) -> Iterable[bytes]:
        start("200 OK", [])
        yield b"half"
        raise OSError

    sent = _sent_by(pages)
    assert sent[0]["status"] == 503
    assert b"half" not in sent[1]["body"]
