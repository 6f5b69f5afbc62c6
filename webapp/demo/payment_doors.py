"""The addresses of the demonstration's payment provider at the insurer's: its page, and testers' commands (contract).

The server hands such requests on to the provider, and its answers back. The customer's cookies stay here, and the
policy of our pages holds for the provider's: `form-action` is as narrow as everywhere.
"""

from typing import cast

from flask import Blueprint, Response, abort, request, url_for

from services.gateways.payments import ProviderUnavailable
from webapp.demo import doors
from webapp.demo.payments import DemoProvider
from webapp.parts import current_parts
from webapp.ui.language import language

blueprint = Blueprint("demo_payments", __name__, url_prefix="/dev")
blueprint.before_request(doors.keep_other_sites_out)

_FOR_MERCHANTS = ("orders", "commands")
"""What the provider answers to its merchants alone: our word to it is not lent to a browser."""
_KEPT = ("Content-Type", "Location")


@blueprint.route("/fizetes/<path:path>", methods=["GET", "POST"])
def provider(path: str) -> Response:
    """Show the provider's page where the customer pays, and take what they choose there."""
    if "/" in path or path in _FOR_MERCHANTS:
        abort(404)
    return _hand_on(f"/{path}", url_for("demo_payments.provider", path="").rstrip("/"))


@blueprint.get("/payments")
def all_payments() -> Response:
    """List the provider's payments, oldest first."""
    return _hand_on("/commands")


@blueprint.post("/payments/<attempt>")
def command(attempt: str) -> Response:
    """Have a payment become what testers want; `callback` is how often the provider says so by itself."""
    return _hand_on(f"/commands/{attempt}")


def _hand_on(path: str, prefix: str = "") -> Response:
    demo, query = current_parts().demo, request.query_string.decode("ascii", "replace")
    try:
        answer = cast(DemoProvider, demo and demo.payments).ask(
            request.method,
            f"{path}?{query}" if query else path,
            request.get_data(),
            content_type=request.content_type or "",
            x_forwarded_prefix=prefix,
            accept_language=language(),
        )
    except ProviderUnavailable:
        abort(503)
    if answer.status >= 400:
        abort(answer.status)
    return Response(
        answer.body, answer.status, {name: answer.headers[name] for name in _KEPT if name in answer.headers}
    )
