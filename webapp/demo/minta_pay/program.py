"""The program of the demonstration's payment provider: what its merchants ask, its page, and what testers command."""

import hmac
import json
from collections.abc import Callable
from functools import cache, partial
from typing import get_args

from flask import Blueprint, Flask, Response, abort, current_app, jsonify, redirect, render_template, request
from werkzeug.middleware.proxy_fix import ProxyFix

from services.gateways.payments import ProviderState
from services.texts import Texts, has_catalogue
from services.values import money
from webapp.demo.faults import DemoFaults
from webapp.demo.minta_pay.books import Books, Order

Call = Callable[[str, bytes, dict[str, str]], None]
"""Posts a body with headers to a path of the insurer's."""
_STATES = get_args(ProviderState)[1:]
"""What testers can have a payment become."""
_BECOMES = {"pay": "succeeded", "fail": "failed", "cancel": "cancelled"}
_LANGUAGES = ("hu", "en", "sk")


class Provider:
    """What the provider has: its books, the faults that testers wish, its secret and its way to the insurer."""

    def __init__(self, books: Books, faults: DemoFaults, secret: str, call: Call) -> None:
        """Of `secret` the insurer knows that it is asked by, and that calls come from, the other of the two."""
        self.books = books
        self.faults = faults
        self._secret = secret
        self._call = call

    def is_known(self, header: str) -> bool:
        """Tell whether the header ``Authorization`` is the insurer's: no other program commands here."""
        return hmac.compare_digest(header.encode(), f"Bearer {self._secret}".encode())

    def call_back(self, order: Order) -> None:
        """Call the insurer, signed over the body, unless testers let calls get lost."""
        if self.faults.is_failing("payments-callback"):
            return
        body = json.dumps({"attempt": order.attempt}).encode()
        headers = {"Content-Type": "application/json", "Signature": signature_of(body, self._secret)}
        self._call(order.call_to, body, headers)


def signature_of(body: bytes, secret: str) -> str:
    """Return the signature of a call: HMAC-SHA256 over its body as it is sent, in hexadecimal digits."""
    return hmac.digest(secret.encode(), body, "sha256").hex()


def make_program(provider: Provider) -> Flask:
    """Return the program. Behind the insurer's address, ``X-Forwarded-Prefix`` says where its pages are."""
    app = Flask("webapp", static_folder=None)
    app.extensions["minta-pay"] = provider
    app.before_request(_keep_strangers_out)
    for blueprint in (_orders, _commands, _pages):
        app.register_blueprint(blueprint)
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=0, x_proto=0, x_prefix=1)  # type: ignore[method-assign]
    return app


def _provider() -> Provider:
    found: Provider = current_app.extensions["minta-pay"]
    return found


def _keep_strangers_out() -> None:
    if not _provider().is_known(request.headers.get("Authorization", "")):
        abort(403)


def _order(attempt: str) -> Order:
    return _provider().books.find(attempt) or abort(404)


# --- What merchants ask -------------------------------------------------------------------------------------------

_orders = Blueprint("orders", __name__, url_prefix="/orders")


@_orders.before_request
def be_away() -> None:
    """Answer 503 while testers let the provider be away; its page and the testers' commands work on."""
    if _provider().faults.is_failing("payments"):
        abort(503)


@_orders.post("")
def begin() -> Response:
    """Begin a payment, once for an attempt."""
    _provider().books.begin(Order(state="pending", **json.loads(request.get_data())))
    return jsonify(begun=True)


@_orders.get("/health")
def health() -> Response:
    """Answer."""
    return jsonify(healthy=True)


@_orders.get("/<attempt>")
def tell(attempt: str) -> Response:
    """Tell the state of a payment; `expired` for one that was never begun."""
    found = _provider().books.find(attempt)
    return jsonify(state=found.state if found else "expired")


@_orders.post("/<attempt>/cancel")
def cancel(attempt: str) -> Response:
    """Cancel a payment that is not final, and tell its state."""
    _provider().books.become(attempt, "cancelled", only_if_pending=True)
    return tell(attempt)


# --- What testers command -----------------------------------------------------------------------------------------

_commands = Blueprint("commands", __name__, url_prefix="/commands")


@_commands.get("")
def list_all() -> Response:
    """List the payments, oldest first."""
    names = ("attempt", "invoice", "amount", "state")
    return jsonify([{name: getattr(one, name) for name in names} for one in _provider().books.all()])


@_commands.delete("")
def forget() -> Response:
    """Forget all payments."""
    _provider().books.forget()
    return jsonify(forgotten=True)


@_commands.post("/<attempt>")
def command(attempt: str) -> Response:
    """Have a payment become what testers want; `callback` is how often the provider says so by itself."""
    order, state = _order(attempt), request.values.get("state", "")
    times = request.values.get("callback", 1, type=int)
    if state not in _STATES or times not in (0, 1, 2):
        abort(400)
    _provider().books.become(attempt, state)
    for _ in range(times):
        _provider().call_back(order)
    return jsonify(attempt=attempt, state=state)


# --- What customers see -------------------------------------------------------------------------------------------

_pages = Blueprint("pages", __name__)


@_pages.get("/style.css")
def style() -> Response:
    """Send the look of the page."""
    return Response(render_template("minta_pay/style.css"), mimetype="text/css")


@_pages.get("/icon.svg")
def icon() -> Response:
    """Send the picture for the window's tab."""
    return Response(render_template("minta_pay/icon.svg"), mimetype="image/svg+xml")


@_pages.get("/<attempt>")
def show(attempt: str) -> Response:
    """Show the page where the customer pays; one who has been there goes back."""
    order, language = _order(attempt), request.accept_languages.best_match(_LANGUAGES) or _LANGUAGES[0]
    if order.state != "pending":
        return _back(order)
    return Response(
        render_template(
            "minta_pay/page.html",
            action=f"{request.script_root}{request.path}",
            style=f"{request.script_root}/style.css",
            icon=f"{request.script_root}/icon.svg",
            order=order,
            amount=money.in_words(order.amount, order.currency, language),
            language=language,
            t=partial(_texts(language).say, language=language),
        )
    )


@_pages.post("/<attempt>")
def submit(attempt: str) -> Response:
    """Do what the customer chooses, call the insurer back, and send the customer back."""
    order, state = _order(attempt), _BECOMES.get(request.form.get("action", "")) or abort(400)
    _provider().books.become(attempt, state, only_if_pending=True)
    _provider().call_back(order)
    return _back(order)


def _back(order: Order) -> Response:
    response: Response = current_app.make_response(redirect(order.back_to, 303))
    return response


@cache
def _texts(language: str) -> Texts:
    """Return the words of the page: no insurer's, so they know nothing of one."""
    assert has_catalogue(language)
    return Texts((language,), {language: {}}, {})
