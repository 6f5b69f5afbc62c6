"""Traces by OpenTelemetry, where `BELEPO_TRACES_URL` names a collector: spans of requests and of their statements.

Loaded by that setting alone; its libraries are the extra `traces`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from services import request_ids
from services.health import Health
from webapp.http.watching import Answered, Tracing

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_PATH = "/v1/traces"


def tracing(collector: str, health: Health, *, is_behind_proxy: bool) -> Tracing:
    """Return what opens a span for each request, and begin to send them to the collector, an OTLP address over HTTP.

    A request belongs to the trace that its `traceparent` names behind a trusted proxy alone. A span has the route's
    pattern and no address; statements come without their values.
    """
    provider = TracerProvider(resource=Resource.create({"service.name": "belepo"}))
    exporter = OTLPSpanExporter(endpoint=f"{collector.rstrip('/')}{_PATH}")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    tracer, parent = provider.get_tracer("belepo"), TraceContextTextMapPropagator()

    def begin_statement(words: str) -> Callable[[], object]:
        verb = words.split(maxsplit=1)[0].upper()
        return tracer.start_span(verb, kind=SpanKind.CLIENT, attributes={"db.query.text": words}).end

    health.follow_statements(begin_statement)

    @contextmanager
    def of_request(environ: "WSGIEnvironment") -> Iterator[Answered]:
        given = {"traceparent": environ.get("HTTP_TRACEPARENT", "")} if is_behind_proxy else {}
        answered = Answered()
        with tracer.start_as_current_span("request", parent.extract(given), SpanKind.SERVER) as span:
            yield answered
            span.update_name(f"{answered.method} {answered.route}")
            span.set_attributes(
                {
                    "http.request.method": answered.method,
                    "http.route": answered.route,
                    "http.response.status_code": answered.status,
                    "belepo.request_id": request_ids.current(),
                }
            )
            if answered.status >= 500:
                span.set_status(Status(StatusCode.ERROR))

    return of_request
