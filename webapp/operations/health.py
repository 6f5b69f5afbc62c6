"""For operators: is it alive, can it serve, how is it doing."""

import hmac
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from flask import Blueprint, Response, abort, make_response, request
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from webapp.http import series
from webapp.operations.money import payment_figures
from webapp.parts import Parts, current_parts

Figure = tuple[str, str, float | tuple[str, Mapping[str, float]]]
"""A name, what it means, and a number; or numbers by a label's values, with the label's name."""

blueprint = Blueprint("operations", __name__)


@blueprint.get("/healthz")
def alive() -> Response:
    """Answer 200 as long as the process serves requests."""
    return _text("ok")


@blueprint.get("/readyz")
def ready() -> Response:
    """Answer 200 when the database answers, has all its tables, and takes what is written."""
    is_ready = current_parts().health.is_ready()
    return _text("ready" if is_ready else "not ready", 200 if is_ready else 503)


@blueprint.get("/metrics")
def metrics() -> Response:
    """Answer in Prometheus' format; to this machine, or to whoever has the token. Others are told there is nothing."""
    token = current_parts().settings.metrics_token
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    is_local = (
        request.remote_addr in ("127.0.0.1", "::1", "::ffff:127.0.0.1") and "X-Forwarded-For" not in request.headers
    )
    if not (hmac.compare_digest(given.encode(), token.encode()) if token else is_local):
        abort(404)
    registry = series.measured()
    response = _text((generate_latest(registry) + generate_latest(_known(current_parts()))).decode())
    response.headers["Content-Type"] = "text/plain; version=0.0.4; charset=utf-8"
    return response


class _Known(Collector):
    """What the database knows at this moment: right for any number of processes and machines."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def collect(self) -> Iterable[Metric]:
        """Yield each figure."""
        for figures in (_messages, _workers, _webhooks, _files, _requests, _counts):
            for name, words, value in figures(self._parts):
                if isinstance(value, tuple):
                    label, by_label = value
                    metric = GaugeMetricFamily(name, f"{words}.", labels=[label])
                    for key, count in by_label.items():
                        metric.add_metric([key], count)
                    yield metric
                else:
                    yield GaugeMetricFamily(name, f"{words}.", value=value)
        yield from payment_figures(self._parts)


def _known(parts: Parts) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(_Known(parts))
    return registry


def _messages(parts: Parts) -> Iterator[Figure]:
    outbox, budgets = parts.messages.outbox, parts.messages.sms_budget
    backlog = outbox.backlog()
    yield "belepo_messages", "Messages by state", ("state", outbox.counts())
    oldest = "Age of the oldest message that waits to leave, 0 where none does"
    yield "belepo_messages_oldest_seconds", oldest, _age(parts, backlog.since if backlog else None)
    yield "belepo_sms_today", "Text messages of today by result", ("result", budgets.today())
    if budget := budgets.budget():
        yield "belepo_sms_used", "Parts of text messages that have left this month", budget.used
        yield "belepo_sms_allowed", "Parts of text messages that may leave this month", budget.allowed
        stopped = "Whether the SMS budget is used up and no text message leaves"
        yield "belepo_sms_stopped", stopped, int(budget.is_stopped)


def _workers(parts: Parts) -> Iterator[Figure]:
    ages = {worker: age.total_seconds() for worker, age in parts.health.heartbeats.ages().items()}
    words = "Seconds since the worker of a machine was seen, every 15 seconds while it is alive"
    yield "belepo_worker_seen_seconds", words, ("machine", ages)


def _webhooks(parts: Parts) -> Iterator[Figure]:
    backlog = parts.clients.events.webhooks.backlog()
    yield "belepo_webhooks_waiting", "Calls of webhooks that are still to be made", backlog.waiting
    yield "belepo_webhooks_age_seconds", "Age of the oldest event that waits for a webhook", backlog.age_seconds
    yield "belepo_webhooks_given_up", "Calls of webhooks that were given up", backlog.given_up


def _files(parts: Parts) -> Iterator[Figure]:
    queue = parts.portal.uploads.checking.queue()
    yield "belepo_uploads_waiting", "Files that wait to be scanned and checked", queue.waiting
    oldest = "For how many seconds the oldest of them has waited"
    yield "belepo_uploads_oldest_seconds", oldest, _age(parts, queue.since)
    yield "belepo_uploads_refused", "Files that were refused after they had been taken in", queue.refused


def _requests(parts: Parts) -> Iterator[Figure]:
    figures = parts.portal.requests.figures
    standing = figures.standing()
    yield "belepo_requests_open", "Requests that are neither answered nor over", standing.open
    yield "belepo_requests_late", "Requests whose promised day is over, and that wait for the insurer", standing.late
    yield "belepo_requests_received", "Requests of the last 30 days by kind", ("kind", figures.received_lately())


def _counts(parts: Parts) -> Iterator[Figure]:
    counts, in_time = parts.health.counts(), parts.portal.letters.figures.lately()
    yield "belepo_accounts", "Accounts", counts.accounts
    yield "belepo_registrations_open", "Registrations under way", counts.open_registrations
    yield "belepo_letters_damaged", "Letters whose stored bytes do not fit their hash", counts.damaged_letters
    yield "belepo_letters_due", "Letters whose latest day was in the last 30 days", in_time.due
    yield "belepo_letters_in_time", "Letters among them that were opened or printed in time", in_time.provided


def _age(parts: Parts, since: datetime | None) -> int:
    return int((parts.clock.now() - since).total_seconds()) if since else 0


def _text(words: str, status: int = 200) -> Response:
    response = make_response(words, status)
    response.mimetype = "text/plain"
    return response
