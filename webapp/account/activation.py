"""The activation code at the first sign-in: until it is given, the account can do nothing else (A7, B3)."""

from flask import Blueprint, Response, flash, get_flashed_messages, make_response, redirect, request
from wtforms import ValidationError

from services.accounts import Session
from services.figures import FINISHED, REFUSED
from services.refusal import Refusal
from services.values import masking
from webapp.account import sessions
from webapp.journey import funnel
from webapp.parts import wired
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.forms import StepForm, Text, read_code
from webapp.ui.language import say
from webapp.ui.respond import page

blueprint = Blueprint("activation", __name__)

_FIELDS = Fields({"activation_code": "activation.label", "resend": "activation.resend"})


class ActivationForm(StepForm):
    """The code from the mail, or its last characters."""

    activation_code = Text(40)
    code: str = ""

    def validate_activation_code(self, field: Text) -> None:
        """One that cannot be right costs no try."""
        try:
            self.code = read_code(field.name, field.data, wired().profile.one_time_code)
        except Refusal as refusal:
            raise ValidationError(refusal) from None


@blueprint.get(sessions.ACTIVATION)
@sessions.needed
def show() -> Response:
    """Ask for the code."""
    return _show(SentForm())


@blueprint.post(sessions.ACTIVATION)
@sessions.needed
def submit() -> Response:
    """Take the code, or mail a new one."""
    session, activations = _session(), wired().accounts.activations
    if not activations.is_due(session):
        return _go(sessions.ACCOUNT)
    is_resend = request.form.get("action") == "resend-email"
    try:
        if is_resend:
            activations.mail_again(session)
            flash("activation.resent")
            return _go(sessions.ACTIVATION)
        form = ActivationForm(request.form)
        if not form.validate():
            raise next(form.refusals())[1]
        sessions.hold(activations.activate(session, form.code))
    except Refusal as refusal:
        funnel.activation(REFUSED, f"{refusal.field}.{refusal.reason}")
        return _show(explain([("resend" if is_resend else "", refusal)], _FIELDS, {}))
    funnel.activation(FINISHED)
    flash("activation.done")
    return _go(sessions.ACCOUNT)


def _show(form: SentForm) -> Response:
    session, rules = _session(), wired().profile.one_time_code
    if not wired().accounts.activations.is_due(session):
        return _go(sessions.ACCOUNT)
    notice = next((say()(str(key)) for key in get_flashed_messages()), None)
    return page(
        "account/activation.html",
        form.status,
        form=form,
        problems=form.problems,
        notice=notice,
        email=masking.email(session.account.email),
        length=rules.length,
        typed=rules.typed,
        action=sessions.ACTIVATION,
        token_field="",
    )


def _go(address: str) -> Response:
    return make_response(redirect(address, 303))


def _session() -> Session:
    session = sessions.current()
    if session is None:
        raise RuntimeError("this view is reached by signed-in customers only")
    return session
