"""The customer's requests: what can be asked for, what waits, and one request with what happened to it (P33, P37)."""

from itertools import groupby
from typing import Any

from flask import Blueprint, Response, request, url_for

from services.accounts import Session
from services.refusal import OutOfTurn
from services.requests.kinds import Offer
from services.values import masking
from webapp.account import sessions
from webapp.parts import current_parts
from webapp.portal import request_page
from webapp.portal.request_page import Follower
from webapp.portal.request_words import (
    ICONS,
    address,
    line,
    line_of_draft,
    takes,
    title_of,
)
from webapp.ui.formats import clock_time, date_and_time, date_until
from webapp.ui.language import say
from webapp.ui.respond import page, see_other

blueprint = Blueprint("requests", __name__, url_prefix="/ugyintezes")

_SENT, _TWICE = "1", "2"


@blueprint.get("")
@sessions.needed
def show_all(session: Session) -> Response:
    """Show what waits for the customer, what is under way, what is finished, and what can be asked for."""
    services = current_parts().portal.requests
    sent, drafts = services.own.all(session), services.drafts.all(session)
    known = current_parts().profile.requests
    return page(
        "portal/requests.html",
        notice=sessions.flash.take(time=clock_time(session.over_at)),
        waiting=[line(one) for one in sent if one.state == "question"]
        + [line_of_draft(one) for one in drafts if one.kind in known],
        open=[line(one) for one in sent if one.state in ("sent", "taken")],
        closed=[line(one) for one in sent if one.is_done],
        groups=_groups(services.kinds.offers(session)),
        manager=_manager(session),
    )


@blueprint.get("/<request_id>")
@sessions.needed
def show(session: Session, request_id: str) -> Response:
    """Show one request; right after sending, that it has come in. A draft's id leads to its page."""
    own = current_parts().portal.requests.own
    try:
        if sent := request.args.get("elkuldve"):
            return show_sent(session, request_id, is_twice=sent == _TWICE)
        return request_page.show(_follower(session), request_id)
    except OutOfTurn:
        try:
            return see_other(address(own.kind_of_draft(session, request_id)))
        except OutOfTurn:
            if not own.is_anybodys(request_id):
                raise
        return _of_another(session)


@blueprint.post("/<request_id>")
@sessions.needed
def act(session: Session, request_id: str) -> Response:
    """Answer the insurer's question, or withdraw the request."""
    return request_page.act(_follower(session), request_id)


@blueprint.route("/<request_id>/fajlok", methods=["GET", "POST"])
@sessions.needed
def add_file(session: Session, request_id: str) -> Response:
    """Take a file for the answer to the insurer's question, or do what a file's other forms say (P37, P38)."""
    return request_page.add_file(_follower(session), request_id)


def _follower(session: Session) -> Follower:
    return Follower(
        by=session,
        kutid=session.account.kutid,
        home=url_for("requests.show_all"),
        place=say()("request.list.heading"),
        address=lambda request_id: url_for("requests.show", request_id=request_id),
        files=lambda request_id: url_for("requests.add_file", request_id=request_id),
        say=sessions.flash.leave,
        notice=sessions.flash.take,
    )


def address_of_sent(request_id: str, *, is_twice: bool = False) -> str:
    """Return the address of the page that says that a request has come in."""
    return url_for("requests.show", request_id=request_id, elkuldve=_TWICE if is_twice else _SENT)


def show_sent(session: Session, request_id: str, *, is_twice: bool = False) -> Response:
    """Say that a request has come in, what happens next, and its number. Raises OutOfTurn."""
    found, _ = current_parts().portal.requests.own.find(session, request_id)
    return page(
        "portal/request_done.html",
        request_=found,
        date_until=date_until(found.promised_on),
        twice=date_and_time(found.sent_at) if is_twice else None,
        href=url_for("requests.show", request_id=request_id),
    )


def _groups(offers: tuple[Offer, ...]) -> list[dict[str, Any]]:
    """Return what can be asked for, by groups in their order."""
    order = list(ICONS)
    in_order = sorted(offers, key=lambda one: order.index(one.kind.rules.group))
    return [
        {
            "name": group,
            "icon": ICONS[group],
            "kinds": [
                {
                    "title": title_of(one.kind.name),
                    "about": takes(one.kind) if one.is_suitable else say().plain("request.start.unsuitable"),
                    "href": address(one.kind.name) if one.is_suitable else None,
                }
                for one in found
            ],
        }
        for group, found in groupby(in_order, key=lambda one: one.kind.rules.group)
    ]


def _manager(session: Session) -> str | None:
    """Return who manages the customer's contracts where all have a manager other than the customer (P7)."""
    contracts = current_parts().portal.contracts.portfolio.all(session)
    managed = [one for one in contracts if one.account is not None and not one.account.is_own]
    return managed[0].intermediary or "" if managed and len(managed) == len(contracts) else None


def _of_another(session: Session) -> Response:
    return page(
        "portal/other_account.html",
        403,
        email=masking.email(session.account.email),
        address=request.path,
        stay=url_for("home.show"),
    )
