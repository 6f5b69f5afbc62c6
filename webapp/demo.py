"""The demo and QA doors: only there in demo mode (contract)."""

import threading
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, abort, current_app, jsonify, make_response, redirect, request
from sqlalchemy import select

from services.clock import DemoClock
from services.demo_data import reset
from services.store.tables import demo_messages as table
from webapp.delivery import delivery
from webapp.parts import Parts, wired
from webapp.rendering import clock_time, date_and_time, page

blueprint = Blueprint("demo", __name__, url_prefix="/dev")

_FURTHEST = 10 * 365 * 86400


@blueprint.get("/messages")
def inbox() -> Response:
    """Show what was sent, newest first."""
    messages = [
        {
            **row,
            "to": row["recipient"],
            "at": clock_time(row["created_at"]),
            "html_url": f"/dev/messages/{row['id']}.html",
        }
        for row in reversed(_messages())
    ]
    return page("pages/inbox.html", messages=messages, clock=date_and_time(wired().clock.now()))


@blueprint.get("/messages.json")
def inbox_json() -> Response:
    """List what was sent, oldest first; `to` and `kind` choose."""
    to, kind = request.args.get("to"), request.args.get("kind")
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
                "created_at": row["created_at"].isoformat(),
            }
            for row in _messages()
            if to in (None, row["recipient"]) and kind in (None, row["kind"])
        ]
    )


@blueprint.get("/messages/<message_id>.html")
def letter(message_id: str) -> Response:
    """Show the HTML part of a mail as a mail client would."""
    row = next((row for row in _messages() if row["id"] == message_id), None)
    if row is None or not row["html"]:
        abort(404)
    response = make_response(row["html"])
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    )
    return response


@blueprint.route("/clock", methods=["GET", "POST"])
def clock() -> Response:
    """Tell the application's time; POST moves it forward by `advance` seconds."""
    moving = wired().clock
    if request.method == "POST" and isinstance(moving, DemoClock):
        advance = request.form.get("advance", type=float)
        if advance is None or not 0 <= advance <= _FURTHEST:
            abort(400)
        moving.advance(timedelta(seconds=advance))
    return _answer(now=moving.now().isoformat())


@blueprint.post("/terms")
def publish_terms() -> Response:
    """Publish a new version of the terms, in force from now."""
    version = request.form.get("version", "").strip()
    if not version or len(version) > 40 or not version.replace("-", "").replace(".", "").replace("_", "").isalnum():
        abort(400)
    parts = wired()
    parts.terms.publish(version, parts.clock.now())
    return _answer(version=version)


@blueprint.post("/reset")
def back_to_start() -> Response:
    """Go back to the demo data, the real time and an empty inbox."""
    parts = wired()
    if isinstance(parts.clock, DemoClock):
        parts.clock.reset()
    parts.terms.forget_published()
    current_app.extensions["belepo.limits"].reset()
    reset(parts.store, parts.profile, parts.clock, parts.settings.bcrypt_rounds)
    return _answer(reset=True)


def _messages() -> list[dict[str, Any]]:
    parts = wired()
    _deliver(parts)
    with parts.store.read() as connection:
        rows = connection.execute(select(table).order_by(table.c.created_at, table.c.id)).mappings()
        return [dict(row) for row in rows]


def _deliver(parts: Parts) -> None:
    """See to it that what was asked for a moment ago has arrived: a tester who looks at once finds it."""
    due, pause = delivery(parts), threading.Event()
    for _ in range(50):
        due.deliver_due()
        if not parts.outbox.is_busy():
            return
        pause.wait(0.02)  # another process is delivering it at this moment


def _answer(**facts: Any) -> Response:
    if request.form.get("next") == "/dev/messages":
        return make_response(redirect("/dev/messages", 303))
    return jsonify(facts)
