"""The commands about webhooks, as an operator types them."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services import events
from services.events.calls import CallFailed
from services.gateways.webhooks import HttpCaller
from webapp.cli.doctor import Finding, examine
from webapp.cli.main import main
from webapp.parts import Parts
from webapp.settings import load
from webapp.wiring import wire

URL = "https://insurer.example/events"


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An installation of one's own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for name, value in {"DEMO": "1", "DATA_DIR": str(tmp_path), "BCRYPT_ROUNDS": "4"}.items():
        monkeypatch.setenv(f"BELEPO_{name}", value)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What endpoints are called with; all of them fail as long as nothing is taken away from here."""
    got: list[dict[str, object]] = []

    def post(_caller: HttpCaller, _url: str, _headers: object, body: bytes) -> None:
        got.append(json.loads(body))
        raise CallFailed("HTTP 500")

    monkeypatch.setattr(HttpCaller, "post", post)
    return got


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["webhook", *arguments])


def added(*arguments: str) -> str:
    """Add a webhook, and return its id."""
    answer = run("add", URL, *arguments)
    assert answer.exit_code == 0, answer.output
    found = re.fullmatch(r"id {6}(\w{12})\nsecret  whsec_[\w+/=]{44}\n", answer.output)
    assert found is not None, answer.output
    return found[1]


def happens(parts: Parts) -> None:
    """Let something happen, and the worker call for it."""
    with parts.store.write() as connection:
        events.note(connection, "request.sent", parts.clock.now(), request="r1")
    delivery = parts.clients.events.delivery
    for webhook_id in delivery.due():
        delivery.deliver(webhook_id)


def found_by_doctor(parts: Parts, subject: str) -> Finding | None:
    return next((one for one in examine(parts.settings) if one.subject == subject), None)


def test_a_webhook_is_added_listed_and_removed() -> None:
    webhook_id = added("--events", "request.*", "--events", "payment.doubled")
    listed = run("list").output
    for shown in (webhook_id, URL, "request.*", "payment.doubled", "good"):
        assert shown in listed
    assert "whsec" not in listed
    assert run("remove", webhook_id.lower()).exit_code == 0
    assert webhook_id not in run("list").output
    for command in ("remove", "retry"):
        again = run(command, webhook_id)
        assert again.exit_code == 1
        assert "no such webhook" in again.output


def test_what_cannot_be_called_is_said() -> None:
    assert "https://" in run("add", "http://insurer.example/").output
    wrong = run("add", URL, "--events", "letter.*")
    assert wrong.exit_code == 2
    assert "document.opened" in wrong.output


def test_one_that_fails_is_shown_by_list_and_doctor(calls: list[dict[str, object]]) -> None:
    webhook_id = added()
    parts = wire(load())
    assert found_by_doctor(parts, "webhooks") == Finding("webhooks", "1 in use")
    happens(parts)
    assert [call["type"] for call in calls] == ["request.sent"]
    listed = run("list").output
    assert "failing since" in listed
    assert "HTTP 500" in listed
    finding = found_by_doctor(parts, "webhook")
    assert finding is not None
    assert finding.is_bad
    assert webhook_id in finding.state
    assert run("retry", webhook_id, "--after", "7").exit_code == 2
    assert run("retry", webhook_id).exit_code == 0
    happens(parts)
    assert len(calls) == 2
    parts.store.close()
