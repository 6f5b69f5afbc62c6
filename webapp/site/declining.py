"""Declining invitations and reminders: one press, without an account, from the mail or by the mail program itself."""

from flask import Blueprint, Response, request, url_for

from services.messages.composer import DECLINE_PURPOSE
from webapp.http.addresses import link_token
from webapp.parts import current_parts
from webapp.ui.references import passing_reference
from webapp.ui.respond import go_on, page

blueprint = Blueprint("declining", __name__, url_prefix="/meghivo/lemondas")


@blueprint.get("")
def show() -> Response:
    """Ask whether to decline, or say that it is done; changes nothing, for mail scanners open links too."""
    if "done" in request.args:
        return _declined()
    token = link_token()
    link_id = current_parts().links.read(DECLINE_PURPOSE, token)
    has_declined = current_parts().worklists.invitations.has_declined(link_id) if link_id else None
    if has_declined is None:
        return _dead()
    action = url_for("declining.decline")
    return _declined() if has_declined else page("pages/decline.html", action=action, token=token)


@blueprint.post("")
def decline() -> Response:
    """Decline. The token is the proof, so neither a cookie nor a form's token is asked for.

    A mail program (RFC 8058) posts to the address of the link, follows no redirection and shows no answer.
    """
    token = request.form.get("token", "") or link_token()
    link_id = current_parts().links.read(DECLINE_PURPOSE, token)
    if link_id is None or not current_parts().worklists.invitations.decline(link_id):
        return _dead()
    if "List-Unsubscribe" in request.form:
        return _declined()
    return go_on(f"{url_for('declining.show')}?done", _declined)


def _declined() -> Response:
    return page("pages/declined.html")


def _dead() -> Response:
    reference = passing_reference("decline")
    href = url_for("site.start")
    return page("account/dead_link.html", 410, key="decline.dead", just_set=None, href=href, reference=reference)
