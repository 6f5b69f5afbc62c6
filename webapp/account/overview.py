"""The settings: what the signed-in customer's account holds, and where it is open."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request, url_for

from services.accounts import Session
from services.accounts.devices import SignedInDevice
from services.accounts.passkeys import Passkey
from services.refusal import OutOfTurn
from services.values import masking
from webapp.account import grants, sessions
from webapp.parts import current_parts
from webapp.ui.form_errors import SentForm
from webapp.ui.formats import clock_time, date_and_time, day, first_minute
from webapp.ui.language import say
from webapp.ui.respond import go_on, page

blueprint = Blueprint("account", __name__, url_prefix="/fiok")

_SETTINGS = "/beallitasok"


@blueprint.get(_SETTINGS)
@sessions.needed
def overview(session: Session) -> Response:
    """Show what the account holds."""
    return _show(session)


@blueprint.post(f"{_SETTINGS}/hozzaferes")
@sessions.needed
def grant(session: Session) -> Response:
    """Let the adviser see something, or take it back."""
    return _acted(session, grants.act_on_grant)


@blueprint.post(f"{_SETTINGS}/levelek")
@sessions.needed
def letter_consent(session: Session) -> Response:
    """Decide whether letters come electronically or by post."""
    return _acted(session, grants.act_on_consent)


def _acted(session: Session, act: Callable[[Session], SentForm | None]) -> Response:
    try:
        refused = act(session)
    except OutOfTurn:
        refused = None  # done by a second click: the page shows where things stand
    if refused is not None:
        return _show(session, refused)
    return go_on(url_for("account.overview"), lambda: _show(session))


def _show(session: Session, form: SentForm | None = None) -> Response:
    parts, form = current_parts(), form or SentForm()
    account, places = session.account, parts.accounts.devices.places(session)
    possible_from = parts.accounts.password_changes.possible_from(account)
    return page(
        "account/overview.html",
        form.status,
        form=form,
        problems=form.problems,
        notice=sessions.flash.take(time=clock_time(session.over_at)),
        pending_email=parts.accounts.email_changes.pending_email(session),
        customer=account.name,
        email=masking.email(account.email),
        mobile=masking.mobile(account.mobile) if account.mobile else None,
        password={
            "changed": date_and_time(account.password_changed_at),
            "possible_from": date_and_time(first_minute(possible_from)) if possible_from > parts.clock.now() else None,
        },
        terms={
            "version": account.terms_version,
            "accepted": date_and_time(account.terms_accepted_at) if account.terms_accepted_at else None,
        },
        sessions=[_open(place, session) for place in places.open],
        passkeys=[_passkey(passkey) for passkey in parts.accounts.passkeys.all(session)],
        has_passkeys=parts.accounts.passkeys.are_possible,
        last=[{"device": _device(place.device), "at": date_and_time(place.created_at)} for place in places.last],
        has_letter_password=parts.profile.letters == "encrypted_mail",
        action=url_for("account.end_sessions"),
        grant=grants.grant_card(session),
        consent=grants.consent_card(session),
    )


@blueprint.post(_SETTINGS)
@sessions.needed
def end_sessions(session: Session) -> Response:
    """Sign out on another device, or on all others."""
    parts = current_parts()
    if request.form.get("action") == "end-others":
        parts.accounts.devices.end_others(session)
    elif ended := request.form.get("session", ""):
        if ended == session.id:
            raise OutOfTurn
        parts.accounts.devices.end(session, ended)
    else:
        raise OutOfTurn
    sessions.flash.leave("account.sessions.ended")
    return go_on(url_for("account.overview"), overview)


@blueprint.get("/adatok.json")
@sessions.needed
def download(session: Session) -> Response:
    """Send everything that the account holds as one file."""
    response = jsonify(_readable(current_parts().accounts.details.export(session)))
    response.headers["Content-Disposition"] = 'attachment; filename="adataim.json"'
    return response


def _readable(held: Any) -> Any:
    if isinstance(held, Mapping):
        return {key: _readable(value) for key, value in held.items()}
    if isinstance(held, list):
        return [_readable(value) for value in held]
    return held.astimezone(current_parts().profile.zone).isoformat() if hasattr(held, "astimezone") else held


def _open(place: SignedInDevice, session: Session) -> dict[str, Any]:
    return {
        "id": place.id,
        "device": _device(place.device),
        "seen": clock_time(place.seen_at),
        "is_this": place.id == session.id,
    }


def _passkey(passkey: Passkey) -> dict[str, Any]:
    return {
        "id": passkey.id,
        "name": passkey.name,
        "added": day(passkey.created_at),
        "used": date_and_time(passkey.used_at) if passkey.used_at else None,
    }


def _device(name: str) -> str:
    return name or say().plain("account.device.unknown")
