"""The signed-in customer behind a request: an opaque secret in the browser's signed session, the rest on the server."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec
from urllib.parse import urlencode

from flask import Response, flash, g, make_response, redirect, request, session

from services.accounts import Session, SignedOut
from webapp.http.forgery import form_secret
from webapp.parts import wired
from webapp.ui.form_errors import SentForm
from webapp.ui.language import language
from webapp.ui.respond import page

P = ParamSpec("P")

SIGN_IN = "/belepes"
ACCOUNT = "/fiok"
TERMS = "/fiok/feltetelek"
ACTIVATION = "/fiok/aktivalas"
STAFF = "staff"
"""Where the browser's session holds the secret of a member of staff's session, see `webapp.console.staff_sessions`."""
_KEY, _RESET = "sign_in", "reset"
_KEPT = ("email", "mobile")
"""What is kept of a form whose session has ended: what was typed there, and never a secret."""
_LONGEST_KEPT = 320


def current() -> Session | None:
    """Return the session of this browser while it lasts. Being asked for counts as being active."""
    session_ = _seen()
    return session_ if session_ is not None and session_.ended_by is None else None


def _seen() -> Session | None:
    if "signed_in" not in g:
        token = held()
        is_activity = request.endpoint != "sign_in.until_when"
        g.signed_in = wired().accounts.sign_ins.resume(token, is_activity=is_activity) if token else None
    seen: Session | None = g.signed_in
    return seen


def held() -> str | None:
    """Return the session's secret that this browser holds, whatever has become of the session."""
    token: str | None = session.get(_KEY)
    return token


def hold(token: str) -> None:
    """Have this browser hold a session's secret from now on: after a sign-in or a change of its rights."""
    session[_KEY] = token
    look_again()


def look_again() -> None:
    """Have `current` read anew what has changed since."""
    g.pop("signed_in", None)


def remember_reset(proof: str) -> None:
    """Have this browser be known, at its next sign-in, as the one that has set the new password."""
    session[_RESET] = proof


def reset_here() -> str | None:
    """Return what `remember_reset` kept."""
    proof: str | None = session.get(_RESET)
    return proof


def let_go() -> None:
    """Have this browser hold nothing any more, and end on the server the sessions that it held: a customer's, staff's.

    A saved cookie is then worth nothing, whichever of the two signs in or out next.
    """
    look_again()
    if (session_ := current()) is not None:
        wired().accounts.sign_ins.sign_out(session_)
    if staff_token := session.get(STAFF):
        wired().staff.accounts.sign_out(staff_token)
    session.clear()
    look_again()
    g.pop(STAFF, None)


def why_ended() -> str | None:
    """Return the key of the text that says why this browser is not signed in any more; None when it never was."""
    seen = _seen()
    if seen is None:
        # Its account was closed, or an answer that brought a new secret was lost on the way: no reason to be alarmed.
        return "login.ended.gone" if session.get(_KEY) else None
    ended_by = "elsewhere" if seen.ended_by == "signed_out" else seen.ended_by
    return ended_by and f"login.ended.{ended_by}"


def needed(view: Callable[P, Response]) -> Callable[P, Response]:
    """Let a view be reached by signed-in customers only, with the terms in force accepted and the account active.

    What is due comes first: the terms (M24), then the activation code (A7).
    """

    @wraps(view)
    def guarded(*arguments: P.args, **named: P.kwargs) -> Response:
        session_ = current()
        if session_ is None:
            return ask()
        if request.path != TERMS and wired().accounts.sign_ins.terms_due(session_):
            return make_response(redirect(TERMS, 303))
        if request.path not in (TERMS, ACTIVATION) and wired().accounts.activations.is_due(session_):
            if request.path != ACCOUNT:
                flash("activation.limited")
            return make_response(redirect(ACTIVATION, 303))
        try:
            # Only here, behind the sign-in: its mail about a new device keeps the language that the account had,
            # which is not the choice of whoever it may warn of.
            if session_.account.language != language():
                wired().accounts.sign_ins.speak(session_, language())
                look_again()
            return view(*arguments, **named)
        except SignedOut:
            look_again()
            return ask()

    return guarded


def ask() -> Response:
    """Ask for a sign-in and come back here. What was typed is kept: it travels in the form that asks."""
    if request.method in ("GET", "HEAD"):
        return ask_before(request.full_path.rstrip("?"))
    ended = why_ended()
    session.pop(_KEY, None)
    look_again()
    return show_sign_in(
        403, notice=ended or "login.needed", next_address=request.path, kept=kept(), signed_out_to=SIGN_IN
    )


def kept(prefix: str = "") -> dict[str, str]:
    """Return what was sent in this form that is to outlast the sign-in; `prefix` is what its names begin with."""
    sent = {name: request.form.get(f"{prefix}{name}", "") for name in _KEPT}
    return {name: value for name, value in sent.items() if value and len(value) <= _LONGEST_KEPT}


def ask_before(address: str) -> Response:
    """Ask for a sign-in and go on to `address`, by way of the sign-in page."""
    ended = why_ended()
    session.pop(_KEY, None)
    look_again()
    flash(ended or "login.needed")
    return make_response(redirect(f"{SIGN_IN}?{urlencode({'next': address})}", 303))


def show_sign_in(status: int = 200, **context: Any) -> Response:
    """Show the sign-in page."""
    usual: dict[str, Any] = {
        "is_refused": status == 403,
        "notice": None,
        "next_address": "",
        "kept": {},
        "wait": None,
        "is_failed": False,
        "passkeys": wired().accounts.passkeys,
        "passkey_options": passkey_options(),
    }
    shown = {**usual, **context}
    form = shown.setdefault("form", SentForm())
    return page("account/login.html", status, problems=form.problems, **shown)


def passkey_options() -> str:
    """Return what this browser is to ask its passkeys, as JSON."""
    return wired().accounts.passkeys.options(form_secret())
