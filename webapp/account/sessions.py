"""The signed-in customer behind a request: an opaque secret in the browser's signed session, the rest on the server."""

from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec

from flask import Response, request, session, url_for

from services.accounts import Session
from services.staff import StaffSession
from webapp.http.addresses import local
from webapp.http.forgery import form_secret
from webapp.http.held_sessions import HeldSession
from webapp.parts import current_parts
from webapp.ui.flash import Flash
from webapp.ui.form_errors import SentForm
from webapp.ui.language import language, say
from webapp.ui.respond import go_on, page, see_other

P = ParamSpec("P")

_RESET = "reset"
flash = Flash("customer")
"""What the sign-in and the account say once."""
_KEPT = ("email", "mobile")
"""What is kept of a form whose session has ended: what was typed there, and never a secret; the answers of a request
besides (P35)."""
_LONGEST_KEPT = 4000


def _is_activity() -> bool:
    """Tell whether somebody asks: what a page asks by itself, again and again, is no activity."""
    return not (request.endpoint or "").endswith((".until_when", ".batch_progress", ".follow"))


customer: HeldSession[Session] = HeldSession(
    "sign_in", lambda secret: current_parts().accounts.sign_ins.resume(secret, is_activity=_is_activity())
)
staff: HeldSession[StaffSession] = HeldSession(
    "staff", lambda secret: current_parts().staff.sign_ins.resume(secret, is_activity=_is_activity())
)
"""A member of staff's session, which a customer's sign-in and sign-out end too."""
current, held, hold, look_again = customer.current, customer.secret, customer.hold, customer.look_again


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
        current_parts().accounts.sign_ins.sign_out(session_)
    if staff_secret := staff.secret():
        current_parts().staff.sign_ins.sign_out(staff_secret)
    session.clear()
    look_again()
    staff.look_again()


def why_ended() -> str | None:
    """Return the key of the text that says why this browser is not signed in any more; None when it never was."""
    seen = customer.read()
    if seen is None:
        # Its account was closed, or an answer that brought a new secret was lost on the way: no reason to be alarmed.
        return "login.ended.gone" if held() else None
    ended_by = "elsewhere" if seen.ended_by == "signed_out" else seen.ended_by
    return ended_by and f"login.ended.{ended_by}"


def needed(view: Callable[Concatenate[Session, P], Response]) -> Callable[P, Response]:
    """Let a view be reached by signed-in customers only, with the terms in force accepted and the account active.

    The view is handed the session. What is due comes first: the terms (M24), then the activation code (A7).
    """

    return customer.guard(view, ask=ask, first=_first)


def _first(session_: Session) -> Response | None:
    place = request.blueprint
    if place != "terms_update" and current_parts().accounts.changed_terms.terms_due(session_):
        return see_other(url_for("terms_update.show", next=_next_here()))
    if place not in ("terms_update", "activation") and current_parts().accounts.activations.is_due(session_):
        if request.path != url_for("home.show"):
            flash.leave("activation.limited")
        return see_other(url_for("activation.show", next=_next_here()))
    # Only here, behind the sign-in: its mail about a new device keeps the language that the account had,
    # which is not the choice of whoever it may warn of.
    if session_.account.language != language():
        current_parts().accounts.sign_ins.speak(session_, language())
        look_again()
    return None


def where_to(given: str) -> str:
    """Return where a customer goes on who was stopped on the way there: `given` if it stays here, or home (P3)."""
    return local(given) or url_for("home.show")


def _next_here() -> str | None:
    """Return the page that was asked for, to which what is due first leads on (P3); None for home."""
    if request.method not in ("GET", "HEAD") or request.path == url_for("home.show"):
        return None
    return request.full_path.rstrip("?")


def ask() -> Response:
    """Ask for a sign-in and come back here. What was typed is kept: it travels in the form that asks."""
    if request.method in ("GET", "HEAD"):
        return ask_before(request.full_path.rstrip("?"))
    notice, signed_out_to = say()(_turned_away()), url_for("sign_in.show")
    return show_sign_in(403, notice=notice, next_address=request.path, kept=kept(), signed_out_to=signed_out_to)


def kept(prefix: str = "") -> dict[str, str]:
    """Return what was sent in this form that is to outlast the sign-in; `prefix` is what its names begin with."""
    sent = {name: request.form.get(f"{prefix}{name}", "") for name in {*_KEPT, *_asked_in_requests()}}
    return {name: value for name, value in sent.items() if value and len(value) <= _LONGEST_KEPT}


def _asked_in_requests() -> set[str]:
    """Return the names of the fields in which requests ask."""
    questions = [one for kind in current_parts().profile.requests.values() for one in kind.questions.values()]
    parts = {f"{one.name}-{part}" for one in questions if one.is_date for part in ("year", "month", "day")}
    return parts | {one.name for one in questions}


def ask_before(address: str) -> Response:
    """Ask for a sign-in and go on to `address`, by way of the sign-in page."""
    flash.leave(_turned_away())
    return go_on(url_for("sign_in.show", next=address))


def _turned_away() -> str:
    """Have the browser forget a session that is over, and return the key of the text that says why."""
    ended = why_ended()
    customer.drop()
    return ended or "login.needed"


def show_sign_in(status: int = 200, **context: Any) -> Response:
    """Show the sign-in page."""
    usual: dict[str, Any] = {
        "is_refused": status == 403,
        "notice": None,
        "next_address": "",
        "kept": {},
        "wait": None,
        "is_failed": False,
        "passkeys": current_parts().accounts.passkeys,
        "passkey_options": passkey_options(),
    }
    shown = {**usual, **context}
    form = shown.setdefault("form", SentForm())
    return page("account/login.html", status, problems=form.problems, **shown)


def passkey_options() -> str:
    """Return what this browser is to ask its passkeys, as JSON."""
    return current_parts().accounts.passkeys.options(form_secret())
