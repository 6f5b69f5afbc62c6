"""`belepo serve` and `belepo worker`, as processes that the system starts and stops."""

import os
import shutil
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from click.testing import CliRunner

from services.profiles import find
from tests.world.served import Server
from webapp.cli.main import main

_ON_LINUX = pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="elsewhere no signal can be sent by way of one thread"
)


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


_WITH_IPV6 = pytest.mark.skipif(not _has_ipv6(), reason="this machine has no IPv6")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server for one test, which may stop it."""
    running = Server(tmp_path)
    yield running
    running.end()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with four threads, for tests that only ask."""
    running = Server(tmp_path_factory.mktemp("small"), THREADS="4")
    yield running
    running.end()


def _signal_by_way_of_another_thread(process: int) -> None:
    """As the system does now and then: it hands a process's signal to the thread that is named here."""
    threads = {int(thread.name) for thread in Path(f"/proc/{process}/task").iterdir()}
    os.kill(max(threads - {process}), signal.SIGTERM)


@_ON_LINUX
def test_a_signal_stops_the_server_whichever_thread_gets_it(server: Server) -> None:
    """Were one lost, a stop would wait for somebody to kill the process."""
    _signal_by_way_of_another_thread(server.process.pid)
    assert server.process.wait(25) == 0


@_ON_LINUX
def test_a_signal_stops_a_worker_too_and_another_takes_its_place(server: Server) -> None:
    """Were one lost, a stop would wait half a minute, and the worker be killed with what it has counted."""
    _signal_by_way_of_another_thread(server.worker.pid)
    server.worker.wait(25)
    server.wait_for_answer()
    server.process.terminate()
    assert server.process.wait(25) == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_new_workers_take_over_without_a_request_refused(tmp_path: Path, workers: int) -> None:
    running = Server(tmp_path, WORKERS=str(workers))
    try:
        old = running.workers()
        assert len(old) == workers
        running.process.send_signal(signal.SIGHUP)
        while any(worker.is_running() for worker in old):
            assert running.ask("Host: localhost") == 200
        new = running.workers()
        assert len(new) == workers
        assert not set(new) & set(old)
    finally:
        running.end()


@pytest.mark.parametrize(
    ("file", "right", "wrong", "told"),
    [
        (
            "insurer/profile.toml",
            'brand = "#0d5c63"',
            'brand = "#b5d9c0"',
            "brand #b5d9c0 on #ffffff has a contrast of",
        ),
        ("belepo.env", "BELEPO_REQUESTS_A_MINUTE=3000", "BELEPO_REQUESTS_A_MINUTE=few", "BELEPO_REQUESTS_A_MINUTE"),
        ("belepo.env", "BELEPO_LIMITS_URL=memory://", "BELEPO_LIMITS_URL=memroy://", "BELEPO_LIMITS_URL"),
    ],
)
def test_a_mistake_in_what_new_workers_would_read_stops_no_old_one(
    tmp_path: Path, file: str, right: str, wrong: str, told: str
) -> None:
    shutil.copytree(find("mygenerali").parent, tmp_path / "insurer")
    (tmp_path / "belepo.env").write_text("BELEPO_REQUESTS_A_MINUTE=3000\nBELEPO_LIMITS_URL=memory://\n")
    running = Server(
        tmp_path, PROFILE=str(tmp_path / "insurer/profile.toml"), SETTINGS_FILE=str(tmp_path / "belepo.env")
    )
    try:
        old = running.workers()
        text = (tmp_path / file).read_text("utf-8")
        assert right in text
        (tmp_path / file).write_text(text.replace(right, wrong), "utf-8")
        running.process.send_signal(signal.SIGHUP)
        assert running.process.stderr is not None
        assert told in next((line for line in running.process.stderr if "the server goes on as it was" in line), "")
        assert running.ask("Host: localhost") == 200
        assert [worker for worker in running.workers() if worker in old] == old

        (tmp_path / file).write_text(text, "utf-8")
        running.process.send_signal(signal.SIGHUP)
        old[0].wait(60)
        assert running.ask("Host: localhost") == 200
    finally:
        running.end()


def test_nobody_answers_for_a_server_that_was_killed(server: Server) -> None:
    server.process.kill()
    server.worker.wait(25)


def test_a_port_is_not_shared_with_another_server(server: Server) -> None:
    second = server.begin()
    _, told = second.communicate(timeout=60)
    assert second.returncode == 1
    assert told.splitlines() == [
        f"Error: The server cannot listen at 127.0.0.1, port {server.port}: Address already in use."
    ]


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("localhost", "127.0.0.1"),
        pytest.param("[::1]", "::1", marks=_WITH_IPV6),
        pytest.param("::1", "::1", marks=_WITH_IPV6),
    ],
)
def test_it_listens_at_every_name_of_this_machine(tmp_path: Path, host: str, address: str) -> None:
    running = Server(tmp_path, at=address, HOST=host, PUBLIC_URL="http://localhost")
    try:
        assert running.ask("Host: localhost") == 200
    finally:
        running.end()


def test_requests_without_their_body_hold_no_thread(small: Server) -> None:
    form = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000"
    begun = b"POST /belepes HTTP/1.1\r\nHost: localhost\r\n" + form + b"\r\n\r\n?"
    with ExitStack() as unfinished:
        for _ in range(4):
            unfinished.enter_context(small.connect(begun))
        assert small.ask("Host: localhost") == 200
    assert small.ask("Host: localhost") == 200


def test_http_2_is_not_spoken(small: Server) -> None:
    """One connection of it can hold hundreds of requests."""
    no_settings = b"\0\0\0\x04\0\0\0\0\0"
    with small.connect(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + no_settings) as connection:
        assert connection.recv(100) == b""


@pytest.mark.parametrize(
    ("headers", "version", "status"),
    [
        (["Host: localhost"], "1.1", 200),
        (["Host: [::1]:8000"], "1.1", 200),
        ([], "1.0", 200),
        ([], "1.1", 400),
        (["Host:"], "1.1", 400),
        (["Host: localhost", "Host: localhost"], "1.1", 400),
        (["Host: localhost, evil.example"], "1.1", 400),
        (["Host: localhost/evil"], "1.1", 400),
    ],
)
def test_a_request_names_one_host(small: Server, headers: list[str], version: str, status: int) -> None:
    """RFC 9112, 3.2; HTTP/1.0 may leave it out."""
    assert small.ask(*headers, version=version) == status


def test_a_header_is_not_believed_by_a_name_with_underscores(small: Server) -> None:
    """A proxy overwrites `X-Forwarded-For`, and would pass the other one on as it came."""
    forged = "X_Forwarded_For: 203.0.113.9"
    assert small.ask("Host: localhost", forged, address="/metrics") == 200  # for this machine alone
    assert small.ask("Host: localhost", forged.replace("_", "-"), address="/metrics") == 404


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "The database is not up to date: run `belepo migrate`."),
        ({"DATA_DIR": "/dev/null/data"}, "Not a directory"),
        ({"DATABASE_URL": "postgresql://belepo:secret@127.0.0.1:1/belepo"}, "The database cannot be used: connection "),
        ({"MAIL_URL": "pigeon://home"}, "BELEPO_MAIL_URL: it must begin with smtp://"),
    ],
)
def test_what_keeps_the_worker_from_starting_is_said_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: dict[str, str], told: str
) -> None:
    for name, value in {"DEMO": "1", "DATA_DIR": str(tmp_path), **settings}.items():
        monkeypatch.setenv(f"BELEPO_{name}", value)
    result = CliRunner().invoke(main, ["worker"])
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit), result.exception
    assert told in result.output
    assert "secret" not in result.output
