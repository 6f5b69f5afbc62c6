"""Closing the account."""

from collections.abc import Sequence

from flask import Blueprint, Response, request, url_for
from wtforms import ValidationError

from services.accounts import Session
from services.refusal import Refusal
from webapp.account import sessions
from webapp.account.forms import CurrentPasswordForm, form_page
from webapp.parts import current_parts
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.forms import Text
from webapp.ui.respond import go_on, page

blueprint = Blueprint("closing", __name__)

_ADDRESS = "/fiok/megszuntetes"
_FIELDS = Fields({"confirm": "account.close.heading", "current_password": "login.password.label"})


class CloseForm(CurrentPasswordForm):
    """That the customer means it."""

    confirm = Text(20)

    def validate_confirm(self, field: Text) -> None:
        """The box must be ticked."""
        if not field.data:
            raise ValidationError(Refusal("confirm", "not_ticked"))


@blueprint.get(_ADDRESS)
@sessions.needed
def show(session: Session) -> Response:
    """Ask whether the account is really to be closed."""
    return form_page(session, "close", url_for("closing.close"), SentForm())


@blueprint.post(_ADDRESS)
@sessions.needed
def close(session: Session) -> Response:
    """Close the account."""
    form = CloseForm(request.form)
    try:
        if not form.validate():
            return _again(session, form, list(form.refusals()))
        current_parts().accounts.details.close(session, form.current_password.data)
    except Refusal as refusal:
        return _again(session, form, [("", refusal)])
    sessions.let_go()
    address = url_for("closing.closed")
    return go_on(address, lambda: page("account/closed.html", signed_out_to=address))


@blueprint.get("/fiok/megszunt")
def closed() -> Response:
    """Say that the account is closed."""
    return page("account/closed.html")


def _again(session: Session, form: CloseForm, refusals: Sequence[tuple[str, Refusal]]) -> Response:
    sent = explain(refusals, _FIELDS, {"confirm": form.confirm.data})
    return form_page(session, "close", url_for("closing.close"), sent)
