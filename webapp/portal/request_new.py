"""A new request of a customer who is signed in; `webapp.portal.request_flow` shows its pages (P35, P36)."""

from functools import partial

from flask import Blueprint, Response, url_for

from services.accounts import Session
from webapp.account import sessions
from webapp.parts import current_parts
from webapp.portal import request_flow
from webapp.portal.request_door import Door
from webapp.portal.request_words import address
from webapp.portal.requests import address_of_sent, show_sent
from webapp.ui.formats import clock_time
from webapp.ui.language import say
from webapp.ui.respond import see_other

blueprint = Blueprint("request_new", __name__, url_prefix="/ugyintezes/uj/<kind>")


@blueprint.get("")
@sessions.needed
def show(session: Session, kind: str) -> Response:
    """Show the page that the address names, or the one that is due. Changes nothing."""
    offer = current_parts().portal.requests.kinds.offer(session, kind)
    if not offer.is_suitable:
        sessions.flash.leave("request.start.unsuitable")
        return see_other(url_for("requests.show_all"))
    return request_flow.show(_door(session), offer)


@blueprint.post("")
@sessions.needed
def submit(session: Session, kind: str) -> Response:
    """Keep the answers to a page, or do what its other buttons say; then show what is due."""
    return request_flow.submit(_door(session), current_parts().portal.requests.kinds.offer(session, kind))


@blueprint.route("/fajlok", methods=["GET", "POST"])
@sessions.needed
def add_file(session: Session, kind: str) -> Response:
    """Take a file for the question that `kerdes` names, or do what the file's other forms say (P38)."""
    return request_flow.add_file(_door(session), current_parts().portal.requests.kinds.offer(session, kind))


def _door(session: Session) -> Door:
    return Door(
        by=session,
        kutid=session.account.kutid,
        address=address,
        files=lambda kind, question: url_for("request_new.add_file", kind=kind, kerdes=question),
        home=url_for("requests.show_all"),
        place=say()("request.list.heading"),
        sent=address_of_sent,
        show_sent=partial(show_sent, session),
        was_sent=partial(request_flow.was_sent, session),
        say=sessions.flash.leave,
        notice=lambda: sessions.flash.take(time=clock_time(session.over_at)),
        kept=session.kept or {},
    )
