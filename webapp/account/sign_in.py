"""Signing in, out, and staying signed in."""

from collections.abc import Callable
from functools import partial
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, request, session, url_for

from services.refusal import Refusal
from services.sessions import Device
from services.values import email_addresses
from webapp.account import sessions
from webapp.account.credentials import Credentials, turn_away
from webapp.http import devices
from webapp.http.addresses import LINKS, local, without_token
from webapp.http.forgery import form_secret
from webapp.journey import browser
from webapp.parts import current_parts
from webapp.ui.faults import DATABASE_FAILURES
from webapp.ui.language import say
from webapp.ui.respond import go_on, is_fragment_due, see_other
from webapp.ui.session_note import answered, note_extended, session_note

blueprint = Blueprint("sign_in", __name__)

_ADDRESS = "/belepes"
_CAME_FOR = "came_for"
"""Where a link led that asked for a sign-in; the browser remembers it through a registration."""


@blueprint.get(_ADDRESS)
def show() -> Response:
    """Show the form; a customer who is signed in goes on to the account."""
    address = local(request.args.get("next", ""))
    if address:
        session[_CAME_FOR] = address
    elif browser.proved():
        # A mail's link led here before there was an account: the registration that followed leads on to its place (P3).
        address = local(session.get(_CAME_FOR, ""))
    if sessions.current() is not None:
        return see_other(address or url_for("home.show"))
    ended = sessions.why_ended()
    notice = sessions.flash.take() or (say()(ended) if ended else None)
    return sessions.show_sign_in(notice=notice, next_address=address)


@blueprint.post(_ADDRESS)
def submit() -> Response:
    """Sign in and go on where the customer wanted to."""
    form, device = Credentials(request.form), devices.this_device()
    address, kept = _brought()
    mistakes = form.mistakes()
    if not mistakes:
        try:
            token = current_parts().accounts.sign_ins.sign_in(
                email_addresses.key_of(form.typed), str(form.password.data), device,
                registered_here=browser.proved(),
                reset_here=sessions.reset_here(),
                held=sessions.held(),
                kept=kept or None,
            )  # fmt: skip
        except Refusal as refusal:
            mistakes = [("", refusal)]
        else:
            return _enter(token, device, address, kept)
    show_again = partial(sessions.show_sign_in, next_address=address, kept=kept)
    return turn_away(show_again, form, mistakes)


@blueprint.post(f"{_ADDRESS}/azonositokulcs")
def submit_passkey() -> Response:
    """Sign in by a passkey's answer, and tell the script where to go on; or what went wrong, and what to ask next."""
    device = devices.this_device()
    address, kept = _brought()
    try:
        token = current_parts().accounts.passkeys.sign_in(
            request.form.get("credential", ""), form_secret(), device,
            registered_here=browser.proved(),
            held=sessions.held(),
            kept=kept or None,
        )  # fmt: skip
    except Refusal:
        response = jsonify(error=say().plain("login.passkey.stopped"), options=sessions.passkey_options())
        response.status_code = 422
        return response
    return _enter(token, device, address, kept, lambda address: jsonify(to=address))


@blueprint.post("/kilepes")
def sign_out() -> Response:
    """End the session on the server, and have the browser forget everything.

    Who signs out to change accounts comes to `next` by the sign-in (P3).
    """
    address = local(request.form.get("next", ""))
    sessions.let_go()
    sessions.flash.leave("login.signed_out")
    return go_on(url_for("sign_in.show", next=address) if address else url_for("sign_in.show"))


@blueprint.post(f"{_ADDRESS}/maradok")
def stay() -> Response:
    """Prolong the session: to be asked for is to be active."""
    address = local(request.form.get("next", "")) or url_for("home.show")
    is_signed_in = sessions.current() is not None
    if not is_signed_in:
        return _session_note() if is_fragment_due() else sessions.ask_before(address)
    note_extended()
    return go_on(address, _session_note, push=False)


@blueprint.get(f"{_ADDRESS}/meddig")
def until_when() -> Response:
    """Tell how long the session lasts; being asked does not prolong it."""
    return _session_note()


def _session_note() -> Response:
    return answered(
        note(),
        ended=sessions.why_ended() or "login.ended.idle",
        sign_in_again_url=url_for("sign_in.show", next=_page_asking()),
        keeps_typed=True,
    )


def _page_asking() -> str:
    host_and_path = request.headers.get("HX-Current-URL", "").partition("://")[2]
    return without_token(local(f"/{host_and_path.partition('/')[2]}")) or url_for("home.show")


def frame() -> dict[str, object]:
    """Return what the frame of every page knows of the signed-in customer."""
    try:
        return {"signed_in": sessions.current() is not None, "session_note": note()}
    except DATABASE_FAILURES:
        # The page that says so is shown while the database does not answer.
        return {"signed_in": False, "session_note": None}


def note() -> dict[str, object] | None:
    """Return what a page says about the end of the session; None where nobody is signed in."""
    if (session_ := sessions.current()) is None:
        return None
    return session_note(session_, until_url=url_for("sign_in.until_when"), stay_url=url_for("sign_in.stay"))


def _brought() -> tuple[str, dict[str, str]]:
    """Return where the customer wanted to go, and what was typed when an earlier session ended."""
    return local(request.form.get("next", "")), sessions.kept("kept-")


def _enter(
    token: str, device: Device, address: str, kept: dict[str, str], go: Callable[[str], Response] | None = None
) -> Response:
    # A new browser session: whatever was in it before the sign-in, a form's token too, is worth nothing now. But for
    # the links that were followed here: `address` may lead back to one.
    links = session.get(LINKS)
    sessions.let_go()
    if links:
        session[LINKS] = links
    sessions.hold(token)
    if (signed_in := sessions.current()) is not None and not current_parts().accounts.activations.is_due(signed_in):
        current_parts().portal.requests.claims.attach(signed_in)  # its address is confirmed (P45)
    if kept and address:
        address = f"{urlsplit(address).path}?kept=1"
    response = (go or go_on)(address or url_for("home.show"))
    devices.remember(device, response)
    return response
