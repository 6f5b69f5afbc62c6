"""The signed-in customer's passkeys: adding one, which takes a script, and removing one, which does not."""

from flask import Blueprint, Response, flash, get_flashed_messages, jsonify, make_response, redirect, request
from flask import session as browser_session
from wtforms import ValidationError

from services.accounts import Session, SignedOut
from services.refusal import OutOfTurn, Refusal
from webapp.account import sessions
from webapp.account.overview import ACCOUNT, AskedAgain, overview
from webapp.http import devices
from webapp.parts import wired
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.formats import clock_time
from webapp.ui.forms import StepForm, Text
from webapp.ui.language import say
from webapp.ui.respond import is_fragment_due, page

blueprint = Blueprint("passkeys", __name__)

PASSKEYS, NEW, REMOVE = "/fiok/azonositokulcsok", "/fiok/azonositokulcsok/uj", "/fiok/azonositokulcsok/torles"
_FIELDS = Fields({"current_password": "login.password.label"})
_NAME = Fields({"name": "account.passkeys.name"})
_CHALLENGE, _STOPPED = "passkey", "account.passkeys.stopped"


class NameForm(StepForm):
    """What the customer calls the passkey."""

    name = Text(80)

    def validate_name(self, field: Text) -> None:
        """It must be there."""
        if not field.data.strip():
            raise ValidationError(Refusal("passkey", "no_name"))


@blueprint.get(PASSKEYS)
@sessions.needed
def password() -> Response:
    """Ask for the password before a passkey is added."""
    return _password(SentForm())


@blueprint.post(PASSKEYS)
@sessions.needed
def ask_to_add() -> Response:
    """Check the password and go on to the making of a passkey."""
    form = AskedAgain(request.form)
    if not form.validate():
        return _password(explain(list(form.refusals()), _FIELDS, {}))
    try:
        challenge = wired().accounts.passkeys.ask_to_add(_session(), form.current_password.data)
    except Refusal as refusal:
        return _password(explain([("", refusal)], _FIELDS, {}))
    browser_session[_CHALLENGE] = challenge
    if not is_fragment_due():
        return make_response(redirect(NEW, 303))
    response = new()
    response.headers["HX-Push-Url"] = NEW
    return response


@blueprint.get(NEW)
@sessions.needed
def new() -> Response:
    """Ask for the name, and have the browser make the passkey."""
    options = wired().accounts.passkeys.options_to_add(_session(), browser_session.get(_CHALLENGE, ""))
    if options is None:
        return make_response(redirect(PASSKEYS, 303))
    return page(
        "account/passkey_new.html",
        action=NEW,
        options=options,
        name=devices.this_device().name,
        passkeys=wired().accounts.passkeys,
        problems=(),
        notice=None,
    )


@blueprint.post(NEW)
def add() -> Response:
    """Keep the passkey that the browser has made, and tell the script where to go on."""
    session = sessions.current()
    if session is None or wired().accounts.sign_ins.terms_due(session) or wired().accounts.activations.is_due(session):
        return jsonify(to=PASSKEYS)  # where the customer is asked for what is missing
    form = NameForm(request.form)
    if not form.validate():
        response = jsonify(error=explain(list(form.refusals()), _NAME, {}).problems[0].text)
        response.status_code = 422
        return response
    challenge = browser_session.pop(_CHALLENGE, "")
    try:
        token = wired().accounts.passkeys.add(
            session, challenge, request.form.get("credential", ""), form.name.data.strip()
        )
    except Refusal:
        flash(_STOPPED)
        return jsonify(to=PASSKEYS)
    except SignedOut:
        return jsonify(to=PASSKEYS)
    sessions.hold(token)
    flash("account.passkeys.added")
    return jsonify(to=ACCOUNT)


@blueprint.post(REMOVE)
@sessions.needed
def remove() -> Response:
    """Remove a passkey."""
    token = wired().accounts.passkeys.remove(_session(), request.form.get("passkey", ""))
    if token is None:
        raise OutOfTurn
    sessions.hold(token)
    flash("account.passkeys.removed")
    if not is_fragment_due():
        return make_response(redirect(ACCOUNT, 303))
    return overview()


def _password(form: SentForm) -> Response:
    notice = next((str(key) for key in get_flashed_messages()), None)
    text = say()(notice, time=clock_time(_session().over_at)) if notice else None
    is_stopped = notice == _STOPPED
    return page(
        "account/passkey_password.html",
        form.status,
        form=form,
        problems=form.problems,
        action=PASSKEYS,
        notice=None if is_stopped else text,
        stopped=text if is_stopped else None,
        passkeys=wired().accounts.passkeys,
    )


def _session() -> Session:
    session = sessions.current()
    assert session is not None
    return session
