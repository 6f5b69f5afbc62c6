"""The page of the demonstration's payment provider, and how testers command it (contract)."""

from contextvars import Context
from typing import cast

from flask import Blueprint, Flask, Response, abort, current_app, jsonify, request, url_for

from webapp.demo import doors
from webapp.demo.payments import STATES, DemoProvider
from webapp.parts import current_parts
from webapp.ui.formats import amount
from webapp.ui.respond import page, see_other

blueprint = Blueprint("demo_payments", __name__, url_prefix="/dev")
blueprint.before_request(doors.keep_other_sites_out)

_PAGE = "/fizetes/<attempt>"
_BECOMES = {"pay": "succeeded", "fail": "failed", "cancel": "cancelled"}


@blueprint.get(_PAGE)
def show(attempt: str) -> Response:
    """Show the page where the customer pays."""
    payment = _provider().find(attempt) or abort(404)
    if payment["state"] != "pending":
        return see_other(payment["back_to"])
    return page(
        "pages/demo_payment.html",
        action=url_for("demo_payments.submit", attempt=attempt),
        amount=amount(payment["amount"], payment["currency"]),
        invoice=payment["invoice"],
    )


@blueprint.post(_PAGE)
def submit(attempt: str) -> Response:
    """Do what the customer chooses, call the insurer back, and send the customer back."""
    payment = _provider().find(attempt) or abort(404)
    state = _BECOMES.get(request.form.get("action", "")) or abort(400)
    _provider().become(attempt, state, only_if_pending=True)
    _call_back(attempt)
    return see_other(payment["back_to"])


@blueprint.get("/payments")
def all_payments() -> Response:
    """List the provider's payments, oldest first."""
    names = ("attempt", "invoice", "amount", "state")
    return jsonify([{name: one[name] for name in names} for one in _provider().all()])


@blueprint.post("/payments/<attempt>")
def command(attempt: str) -> Response:
    """Have a payment become what testers want; `callback` is how often the provider says so by itself."""
    if _provider().find(attempt) is None:
        abort(404)
    state = request.values.get("state", "")
    times = request.values.get("callback", 1, type=int)
    if state not in STATES or times not in (0, 1, 2):
        abort(400)
    _provider().become(attempt, state)
    for _ in range(times):
        _call_back(attempt)
    return jsonify(attempt=attempt, state=state)


def _provider() -> DemoProvider:
    demo = current_parts().demo
    return cast(DemoProvider, demo and demo.payments)


def _call_back(attempt: str) -> None:
    """Call the insurer as a provider does, apart from the request that caused it, unless testers let calls get lost."""
    if _provider().is_silent:
        return
    address = url_for("payment_hints.hint", attempt_id=attempt)
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    Context().run(lambda: app.test_client().post(address))
