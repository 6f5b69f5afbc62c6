"""The password of a customer's electronic letters, as staff help with it: „Editácia PZ” (P29, S3, S4)."""

from flask import Response, request

from services.letters.password_help import PasswordState
from services.refusal import DeadEnd, OutOfTurn, Refusal
from services.staff import StaffSession
from services.values import masking
from webapp.console import cases, staff_sessions
from webapp.console.staff_sessions import blueprint, desk_page, flash, needed
from webapp.parts import current_parts
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.formats import date_and_time
from webapp.ui.language import say
from webapp.ui.respond import go_on

_PASSWORD = "/ugyfel/<case_id>/levelezesi-jelszo"  # noqa: S105 (an address)
_FIELDS = Fields({
    "phone_checked": "staff.letter_password.phone_checked", "resend": "staff.letter_password.continue",
})  # fmt: skip
_DIGITS = {"default4": 4, "default3": 3}


@blueprint.get(_PASSWORD)
@needed
def show_letter_password(seen: StaffSession, case_id: str) -> Response:
    """Show since when the customer has a password, and what can be done about it."""
    return _show(seen, case_id)


@blueprint.post(_PASSWORD)
@needed
def help_with_letter_password(seen: StaffSession, case_id: str) -> Response:
    """Send the password to the customer's mobile, or take it away."""
    try:
        if request.form.get("action") == "reset":
            count = current_parts().staff.letter_passwords.reset(seen, case_id)
            flash.leave("staff.letter_password.was_reset", count=count)
        else:
            _send(seen, case_id)
    except Refusal as refusal:
        place = "phone_checked" if refusal.field == "phone_checked" else "resend"
        if (refusal.field, refusal.reason) == ("sms", "paused"):
            refusal = Refusal("sms_budget", "stopped")  # as staff are told
        typed = {"phone_checked": request.form.get("phone_checked", "")}
        return _show(seen, case_id, explain([(place, refusal)], _FIELDS, typed, for_staff=True))
    except DeadEnd as dead_end:
        flash.leave(f"dead_end.{dead_end.kind}.heading")
    except OutOfTurn:
        pass  # done by a second click, or by the customer: the page shows where things stand
    address = staff_sessions.address("show_letter_password", case_id=case_id)
    return go_on(address, lambda: _show(seen, case_id))


def _send(seen: StaffSession, case_id: str) -> None:
    is_checked = bool(request.form.get("phone_checked"))
    mobile = current_parts().staff.letter_passwords.send(seen, case_id, is_phone_checked=is_checked)
    flash.leave("staff.letter_password.sent", mobile_masked=masking.mobile(mobile))


def _show(seen: StaffSession, case_id: str, form: SentForm | None = None) -> Response:
    parts, form = current_parts(), form or SentForm()
    state = parts.staff.letter_passwords.state(seen, case_id)
    return desk_page(
        seen,
        "console/letter_password.html",
        form.status,
        form=form,
        problems=form.problems,
        notice=flash.take(),
        name=parts.staff.search.hit(seen, case_id).name,
        case_id=case_id,
        case_url=cases.address(case_id),
        action=staff_sessions.address("help_with_letter_password", case_id=case_id),
        state=_words(state),
        is_own=state.opener.kind == "own",
        mobile=masking.mobile(state.mobile) if state.mobile else None,
        days=parts.profile.letter_password.resend_days,
    )


def _words(state: PasswordState) -> str:
    t, opener = say(), state.opener
    if opener.set_at is not None:
        return t.plain("staff.letter_password.set_at", datetime=date_and_time(opener.set_at))
    if opener.kind in _DIGITS:
        return t.plain("staff.letter_password.default", count=_DIGITS[opener.kind])
    return t.plain("staff.letter_password.none")
