"""A claim of somebody without an account, from the start page (P45).

The browser holds the draft, by the secret of its session; the pages are those of every request.
"""

from datetime import timedelta
from functools import partial
from typing import Any

from flask import Blueprint, Response, request, url_for

from services.refusal import OutOfTurn, Refusal
from services.requests.applicant import Applicant
from services.requests.kinds import Offer
from services.requests.request import Request
from webapp.account import sessions
from webapp.journey.browser import browser_id
from webapp.parts import current_parts
from webapp.portal import request_flow, uploads
from webapp.portal.request_door import Door
from webapp.portal.request_words import takes, title_of
from webapp.ui.faults import too_many
from webapp.ui.formats import date_and_time, date_until
from webapp.ui.language import language, say
from webapp.ui.respond import page, see_other

blueprint = Blueprint("claims", __name__, url_prefix="/karbejelentes")
_TWICE = "2"
_SECOND = timedelta(seconds=1)


@blueprint.get("")
def show_all() -> Response:
    """Show whom to call, and what can be reported without an account. Customers who are signed in have their own."""
    offers = current_parts().portal.requests.kinds.claims()
    if not offers:
        raise OutOfTurn
    if sessions.current() is not None:
        return see_other(url_for("requests.show_all"))
    if len(offers) == 1:
        return see_other(_address(offers[0].kind.name))
    return _page(
        "portal/claims.html",
        phones=request_flow.phones(),
        offers=[
            {"title": title_of(one.kind.name), "about": takes(one.kind), "href": _address(one.kind.name)}
            for one in offers
        ],
    )


@blueprint.get("/<kind>")
def show(kind: str) -> Response:
    """Show the page that the address names, or the one that is due. Changes nothing."""
    if sessions.current() is not None:
        return see_other(url_for("request_new.show", kind=kind))
    return request_flow.show(_door(), _offer(kind))


@blueprint.post("/<kind>")
def submit(kind: str) -> Response:
    """Keep the answers to a page, or do what its other buttons say; 429 where a network has begun too many."""
    try:
        return request_flow.submit(_door(), _offer(kind))
    except Refusal as refusal:
        left = refusal.facts["at"] - current_parts().clock.now()
        return too_many(max(1, left // _SECOND))


@blueprint.route("/<kind>/fajlok", methods=["GET", "POST"])
def add_file(kind: str) -> Response:
    """Take a file for the question that `kerdes` names, or do what the file's other forms say (P38)."""
    return request_flow.add_file(_door(), _offer(kind))


@blueprint.get("/<kind>/fajl/<upload_id>")
def show_file(kind: str, upload_id: str) -> Response:
    """Send the rendition of a file of the draft; 409 as long as it has none."""
    parts = current_parts()
    draft = parts.portal.requests.drafts.find(_applicant(), kind)
    if draft is None:
        raise OutOfTurn
    try:
        return uploads.send(parts.portal.uploads.reading.open_for(draft.id, upload_id))
    except Refusal:
        return uploads.unchecked(_address(kind))


@blueprint.get("/ugy/<request_id>")
def show_sent(request_id: str) -> Response:
    """Say that a claim has come in, to the browser that has sent it."""
    return _show_sent(request_id, is_twice=request.args.get("elkuldve") == _TWICE)


def turn_away() -> Response | None:
    """Return the answer to a file from a browser that has begun no claim; None where it has."""
    kind = (request.view_args or {}).get("kind", "")
    if current_parts().portal.requests.drafts.find(_applicant(), kind) is None:
        return see_other(_address(kind))
    return None


# --- Inside ---------------------------------------------------------------------------------------------------------


def _offer(kind: str) -> Offer:
    return current_parts().portal.requests.kinds.claim(kind)


def _applicant() -> Applicant:
    """Return who this browser is; one that has shown no page of ours holds no draft."""
    return Applicant(None, browser_id() or "nobody", language=language(), source=request.remote_addr or "")


def _door() -> Door:
    return Door(
        by=_applicant(),
        kutid=None,
        address=_address,
        files=lambda kind, question: url_for("claims.add_file", kind=kind, kerdes=question),
        home=url_for("claims.show_all"),
        place=say()("claim.start.link"),
        sent=_address_of_sent,
        show_sent=_show_sent,
        was_sent=lambda request_id: _find(request_id) is not None,
        say=request_flow.flash.leave,
        can_leave=False,
        file=lambda kind: lambda upload_id: url_for("claims.show_file", kind=kind, upload_id=upload_id),
        render=_page,
    )


_page = partial(page, in_portal=True)


def _address(kind: str, page_id: str | None = None, **_values: Any) -> str:
    return url_for("claims.show", kind=kind, kerdes=page_id)


def _address_of_sent(request_id: str, *, is_twice: bool = False) -> str:
    return url_for("claims.show_sent", request_id=request_id, elkuldve=_TWICE if is_twice else None)


def _find(request_id: str) -> Request | None:
    return current_parts().portal.requests.claims.find(_applicant(), request_id)


def _show_sent(request_id: str, *, is_twice: bool = False) -> Response:
    found = _find(request_id)
    if found is None:
        raise OutOfTurn
    return _page(
        "portal/claim_done.html",
        request_=found,
        date_until=date_until(found.promised_on),
        twice=date_and_time(found.sent_at) if is_twice else None,
    )
