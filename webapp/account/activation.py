"""The activation code at the first sign-in: until it is given, the account can do nothing else (A7, B3)."""

from flask import Blueprint, Response, request, url_for

from services.accounts import Session
from services.figures import FINISHED, REFUSED
from services.refusal import Refusal
from services.values import masking
from webapp.account import sessions
from webapp.journey import funnel
from webapp.parts import current_parts
from webapp.ui.fields import code_field
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.formats import clock_time
from webapp.ui.forms import StepForm
from webapp.ui.respond import go_on, page, see_other

blueprint = Blueprint("activation", __name__, url_prefix="/fiok/aktivalas")

_FIELDS = Fields({"activation_code": "activation.label", "resend": "activation.resend"})


class ActivationForm(StepForm):
    """The code from the mail, or its last characters."""

    activation_code = code_field("activation_code")


@blueprint.get("")
@sessions.needed
def show(session: Session) -> Response:
    """Ask for the code."""
    return _show(session, SentForm())


@blueprint.post("")
@sessions.needed
def submit(session: Session) -> Response:
    """Take the code, or mail a new one."""
    activations = current_parts().accounts.activations
    if not activations.is_due(session):
        return go_on(sessions.where_to(_next()))
    is_resend = request.form.get("action") == "resend-email"
    try:
        if is_resend:
            activations.mail_again(session)
            sessions.flash.leave("activation.resent")
            return go_on(url_for("activation.show"), show)
        form = ActivationForm(request.form)
        if not form.validate():
            raise next(form.refusals())[1]
        sessions.hold(activations.activate(session, form.activation_code.value))
    except Refusal as refusal:
        funnel.activation(REFUSED, f"{refusal.field}.{refusal.reason}")
        return _show(session, explain([("resend" if is_resend else "", refusal)], _FIELDS, {}))
    funnel.activation(FINISHED)
    sessions.flash.leave("activation.done")
    # Loaded whole: the portal's places come with it.
    return go_on(sessions.where_to(_next()))


def _show(session: Session, form: SentForm) -> Response:
    rules = current_parts().profile.one_time_code
    if not current_parts().accounts.activations.is_due(session):
        return see_other(sessions.where_to(_next()))
    return page(
        "account/activation.html",
        form.status,
        form=form,
        problems=form.problems,
        notice=sessions.flash.take(time=clock_time(session.over_at)),
        email=masking.email(session.account.email),
        length=rules.length,
        typed=rules.typed,
        action=url_for("activation.submit"),
        token_field="",
        next_address=_next(),
    )


def _next() -> str:
    return request.values.get("next", "")
