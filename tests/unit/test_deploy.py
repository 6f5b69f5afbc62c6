"""What operators install beside the wheel: each file by its own tool where there is one, and by what it names."""

import json
import re
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from http.client import HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.request import HTTPErrorProcessor, HTTPSHandler, Request, build_opener

import pytest
import yaml

from tests import ROOT
from tests.world import nginx
from tests.world.nginx import Nginx
from webapp.cli.main import main
from webapp.http.bodies import largest_body
from webapp.settings import Settings

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
TEXTS = sorted(file for file in DEPLOY.rglob("*") if file.is_file())
METRICS = {
    name
    for file in (ROOT / "webapp" / "operations").rglob("*.py")
    for name in re.findall(r"\bbelepo_\w+", file.read_text("utf-8"))
}
_DASHBOARD = json.loads((DEPLOY / "grafana" / "belepo.json").read_text("utf-8"))
_RULES = yaml.safe_load((DEPLOY / "prometheus" / "belepo.rules.yml").read_text("utf-8"))
_COMPOSE = yaml.safe_load((DEPLOY / "container" / "compose.yaml").read_text("utf-8"))
EXPRESSIONS = [
    *(target["expr"] for panel in _DASHBOARD["panels"] for target in panel["targets"]),
    *(rule["expr"] for group in _RULES["groups"] for rule in group["rules"]),
]

needs_nginx = pytest.mark.skipif(nginx.PROGRAM is None, reason="this machine has no nginx")


def _needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"this machine has no {program}")


# --- What they name is there -----------------------------------------------------------------------------------


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: file.name)
def test_each_setting_named_is_one(file: Path) -> None:
    named = set(re.findall(r"\bBELEPO_([A-Z_]+)", file.read_text("utf-8"))) - {"SETTINGS_FILE"}
    assert {name for name in named if name.lower() not in Settings.model_fields} == set()


def test_the_example_of_settings_has_those_that_are_required() -> None:
    required = {
        f"BELEPO_{name.upper()}"
        for name, field in Settings.model_fields.items()
        if (field.description or "").startswith("Required.")
    }
    assert len(required) == 4
    assert required <= set(re.findall(r"^(\w+)=", (DEPLOY / "belepo.env.example").read_text("utf-8"), re.M))


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_each_metric_of_an_alarm_or_a_panel_is_measured(expression: str) -> None:
    named = set(re.findall(r"\bbelepo_\w+", expression))
    assert named or "up{" in expression
    assert {re.sub("_(bucket|sum|count)$", "", name) for name in named} <= METRICS | named & METRICS


def test_each_alarm_says_what_is_wrong_and_how_urgent_it_is() -> None:
    guide = (ROOT / "docs" / "how-to" / "operate.md").read_text("utf-8")
    for group in _RULES["groups"]:
        for rule in group["rules"]:
            assert rule["labels"]["severity"] in ("page", "ticket")
            assert rule["annotations"]["summary"].endswith(".")
            assert f"`{rule['alert']}`" in guide


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_runs_a_command_that_there_is(unit: Path) -> None:
    (command,) = re.findall(r"^ExecStart=/opt/belepo/bin/belepo (.+)$", unit.read_text("utf-8"), re.M)
    _judge_command(command.split())


def test_a_unit_lets_work_in_progress_finish() -> None:
    for unit in UNITS:
        text = unit.read_text("utf-8")
        assert "KillMode=mixed" in text
        assert "TimeoutStopSec=90" in text
        assert "NoNewPrivileges=yes" in text
        assert "ProtectSystem=strict" in text


def test_containers_run_commands_that_there_are() -> None:
    ours = {name: one for name, one in _COMPOSE["services"].items() if one["image"] == "belepo"}
    assert {"migrate", "serve", "serve-two", "worker"} == set(ours)
    for one in ours.values():
        _judge_command(one["command"].split())
        assert one["init"]
        assert (DEPLOY / "container" / one["build"]["context"] / one["build"]["dockerfile"]).is_file()
        for name in one["depends_on"]:
            assert name in _COMPOSE["services"]


def test_the_container_is_built_of_what_is_there() -> None:
    text = (DEPLOY / "container" / "Containerfile").read_text("utf-8")
    for sources in re.findall(r"^COPY (?!--)(.+) \S+$", text, re.M):
        for source in sources.split():
            assert (ROOT / source).exists(), source
    assert re.findall(r'^ENTRYPOINT \["(.+)"\]$', text, re.M) == ["belepo"]
    (command,) = re.findall(r'^CMD \["(.+)"\]$', text, re.M)
    _judge_command([command])
    for target in re.findall(r"^RUN make (\w+)$", text, re.M):
        assert f"\n{target}:" in (ROOT / "Makefile").read_text("utf-8")


def _judge_command(words: list[str]) -> None:
    command = main.get_command(None, words[0])  # type: ignore[arg-type]
    assert command is not None, words
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert set(words[1:]) <= options


# --- Each by its own tool --------------------------------------------------------------------------------------


@_needs("systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_takes_the_unit(unit: Path, tmp_path: Path) -> None:
    copy = tmp_path / unit.name
    copy.write_text(unit.read_text("utf-8").replace("/opt/belepo/bin/belepo", "/bin/true"), "utf-8")
    assert _run("systemd-analyze", "verify", str(copy)) == ""
    level = _run("systemd-analyze", "security", "--offline=yes", str(copy))
    assert float(re.findall(r"exposure level for .+: ([\d.]+)", level)[0]) < 2.5


@_needs("promtool")
def test_prometheus_takes_the_rules_and_they_fire_when_they_should() -> None:
    _run("promtool", "check", "rules", str(DEPLOY / "prometheus" / "belepo.rules.yml"))
    _run("promtool", "test", "rules", str(DEPLOY / "prometheus" / "belepo.rules.test.yml"))


@needs_nginx
def test_nginx_takes_the_site(tmp_path: Path) -> None:
    done = Nginx(tmp_path, [8000]).judge()
    assert done.returncode == 0, done.stderr
    assert "warn" not in done.stderr.replace("listen ... http2", "")


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + (done.stderr if "verify" in command else "")


# --- What nginx passes on, and what it writes down ---------------------------------------------------------------


class _Application(BaseHTTPRequestHandler):
    """Answers 502 where it is asked to, and keeps what came."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, dict[str, str]]]

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        self.send_response(502 if "broken" in self.path else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _NoErrors(HTTPErrorProcessor):
    def https_response(self, request: Request, response: HTTPResponse) -> HTTPResponse:  # type: ignore[override]
        return response


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[Nginx]:
    """nginx in front of an application that keeps what it is sent."""
    _Application.seen = []
    application = ThreadingHTTPServer(("127.0.0.1", 0), _Application)
    application.daemon_threads = True
    threading.Thread(target=application.serve_forever, daemon=True).start()
    site = Nginx(tmp_path, [application.server_port])
    with site.running():
        yield site
    application.shutdown()
    application.server_close()


def _ask(site: Nginx, address: str, **headers: str) -> int:
    opener = build_opener(HTTPSHandler(context=ssl.create_default_context(cafile=str(site.ca))), _NoErrors)
    request = Request(f"https://localhost:{site.port}{address}", headers={"Host": nginx.HOST, **headers})
    with opener.open(request, timeout=30) as answer:
        return int(answer.status)


@needs_nginx
def test_no_query_comes_into_a_log(proxied: Nginx) -> None:
    secret = "mailed-token-1234"
    assert _ask(proxied, f"/regisztracio?token={secret}", Referer=f"https://{nginx.HOST}/?token={secret}") == 200
    assert _ask(proxied, f"/broken?token={secret}") == 502
    deadline = time.monotonic() + 10
    while proxied.log.read_text("utf-8").count("\n") < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    logged = proxied.log.read_text("utf-8") + proxied.error_log.read_text("utf-8")
    assert "/regisztracio 200" in logged
    assert "/broken 502" in logged
    assert secret not in logged


@needs_nginx
def test_a_client_cannot_say_who_it_is(proxied: Nginx) -> None:
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "elsewhere.example"}
    assert _ask(proxied, "/", **forged, X_Forwarded_For="203.0.113.8") == 200
    ((_, came),) = _Application.seen
    assert came["host"] == nginx.HOST
    assert came["x-forwarded-for"] == "127.0.0.1"
    assert came["x-forwarded-proto"] == "https"
    assert "x-forwarded-host" not in came
    assert not [name for name in came if "_" in name]
    assert len(came["x-request-id"]) == 32


@needs_nginx
@pytest.mark.parametrize("address", ["/metrics", "/dev/states", "/dev/"])
def test_operators_and_testers_doors_are_closed(proxied: Nginx, address: str) -> None:
    assert _ask(proxied, address) == 404
    assert _Application.seen == []


def test_the_largest_file_passes() -> None:
    (megabytes,) = re.findall(r"client_max_body_size (\d+)m;", nginx.SITE.read_text("utf-8"))
    assert int(megabytes) * 1024 * 1024 >= largest_body("POST", "/ugyintezes/1/fajlok")
