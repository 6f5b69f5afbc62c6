"""What `/metrics` tells of requests, messages and workers, for one process and for several."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from services.passwords.hashing import Hasher
from services.store.tables.messages import outbox
from tests import ROOT
from tests.world.cast import ANNA
from tests.world.served import Server
from tests.world.site import Site
from webapp.http import series

ANSWERS = 'belepo_answers_total{method="GET",route="/aszf",status="200"}'


def _metrics(site: Site) -> dict[str, float]:
    text = site.app.test_client().get("/metrics").text
    return {name: float(value) for name, value in re.findall(r"^(belepo_[^ ]+) (.+)$", text, re.M)}


def test_answers_are_counted_and_timed_by_route(site: Site) -> None:
    before = _metrics(site).get(ANSWERS, 0)
    client = site.app.test_client()
    client.get("/aszf")
    client.get("/aszf?token=secret")
    client.open("/no/such/address", method="BREW")
    after = _metrics(site)
    assert after[ANSWERS] == before + 2
    assert after['belepo_request_seconds_bucket{le="+Inf",method="GET",route="/aszf"}'] >= 2
    assert after['belepo_answers_total{method="other",route="unknown",status="404"}'] >= 1
    assert not [name for name in after if "secret" in name or "no/such" in name]


def test_messages_that_wait_and_text_messages_by_result(site: Site) -> None:
    visitor = site.visitor()
    visitor.walk_to("sms-code")
    site.messages(ANNA.mobile)
    found = _metrics(site)
    assert found["belepo_messages_oldest_seconds"] == 0
    assert found['belepo_sms_today{result="delivered"}'] == found['belepo_sms_today{result="sent"}'] == 1
    with site.parts.store.write() as connection:
        connection.execute(outbox.update().values(state="waiting"))
    site.advance(seconds=90)
    assert 90 <= _metrics(site)["belepo_messages_oldest_seconds"] <= 95


def test_a_worker_is_seen_until_it_ends_in_order(site: Site) -> None:
    beats = site.parts.health.heartbeats
    beats.beat("first.example")
    beats.beat("second.example")
    site.advance(seconds=40)
    beats.beat("second.example")
    found = _metrics(site)
    assert 40 <= found['belepo_worker_seen_seconds{machine="first.example"}'] <= 45
    assert found['belepo_worker_seen_seconds{machine="second.example"}'] <= 5
    beats.end("second.example")
    assert 'belepo_worker_seen_seconds{machine="second.example"}' not in _metrics(site)
    site.advance(days=1)
    beats.beat("third.example")
    assert list(beats.ages()) == ["third.example"]


def test_what_waits_for_a_hash_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    hasher = Hasher(4, threads=1, watch=seen.append)
    hasher.hash("a password")
    assert seen == [1, -1]


def test_processes_share_what_they_measure_and_the_dead_wait_for_nothing(tmp_path: Path) -> None:
    code = (
        "import os; from webapp.http import series; series.HASHES_WAITING.inc({waiting}); "
        "series.note_answer('GET', '/aszf', 200, 0.1); print(series.measured() and os.getpid())"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), series.FOLDER: str(tmp_path)}
    for waiting in (3, 4):
        command = [sys.executable, "-c", code.format(waiting=waiting)]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    code = "from prometheus_client import generate_latest; from webapp.http import series; \
print(generate_latest(series.measured()).decode())"
    done = subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True, text=True)
    assert 'belepo_answers_total{method="GET",route="/aszf",status="200"} 2.0' in done.stdout
    assert "belepo_hashes_waiting 7" not in done.stdout


def test_a_server_of_two_processes_answers_for_both(tmp_path: Path) -> None:
    running: Any = Server(tmp_path, WORKERS="2")
    try:
        for _ in range(20):
            assert running.ask("Host: localhost", address="/aszf") == 200
        with running.connect(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n") as connection:
            text = connection.makefile("rb").read().decode()
        assert f"{ANSWERS} 20.0" in text
        assert "belepo_worker_seen_seconds" in text
    finally:
        running.end()
