"""Changed terms, which are accepted before anything else (M24)."""

from flask import Blueprint, Response, request, url_for

from services.accounts import Session
from services.refusal import Refusal
from webapp.account import sessions
from webapp.account.forms import form_page
from webapp.parts import current_parts
from webapp.ui.documents import terms_shown
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.respond import go_on, see_other

blueprint = Blueprint("terms_update", __name__, url_prefix="/fiok/feltetelek")

_FIELDS = Fields({"terms": "step.terms"})


@blueprint.get("")
@sessions.needed
def show(session: Session) -> Response:
    """Show what changed in the terms since they were accepted (M24)."""
    return _show(session, SentForm())


@blueprint.post("")
@sessions.needed
def accept(session: Session) -> Response:
    """Accept the terms in force and go on."""
    parts = current_parts()
    due = parts.accounts.changed_terms.terms_due(session)
    if due is not None:
        try:
            if not request.form.get("terms"):
                raise Refusal("terms", "not_ticked" if session.terms_opened == due.version else "not_opened")
            sessions.hold(parts.accounts.changed_terms.accept_terms(session))
        except Refusal as refusal:
            return _show(session, explain([("", refusal)], _FIELDS, {"terms": request.form.get("terms", "")}))
    # Loaded whole: the portal's places come with it.
    return go_on(sessions.where_to(request.form.get("next", "")))


def _show(session: Session, form: SentForm) -> Response:
    due = current_parts().accounts.changed_terms.terms_due(session)
    if due is None:
        return see_other(sessions.where_to(_next()))
    return form_page(
        session,
        "terms_update",
        url_for("terms_update.accept"),
        form,
        terms=terms_shown(due, session.terms_opened),
        next_address=_next(),
    )


def _next() -> str:
    return request.values.get("next", "")
