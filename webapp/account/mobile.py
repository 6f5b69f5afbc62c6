"""Changing the mobile: a code is sent to the new number."""

from flask import Blueprint, Response, request, url_for

from services.accounts import Session
from services.refusal import DeadEnd, OutOfTurn, Refusal
from services.values import masking
from webapp.account import sessions
from webapp.account.forms import CurrentPasswordForm, form_page, kept_of
from webapp.account.overview import overview
from webapp.parts import current_parts
from webapp.steps.sms_code import SmsCodeForm
from webapp.ui.codes import code_shown
from webapp.ui.fields import mobile_field
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.formats import date_and_time, first_minute
from webapp.ui.references import lasting_reference
from webapp.ui.respond import go_on, page

blueprint = Blueprint("mobile", __name__, url_prefix="/fiok/mobil")

_FIELDS = Fields({"mobile": "account.mobile.change.new", "current_password": "login.password.label"})
_CODE_FIELDS = Fields({"sms_code": "sms_code.label"})
_RESEND_FIELDS = Fields({"resend": "sms_code.resend"})


class MobileForm(CurrentPasswordForm):
    """The new number."""

    mobile = mobile_field()


@blueprint.get("")
@sessions.needed
def show(session: Session) -> Response:
    """Show the form for a new number, or for the code that was sent to it."""
    return _show(session)


@blueprint.post("")
@sessions.needed
def change(session: Session) -> Response:
    """Send a code to the new number, check it, or send another."""
    details = current_parts().accounts.mobile_changes
    try:
        return _do(session)
    except OutOfTurn:
        return go_on(url_for("mobile.show"), show)
    except DeadEnd as dead_end:
        return _no_codes_left(session, dead_end)
    except Refusal as refusal:
        typed = {"mobile": request.form.get("mobile", "")}
        if (refusal.field, refusal.reason) == ("sms", "paused"):
            return _show(session, SentForm(typed, status=409), is_paused=True)
        fields = _FIELDS
        if details.mobile_change(session):
            fields = _CODE_FIELDS if refusal.field == "sms_code" else _RESEND_FIELDS
        return _show(session, explain([("", refusal)], fields, typed))


def _do(session: Session) -> Response:
    details = current_parts().accounts.mobile_changes
    action = request.form.get("action") or request.form.get("step")
    if action == "sms-resend":
        details.resend_code(session)
        sessions.flash.leave("sms_code.resent")
        return go_on(url_for("mobile.show"), show)
    if action == "change-mobile":
        details.drop_mobile_change(session)
        return go_on(url_for("mobile.show"), show)
    return _check_code(session) if "sms_code" in request.form else _send_code(session)


def _send_code(session: Session) -> Response:
    form = MobileForm(request.form)
    if not form.validate():
        return _show(session, explain(list(form.refusals()), _FIELDS, {"mobile": form.mobile.data}))
    current_parts().accounts.mobile_changes.ask_for_mobile(session, form.current_password.data, form.mobile.value)
    return go_on(url_for("mobile.show"), show)


def _check_code(session: Session) -> Response:
    form = SmsCodeForm(request.form)
    if not form.validate():
        return _show(session, explain(list(form.refusals()), _CODE_FIELDS, {"sms_code": form.sms_code.data}))
    current_parts().accounts.mobile_changes.confirm_mobile(session, form.sms_code.value)
    sessions.look_again()
    sessions.flash.leave("account.mobile.change.done")
    return go_on(url_for("account.overview"), overview)


def _show(session: Session, form: SentForm | None = None, *, is_paused: bool = False) -> Response:
    parts, action = current_parts(), url_for("mobile.change")
    waiting = parts.accounts.mobile_changes.mobile_change(session)
    if waiting is None:
        return form_page(
            session, "mobile_change", action, form or SentForm(kept_of(session, "mobile")), is_paused=is_paused
        )
    number, code = waiting
    if code is not None and code.is_dead_end(parts.clock.now()):
        return _no_codes_left(session, DeadEnd("codes_used_up", again_at=code.budget_ends_at))
    return form_page(
        session,
        "mobile_code",
        action,
        form or SentForm(),
        is_paused=is_paused,
        mobile=masking.mobile(number),
        code=code_shown(code),
    )


def _no_codes_left(session: Session, dead_end: DeadEnd) -> Response:
    return page(
        "account/no_codes.html",
        403,
        again_at=date_and_time(first_minute(dead_end.facts["again_at"])),
        reference=lasting_reference("codes_used_up", kutid=session.account.kutid),
        href=url_for("account.overview"),
    )
