"""The API keeps what its document says: schemathesis tries everything that it allows, and what it does not."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from services.clients import SCOPES
from tests import ROOT
from tests.world.site import Site

HERE = Path(__file__).parent
OPERATIONS = {
    "findCustomer", "startRegistration", "readRegistration", "sendCode", "checkCode", "startPasswordReset",
    "readReference", "publishDocument", "readDocument", "withdrawDocument", "readCertificate",
    "putInvoice", "readInvoice", "readEvents", "readRequest", "readRequestFile", "takeRequest", "askAboutRequest",
    "answerRequest", "closeRequest",
}  # fmt: skip


class _Silent(WSGIRequestHandler):
    """Whatever is tried is not logged by the test's server."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def served(site: Site) -> Iterator[str]:
    """Serve a site on this machine; every request comes from another address, so that wrong keys need not wait."""
    requests = count()

    def from_everywhere(environ: dict[str, Any], start_response: Any) -> Any:
        number = next(requests)
        environ["REMOTE_ADDR"] = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
        return site.app.wsgi_app(environ, start_response)

    server = make_server("127.0.0.1", 0, from_everywhere, threaded=True, request_handler=_Silent)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_schemathesis_finds_nothing(make_site: Callable[..., Site], tmp_path: Path) -> None:
    site = make_site(api_requests_a_minute=1_000_000)
    _, key = site.parts.clients.api_keys.add("schemathesis", SCOPES)
    with served(site) as address:
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")),
                f"--config-file={HERE / 'schemathesis.toml'}",
                "run", f"{address}/api/v1/openapi.json", f"--url={address}",
                "--header", f"Authorization: Bearer {key}",
                "--checks=all", "--seed=20261121", "--max-examples=15", "--generation-database=none", "--no-color",
            ],
            cwd=tmp_path,
            env={**os.environ, "SCHEMATHESIS_HOOKS": str(HERE / "schemathesis_hooks.py"), "BELEPO_TESTED": address},
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert f"{len(OPERATIONS)} selected / {len(OPERATIONS)} total" in done.stdout
    # It got somewhere: registrations were begun, followed by their links, and some got past their code.
    covered = re.search(r"API Links:\s+(\d+) covered", done.stdout)
    assert covered is not None
    assert int(covered[1]) >= 3, done.stdout
    assert len(site.rows("staff_cases")) >= 3
    assert site.rows("registrations")


def test_the_document_is_openapi_3_1_and_names_every_operation(site: Site) -> None:
    answer = site.app.test_client().get("/api/v1/openapi.json")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    document = json.loads(answer.data)
    assert document["openapi"].startswith("3.1")
    found = {one["operationId"] for methods in document["paths"].values() for one in methods.values()}
    assert found == OPERATIONS
    assert document["servers"] == [{"url": site.parts.settings.public_url}]
    described = (ROOT / "docs" / "reference" / "api.md").read_text("utf-8")
    for path, methods in document["paths"].items():
        for method in methods:
            assert f"| `{method.upper()} {path.removeprefix('/api/v1')}` |" in described


def test_its_patterns_are_those_of_javascript(site: Site) -> None:
    """JSON Schema's are ECMA-262's, in Unicode mode: what is escaped there has a meaning, or is a sign of syntax."""
    text = site.app.test_client().get("/api/v1/openapi.json").text
    patterns = [json.loads(one) for one in re.findall(r'"pattern":\s*("(?:[^"\\]|\\.)*")', text)]
    assert patterns
    for pattern in patterns:
        assert set(re.findall(r"\\(.)", pattern)) <= set(r"^$\.*+?()[]{}|/" + "dDwWsSbBfnrtvcxu0"), pattern
        assert not re.search(r"\(\?(?!:|=|!|<=|<!|<[A-Za-z])", pattern), pattern


@pytest.mark.parametrize("language", ["hu", "en"])
def test_the_page_asks_nobody_else_and_leads_everywhere(site: Site, language: str) -> None:
    answer = site.app.test_client().get("/api/v1/docs", headers={"Accept-Language": language})
    assert answer.status_code == 200
    # What it describes is written in English, so all of it is, whatever the browser prefers.
    assert answer.headers["Content-Language"] == "en"
    page = answer.text
    assert '<html lang="en">' in page
    assert "<script" not in page
    assert "style=" not in page
    assert not [one for one in re.findall(r'(?:src|href)="([^"]+)"', page) if one.startswith(("http", "//"))]
    marks = set(re.findall(r'id="([^"]+)"', page))
    wanted = {one[1:] for one in re.findall(r'href="(#[^"]+)"', page)}
    assert wanted <= marks
    assert marks >= OPERATIONS
    for kind in re.findall(r'href="(/api/v1/problems/[^"]+)"', page):
        assert site.app.test_client().get(kind).status_code == 200


def test_a_kind_of_problem_that_there_is_not(site: Site) -> None:
    answer = site.app.test_client().get("/api/v1/problems/nonsense")
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
