"""The signed-in customer's passkeys: adding one, which takes a script, and removing one, which does not."""

from flask import Blueprint, Response, jsonify, request, url_for
from flask import session as browser_session
from wtforms import ValidationError

from services.accounts import Session, SignedOut
from services.refusal import OutOfTurn, Refusal
from webapp.account import sessions
from webapp.account.forms import CurrentPasswordForm
from webapp.account.overview import overview
from webapp.http import devices
from webapp.parts import current_parts
from webapp.ui.flash import Flash
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.formats import clock_time
from webapp.ui.forms import StepForm, Text
from webapp.ui.respond import go_on, page, see_other

blueprint = Blueprint("passkeys", __name__, url_prefix="/fiok/azonositokulcsok")

_NEW = "/uj"
_FIELDS = Fields({"current_password": "login.password.label"})
_NAME = Fields({"name": "account.passkeys.name"})
_CHALLENGE = "passkey"
_failure = Flash("passkey_failure")
"""Why no passkey was made; only the page that begins it says so."""


class NameForm(StepForm):
    """What the customer calls the passkey."""

    name = Text(80)

    def validate_name(self, field: Text) -> None:
        """It must be there."""
        if not field.data.strip():
            raise ValidationError(Refusal("passkey", "no_name"))


@blueprint.get("")
@sessions.needed
def password(session: Session) -> Response:
    """Ask for the password before a passkey is added."""
    return _password(session, SentForm())


@blueprint.post("")
@sessions.needed
def ask_to_add(session: Session) -> Response:
    """Check the password and go on to the making of a passkey."""
    form = CurrentPasswordForm(request.form)
    if not form.validate():
        return _password(session, explain(list(form.refusals()), _FIELDS, {}))
    try:
        challenge = current_parts().accounts.passkeys.ask_to_add(session, form.current_password.data)
    except Refusal as refusal:
        return _password(session, explain([("", refusal)], _FIELDS, {}))
    browser_session[_CHALLENGE] = challenge
    return go_on(url_for("passkeys.new"), new)


@blueprint.get(_NEW)
@sessions.needed
def new(session: Session) -> Response:
    """Ask for the name, and have the browser make the passkey."""
    options = current_parts().accounts.passkeys.options_to_add(session, browser_session.get(_CHALLENGE, ""))
    if options is None:
        return see_other(url_for("passkeys.password"))
    return page(
        "account/passkey_new.html",
        action=url_for("passkeys.add"),
        options=options,
        name=devices.this_device().name,
        passkeys=current_parts().accounts.passkeys,
        problems=(),
        notice=None,
    )


@blueprint.post(_NEW)
def add() -> Response:
    """Keep the passkey that the browser has made, and tell the script where to go on."""
    session, start = sessions.current(), url_for("passkeys.password")
    if (
        session is None
        or current_parts().accounts.changed_terms.terms_due(session)
        or current_parts().accounts.activations.is_due(session)
    ):
        return jsonify(to=start)  # where the customer is asked for what is missing
    form = NameForm(request.form)
    if not form.validate():
        response = jsonify(error=explain(list(form.refusals()), _NAME, {}).problems[0].text)
        response.status_code = 422
        return response
    challenge = browser_session.pop(_CHALLENGE, "")
    try:
        token = current_parts().accounts.passkeys.add(
            session, challenge, request.form.get("credential", ""), form.name.data.strip()
        )
    except Refusal:
        _failure.leave("account.passkeys.stopped")
        return jsonify(to=start)
    except SignedOut:
        return jsonify(to=start)
    sessions.hold(token)
    sessions.flash.leave("account.passkeys.added")
    return jsonify(to=url_for("account.overview"))


@blueprint.post("/torles")
@sessions.needed
def remove(session: Session) -> Response:
    """Remove a passkey."""
    token = current_parts().accounts.passkeys.remove(session, request.form.get("passkey", ""))
    if token is None:
        raise OutOfTurn
    sessions.hold(token)
    sessions.flash.leave("account.passkeys.removed")
    return go_on(url_for("account.overview"), overview, push=False)


def _password(session: Session, form: SentForm) -> Response:
    return page(
        "account/passkey_password.html",
        form.status,
        form=form,
        problems=form.problems,
        action=url_for("passkeys.ask_to_add"),
        notice=sessions.flash.take(time=clock_time(session.over_at)),
        stopped=_failure.take(),
        passkeys=current_parts().accounts.passkeys,
    )
