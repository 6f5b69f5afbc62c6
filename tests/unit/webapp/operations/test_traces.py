"""What a collector of traces gets, and that nobody without the setting pays for it."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests import ROOT
from tests.world.site import Site

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Collector:
    """Takes spans by OTLP over HTTP, as long as a test wants some."""

    def __init__(self) -> None:
        self.spans: list[object] = []
        self.news = threading.Condition()

    def take(self, body: bytes) -> None:
        sent = ExportTraceServiceRequest.FromString(body)
        with self.news:
            for resource in sent.resource_spans:
                for scope in resource.scope_spans:
                    self.spans += scope.spans
            self.news.notify_all()

    def requests(self, count: int) -> list[object]:
        with self.news:
            assert self.news.wait_for(lambda: len(self._requests()) >= count, timeout=30)
            return self._requests()

    def _requests(self) -> list[object]:
        return [span for span in self.spans if any(one.key == "http.route" for one in span.attributes)]


@pytest.fixture
def collector() -> Iterator[tuple[Collector, str]]:
    """A collector, and its address."""
    made = Collector()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield made, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("proxies", [0, 1])
def test_a_request_is_a_span_by_its_route_with_its_statements(
    make_site: Callable[..., Site], collector: tuple[Collector, str], monkeypatch: pytest.MonkeyPatch, proxies: int
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
    took, address = collector
    client = make_site(traces_url=address, trusted_proxies=proxies).app.test_client()
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
    answer = client.get("/regisztracioveglegesites?token=a-secret", headers=headers)
    (span,) = took.requests(1)
    facts = {one.key: one.value.string_value or one.value.int_value for one in span.attributes}
    assert span.name == "GET /regisztracioveglegesites"
    assert facts["http.response.status_code"] == 404
    assert facts["belepo.request_id"] == answer.headers["X-Request-ID"]
    assert (span.trace_id.hex() == TRACE) is bool(proxies)
    assert "a-secret" not in str(took.spans)
    client.get("/readyz")
    (_, ready) = took.requests(2)
    statements = [one for one in took.spans if one.parent_span_id == ready.span_id]
    assert statements


def test_without_the_setting_nothing_of_it_is_loaded() -> None:
    code = "import sys, webapp.application; sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
