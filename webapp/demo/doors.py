"""The demo and QA doors: only there in demo mode (contract)."""

from base64 import b64decode
from datetime import timedelta
from typing import Any, cast
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, current_app, jsonify, make_response, request, url_for

from services.refusal import Refusal
from webapp.demo.clock import DemoClock
from webapp.demo.faults import FAULTS, DemoFaults
from webapp.demo.inbox import arrived, attachments, deliver
from webapp.demo.letters import add_letters
from webapp.demo.payments import DemoProvider
from webapp.demo.requests import add_requests
from webapp.demo.seed import reset
from webapp.demo.states import State, Walker, known
from webapp.demo.terms import PublishedTerms
from webapp.http import limits
from webapp.http.cookies import kept
from webapp.parts import current_parts
from webapp.ui.faults import too_many
from webapp.ui.formats import clock_time, date_and_time
from webapp.ui.respond import page, see_other

blueprint = Blueprint("demo", __name__, url_prefix="/dev")

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_FURTHEST = 10 * 365 * 86400


@blueprint.before_request
def keep_other_sites_out() -> None:
    """Refuse what another site's page makes this browser do: a demonstration runs beside all its owner's other tabs."""
    settings, headers = current_parts().settings, request.headers
    is_changing = request.method == "POST" or request.endpoint == "demo.one_state"
    is_from_elsewhere = headers.get("Sec-Fetch-Site") in ("cross-site", "same-site")
    is_of_another = "Origin" in headers and headers["Origin"].partition("://")[2] != request.host
    # A name that somebody else's DNS leads to this machine would let their page read the inbox.
    own_names = {*_LOOPBACK, urlsplit(settings.public_url).hostname}
    is_renamed = not settings.demo_anywhere and urlsplit(request.host_url).hostname not in own_names
    if is_renamed or (is_changing and (is_from_elsewhere or is_of_another)):
        abort(403)


@blueprint.get("/messages")
def inbox() -> Response:
    """Show what was sent, newest first."""
    messages = [
        {
            **row,
            "to": row["recipient"],
            "at": clock_time(row["created_at"]),
            "html_url": url_for("demo.letter", message_id=row["id"]),
            "attachments": attachments(row),
        }
        for row in reversed(arrived(current_parts()))
    ]
    return page("pages/inbox.html", messages=messages, clock=date_and_time(current_parts().clock.now()))


@blueprint.get("/messages.json")
def inbox_json() -> Response:
    """List what was sent, oldest first; `to` and `kind` choose."""
    to, kind = request.args.get("to"), request.args.get("kind")
    if to is not None and to.startswith(" "):
        to = f"+{to[1:]}"  # of a number whose plus sign was not encoded
    return jsonify(
        [
            {
                "id": row["id"],
                "kind": row["kind"],
                "to": row["recipient"],
                "subject": row["subject"],
                "text": row["text"],
                "html": row["html"],
                "links": row["links"],
                "attachments": attachments(row),
                "created_at": row["created_at"].isoformat(),
            }
            for row in arrived(current_parts())
            if to in (None, row["recipient"]) and kind in (None, row["kind"])
        ]
    )


@blueprint.get("/messages/<message_id>.html")
def letter(message_id: str) -> Response:
    """Show the HTML part of a mail as a mail client would."""
    row = next((row for row in arrived(current_parts()) if row["id"] == message_id), None)
    if row is None or not row["html"]:
        abort(404)
    response = make_response(row["html"])
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    )
    return response


@blueprint.get("/messages/<message_id>/<int:place>")
def attachment(message_id: str, place: int) -> Response:
    """Send a mail's attachment, to be saved: it is one of another origin, as in a mailbox."""
    row = next((row for row in arrived(current_parts()) if row["id"] == message_id), None)
    files = row["attachments"] or [] if row else []
    if not place < len(files):
        abort(404)
    response = make_response(b64decode(files[place]["content"]))
    response.mimetype = files[place]["type"]
    response.headers.set("Content-Disposition", "attachment", filename=files[place]["name"])
    return response


@blueprint.get("/states")
def states() -> Response:
    """List every state that somebody can meet, each with a link that leads this browser into it."""
    groups: dict[str, list[State]] = {}
    for one in known(current_parts().profile):
        groups.setdefault(one.group, []).append(one)
    return page("pages/states.html", groups=groups)


@blueprint.get("/states.json")
def states_json() -> Response:
    """List the same for scripts."""
    return jsonify(
        [
            {
                "name": one.name,
                "group": one.group,
                "url": url_for("demo.one_state", name=one.name),
                "moves_clock": one.moves_clock,
            }
            for one in known(current_parts().profile)
        ]
    )


@blueprint.get("/states/<name>")
def one_state(name: str) -> Response:
    """Lead this browser into a state, as a new visitor or member of staff, and show what they see.

    `email` and `number`, a policy number or another identifier that the profile asks for, choose the customer.
    """
    one = next((one for one in known(current_parts().profile) if one.name == name), None) or abort(404)
    asked = request.headers
    walker = Walker(
        current_app._get_current_object(),  # type: ignore[attr-defined]
        request.host_url,
        {name: asked[name] for name in ("Accept-Language", "User-Agent") if name in asked},
        {current_parts().settings.cookie(name): text for name in ("lang", "theme") if (text := kept(name))},
    )
    if email := request.args.get("email"):
        walker.email = email
    if number := request.args.get("number"):
        walker.be(walker.cast.customer_with(number) or abort(404))
    walker.walk(one.walk)
    shown = walker.page
    response = make_response(shown.get_data(), shown.status_code)
    for header, text in shown.headers:
        if header not in ("Set-Cookie", "Content-Length"):
            response.headers[header] = text
    for cookie in walker.cookies.values():
        response.headers.add("Set-Cookie", cookie)
    return response


@blueprint.get("/fault/<int:status>")
def fault(status: int) -> Response:
    """Break, as the server may break by itself."""
    if status == 429:
        return too_many(60)
    if status == 503 or 400 <= status < 500:
        abort(status)
    raise RuntimeError("This was asked for.")


@blueprint.route("/clock", methods=["GET", "POST"])
def clock() -> Response:
    """Tell the application's time; POST moves it forward by `advance` seconds."""
    moving = _clock()
    if request.method == "POST":
        advance = request.values.get("advance", type=float)
        if advance is None or not 0 <= advance <= _FURTHEST:
            abort(400)
        if current_parts().settings.is_quiet:
            deliver(current_parts())  # what was on its way has arrived by then
        moving.advance(timedelta(seconds=advance))
    return _answer(now=moving.now().isoformat())


@blueprint.route("/faults", methods=["GET", "POST"])
def faults() -> Response:
    """Tell what fails, and until when; POST lets the part `name` fail `for` seconds, or work again with `off=1`."""
    if request.method == "POST":
        name, duration = request.values.get("name", ""), request.values.get("for", type=float)
        if name not in FAULTS:
            abort(400)
        if request.values.get("off") == "1":
            _faults().end(name)
        elif duration is not None and 0 < duration <= _FURTHEST:
            _faults().begin(name, timedelta(seconds=duration))
        else:
            abort(400)
    return jsonify({name: until.isoformat() for name, until in sorted(_faults().failing().items())})


@blueprint.post("/terms")
def publish_terms() -> Response:
    """Publish a new version of the terms, in force from now."""
    version = request.values.get("version", "").strip()
    if not version or len(version) > 40 or not version.replace("-", "").replace(".", "").replace("_", "").isalnum():
        abort(400)
    _terms().publish(version, _clock().now())
    return _answer(version=version)


@blueprint.post("/api-key")
def api_key() -> Response:
    """Make a key of the API for the scopes that are named; with `adviser`, for that adviser's customers alone."""
    scopes, adviser = request.values.getlist("scope"), request.values.get("adviser")
    try:
        _, key = current_parts().clients.api_keys.add("demo", scopes, adviser=adviser)
    except Refusal:
        abort(400)
    return jsonify(key=key)


@blueprint.post("/reset")
def back_to_start() -> Response:
    """Go back to the demo data, the real time and an empty inbox."""
    parts = current_parts()
    _clock().reset()
    _faults().end_all()
    _terms().forget_published()
    cast(DemoProvider, parts.demo and parts.demo.payments).forget()
    parts.figures.funnel.flush()  # or what is counted and not written yet would outlast the reset
    reset(parts.store, parts.profile, parts.clock, parts.settings.bcrypt_rounds)
    add_letters(parts.base, parts.portal.storage)
    add_requests(parts.base)
    limits.reset(current_app.extensions["belepo.limits"])
    return _answer(reset=True)


def _clock() -> DemoClock:
    return cast(DemoClock, current_parts().clock)


def _faults() -> DemoFaults:
    return cast(DemoFaults, cast(Any, current_parts().demo).faults)


def _terms() -> PublishedTerms:
    return cast(PublishedTerms, current_parts().documents.terms)


def _answer(**facts: Any) -> Response:
    if request.form.get("next") == (inbox_url := url_for("demo.inbox")):
        return see_other(inbox_url)
    return jsonify(facts)
