"""Signing in to the console, out, and staying signed in."""

from typing import ClassVar

from flask import Response, request

from services.refusal import Refusal
from services.values import email_addresses
from services.values.spelling import plain
from webapp.account import sessions
from webapp.account.credentials import Credentials, turn_away
from webapp.console import staff_sessions
from webapp.console.staff_sessions import blueprint
from webapp.http import devices
from webapp.http.addresses import local
from webapp.parts import current_parts
from webapp.ui.forms import Text
from webapp.ui.respond import go_on
from webapp.ui.session_note import answered, note_extended


class StaffCredentials(Credentials):
    """The address, the password and the code of the authenticator app."""

    labels: ClassVar = {**Credentials.labels, "totp": "staff.login.totp.label"}

    totp = Text(20)

    @property
    def code(self) -> str:
        """The code without what is typed between its digits."""
        return "".join(plain(str(self.totp.data)).replace("-", "").split())


@blueprint.post("/belepes")
def sign_in() -> Response:
    """Sign in a member of staff and lead them to their own entrance."""
    form, device = StaffCredentials(request.form), devices.this_device()
    mistakes = form.mistakes()
    if not mistakes:
        try:
            token = current_parts().staff.sign_ins.sign_in(
                email_addresses.key_of(form.typed), str(form.password.data), form.code, device,
                held=staff_sessions.held(),
            )  # fmt: skip
        except Refusal as refusal:
            mistakes = [("", refusal)]
        else:
            return staff_sessions.enter(token, device, go_on)
    hidden = ("totp",) if current_parts().settings.demo else ()
    return turn_away(staff_sessions.show_login, form, mistakes, hidden=hidden, for_staff=True)


@blueprint.post("/kilepes")
def sign_out() -> Response:
    """End the session on the server, and have the browser forget everything."""
    sessions.let_go()
    staff_sessions.flash.leave("login.signed_out")
    return go_on(staff_sessions.address("home"))


@blueprint.post("/maradok")
def stay() -> Response:
    """Prolong the session: this request counts as activity."""
    if staff_sessions.current() is None:
        return staff_sessions.ask()
    note_extended()
    address = local(request.form.get("next", "")) or staff_sessions.address("home")
    return go_on(address, _session_note, push=False)


@blueprint.get("/meddig")
def until_when() -> Response:
    """Tell how long the session lasts; this request does not prolong it."""
    return _session_note()


def _session_note() -> Response:
    home = staff_sessions.address("home")
    return answered(staff_sessions.note(), ended="login.ended.idle", sign_in_again_url=home, keeps_typed=False)
