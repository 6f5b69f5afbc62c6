"""Changing the password."""

from collections.abc import Sequence
from functools import partial

from flask import Blueprint, Response, make_response, redirect, request, url_for

from services.accounts import Session
from services.refusal import Refusal
from webapp.account import sessions
from webapp.account.forms import CurrentPasswordForm, form_page
from webapp.parts import current_parts
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.formats import date_and_time, first_minute
from webapp.ui.passwords import NewPasswordForm, every_mistake, rules_shown
from webapp.ui.respond import go_on, page

blueprint = Blueprint("password", __name__)

_ADDRESS = "/fiok/jelszo"
_FIELDS = Fields({
    "current_password": "password_change.current.label",
    "password": "password_change.new.label",
    "password_confirm": "password_change.confirm.label",
})  # fmt: skip


class PasswordForm(NewPasswordForm, CurrentPasswordForm):
    """The present password and the new one twice."""


@blueprint.get(_ADDRESS)
@sessions.needed
def show(session: Session) -> Response:
    """Show the form for a new password, or from when there will be one."""
    if request.args.get("done") is not None:
        return page("account/password_changed.html")
    return _show(session)


@blueprint.post(_ADDRESS)
@sessions.needed
def change(session: Session) -> Response:
    """Change the password; every other session ends."""
    form = PasswordForm(request.form)
    if not form.validate():
        return _show(session, form, list(form.refusals()))
    try:
        token = current_parts().accounts.password_changes.change(
            session, form.current_password.data, form.password.data
        )
    except Refusal as refusal:
        return _show(session, form, [("", refusal)])
    sessions.hold(token)
    return go_on(f"{url_for('password.show')}?done", lambda: page("account/password_changed.html"))


def _show(session: Session, sent: PasswordForm | None = None, refusals: Sequence[tuple[str, Refusal]] = ()) -> Response:
    parts, account = current_parts(), session.account
    judge = partial(parts.accounts.password_changes.judge, account)
    form = explain(every_mistake(refusals, sent, judge), _FIELDS, {}) if sent is not None else SentForm()
    possible_from = parts.accounts.password_changes.possible_from(account)
    return form_page(
        session,
        "password_change",
        url_for("password.change"),
        form,
        not_before=date_and_time(first_minute(possible_from)) if possible_from > parts.clock.now() else None,
        email=account.email,
        rules=rules_shown(judge("")),
    )


@blueprint.get("/.well-known/change-password")
def well_known() -> Response:
    """Lead password managers to where the password is changed (W3C, A Well-Known URL for Changing Passwords)."""
    return make_response(redirect(url_for("password.show"), 302))
