"""For operators: is it alive, can it serve, how is it doing."""

import hmac
from collections.abc import Iterable

from flask import Blueprint, Response, abort, make_response, request

from webapp.parts import Parts, current_parts

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
    response = _text("".join(_figures(current_parts())))
    response.headers["Content-Type"] = "text/plain; version=0.0.4; charset=utf-8"
    return response


def _figures(parts: Parts) -> Iterable[str]:
    """Yield each figure, straight from the database: right for any number of processes."""
    yield "# HELP belepo_messages Messages by state.\n# TYPE belepo_messages gauge\n"
    for state, count in parts.messages.outbox.counts().items():
        yield f'belepo_messages{{state="{state}"}} {count}\n'
    if budget := parts.messages.sms_budget.budget():
        for name, words, figure in (
            ("belepo_sms_used", "Parts of text messages that have left this month", budget.used),
            ("belepo_sms_allowed", "Parts of text messages that may leave this month", budget.allowed),
            ("belepo_sms_stopped", "Whether the SMS budget is used up and no text message leaves", budget.is_stopped),
        ):
            yield f"# HELP {name} {words}.\n# TYPE {name} gauge\n{name} {int(figure)}\n"
    backlog = parts.clients.events.webhooks.backlog()
    for name, words, figure in (
        ("belepo_webhooks_waiting", "Calls of webhooks that are still to be made", backlog.waiting),
        ("belepo_webhooks_age_seconds", "Age of the oldest event that waits for a webhook", backlog.age_seconds),
        ("belepo_webhooks_given_up", "Calls of webhooks that were given up", backlog.given_up),
    ):
        yield f"# HELP {name} {words}.\n# TYPE {name} gauge\n{name} {figure}\n"
    queue = parts.portal.uploads.checking.queue()
    age = int((parts.clock.now() - queue.since).total_seconds()) if queue.since else 0
    for name, words, figure in (
        ("belepo_uploads_waiting", "Files that wait to be scanned and checked", queue.waiting),
        ("belepo_uploads_oldest_seconds", "For how many seconds the oldest of them has waited", age),
        ("belepo_uploads_refused", "Files that were refused after they had been taken in", queue.refused),
    ):
        yield f"# HELP {name} {words}.\n# TYPE {name} gauge\n{name} {figure}\n"
    yield from _of_requests(parts)
    counts, in_time = parts.health.counts(), parts.portal.letters.figures.lately()
    for name, words, count in (
        ("belepo_accounts", "Accounts", counts.accounts),
        ("belepo_registrations_open", "Registrations under way", counts.open_registrations),
        ("belepo_letters_damaged", "Letters whose stored bytes do not fit their hash", counts.damaged_letters),
        ("belepo_letters_due", "Letters whose latest day was in the last 30 days", in_time.due),
        ("belepo_letters_in_time", "Letters among them that were opened or printed in time", in_time.provided),
    ):
        yield f"# HELP {name} {words}.\n# TYPE {name} gauge\n{name} {count}\n"


def _of_requests(parts: Parts) -> Iterable[str]:
    figures = parts.portal.requests.figures
    standing = figures.standing()
    for name, words, figure in (
        ("belepo_requests_open", "Requests that are neither answered nor over", standing.open),
        ("belepo_requests_late", "Requests whose promised day is over, and that wait for the insurer", standing.late),
    ):
        yield f"# HELP {name} {words}.\n# TYPE {name} gauge\n{name} {figure}\n"
    yield "# HELP belepo_requests_received Requests of the last 30 days by kind.\n"
    yield "# TYPE belepo_requests_received gauge\n"
    for kind, one in figures.lately().items():
        yield f'belepo_requests_received{{kind="{kind}"}} {one.received}\n'


def _text(words: str, status: int = 200) -> Response:
    response = make_response(words, status)
    response.mimetype = "text/plain"
    return response
