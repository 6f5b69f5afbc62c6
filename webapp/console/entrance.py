"""Signing in to the console, out, and staying signed in."""

from flask import Response, make_response, render_template, request

from services.refusal import Refusal
from services.values import email_addresses
from services.values.spelling import plain
from webapp.account import sessions
from webapp.console import staff_sessions
from webapp.console.staff_sessions import blueprint
from webapp.http import devices
from webapp.http.addresses import local
from webapp.parts import current_parts
from webapp.ui.form_errors import Fields, about_all, explain
from webapp.ui.formats import clock_time, first_minute, time_left
from webapp.ui.forms import StepForm, Text
from webapp.ui.language import say
from webapp.ui.passwords import FAR_TOO_LONG
from webapp.ui.references import passing_reference
from webapp.ui.respond import go_on
from webapp.ui.session_note import note_extended

_FIELDS = Fields({
    "email": "login.email.label",
    "password": "login.password.label",
    "totp": "staff.login.totp.label",
})  # fmt: skip


class StaffLoginForm(StepForm):
    """The address, the password and the code of the authenticator app."""

    email = Text(320)
    password = Text(FAR_TOO_LONG)
    totp = Text(20)


@blueprint.post("/belepes")
def sign_in() -> Response:
    """Let a member of staff in; they go on to their own door."""
    form = StaffLoginForm(request.form)
    typed, password = str(form.email.data).strip(), str(form.password.data)
    missing = [(name, Refusal("login", name)) for name in ("email", "password") if not form[name].data]
    refusals = missing or ([] if form.validate() else list(form.refusals()))
    if not refusals:
        device = devices.this_device()
        code = "".join(plain(str(form.totp.data)).replace("-", "").split())
        try:
            token = current_parts().staff.sign_ins.sign_in(
                email_addresses.key_of(typed), password, code, device, held=staff_sessions.held()
            )
        except Refusal as refusal:
            if refusal.reason == "wait":
                return _wait(refusal, typed)
            refusals = [("", refusal)]
        else:
            staff_sessions.enter(token)
            response = go_on(staff_sessions.home_of(staff_sessions.current()))
            devices.remember(device, response)
            return response
    sent = explain(refusals, _FIELDS, {"email": typed})
    is_failed = refusals[0][1].reason == "failed"
    if is_failed:
        hidden = {"totp"} if current_parts().settings.demo else set()
        sent = about_all(sent, {name: key for name, key in _FIELDS.labels.items() if name not in hidden})
    return staff_sessions.show_login(sent.status, form=sent, is_failed=is_failed)


@blueprint.post("/kilepes")
def sign_out() -> Response:
    """End the session on the server, and have the browser forget everything."""
    sessions.let_go()
    staff_sessions.flash.leave("login.signed_out")
    return go_on(staff_sessions.address("home"))


@blueprint.post("/maradok")
def stay() -> Response:
    """Prolong the session: to be asked for is to be active."""
    if staff_sessions.current() is None:
        return staff_sessions.ask()
    note_extended()
    address = local(request.form.get("next", "")) or staff_sessions.address("home")
    return go_on(address, _session_note, push=False)


@blueprint.get("/meddig")
def until_when() -> Response:
    """Tell how long the session lasts; being asked does not prolong it."""
    return _session_note()


def _session_note() -> Response:
    words = render_template(
        "components/session_note.html",
        session_note=staff_sessions.note(),
        ended="login.ended.idle",
        sign_in_again_url=staff_sessions.address("home"),
        keeps_typed=False,
    )
    return make_response(words)


def _wait(refusal: Refusal, typed: str) -> Response:
    until = refusal.facts["at"]
    wait = {
        "text": say()("staff.login.wait.text", time=clock_time(first_minute(until))),
        "reference": passing_reference("staff_login_wait"),
    }
    response = staff_sessions.show_login(429, form=explain((), _FIELDS, {"email": typed}), wait=wait)
    response.headers["Retry-After"] = str(max(1, time_left(until)))
    return response
