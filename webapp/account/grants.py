"""The settings' cards of what the adviser may see, and of how letters come (P53, P19)."""

from datetime import date
from typing import Any

from flask import request

from services.accounts import Session
from services.grants.grants import SCOPES
from services.refusal import Refusal
from webapp.account import sessions
from webapp.parts import current_parts
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.formats import date_and_time, date_from, date_until
from webapp.ui.language import language, say

_GRANT = Fields({"scope": "grant.scope.legend", "until": "grant.until.label"})
_CONSENT = Fields({"letter_consent": "consent.heading"})


def act_on_grant(session: Session) -> SentForm | None:
    """Give or end the adviser's access, as the form says; return the form if it is to be mended. Raises OutOfTurn."""
    grants, form = current_parts().portal.grants.grants, request.form
    scope, until = form.get("scope", ""), form.get("until", "").replace("\0", "")[:40]
    try:
        if form.get("action") == "end":
            grants.end(session, scope)
            sessions.flash.leave("grant.ended")
        else:
            grants.give(session, scope, until)
            sessions.flash.leave("grant.given")
    except Refusal as refusal:
        typed = {"scope": scope if scope in SCOPES else "", "until": until if _is_day(until) else ""}
        return explain([("", refusal)], _GRANT, typed)
    return None


def act_on_consent(session: Session) -> SentForm | None:
    """Note what the customer decides about letters; return the form if it was refused. Raises OutOfTurn."""
    consents = current_parts().portal.letters.consents
    try:
        if request.form.get("action") == "revoke":
            consents.revoke(session, language())
            sessions.flash.leave("consent.revoked")
        else:
            consents.agree(session, language())
            sessions.flash.leave("consent.agreed")
    except Refusal as refusal:
        return explain([("", refusal)], _CONSENT, {})
    return None


def grant_card(session: Session) -> dict[str, Any]:
    """Return what the settings show of the adviser's access."""
    state, t = current_parts().portal.grants.grants.state(session), say()
    return {
        "adviser": state.adviser,
        "live": [
            {
                "scope": one.scope,
                "words": t(f"grant.state.{one.scope}", date_until=date_until(one.until)),
                "given": t("grant.state.given", datetime=date_and_time(one.given_at)),
            }
            for one in state.live
        ],
        "scopes": SCOPES,
        "looks": [
            t("grant.looks.row", datetime=date_and_time(look.at), what=_what(look.letter_type)) for look in state.looks
        ],
    }


def consent_card(session: Session) -> dict[str, Any]:
    """Return what the settings show of the consent to electronic letters."""
    parts, t = current_parts(), say()
    consents, zone = parts.portal.letters.consents, parts.profile.zone
    state = consents.state(session)
    decided = state.decided
    words = None
    if decided is not None:
        since = date_from(decided.at.astimezone(zone).date())
        words = t("consent.state.yes", date_from=since) if decided.is_agreed else t("consent.state.no")
    version = parts.profile.letter_consent
    return {
        "words": words,
        "is_agreed": decided is not None and decided.is_agreed,
        "is_revoked": decided is not None and not decided.is_agreed,
        "is_new": decided is not None and not state.is_current,
        "version": decided and t("consent.state.version", version=decided.version, datetime=date_and_time(decided.at)),
        "heading": t("consent.text.heading", version=version),
        "statement": consents.statement(language()),
        "has_own_account": state.has_own_account,
    }


def _is_day(text: str) -> bool:
    """Tell whether a field for dates can hold this."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _what(letter_type: str) -> str:
    if not letter_type:
        return say().plain("grant.scope.contracts")
    key = f"letter.type.{letter_type}"
    is_known = current_parts().profile.texts.has(key, language())
    return say().plain(key if is_known else "letter.type.other")
