"""The forgotten password: a link by mail, and with it a new password (M30, M31)."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from flask import Blueprint, Response, request, url_for

from services.accounts import DeadLink
from services.refusal import Refusal
from webapp.account import sessions
from webapp.http.addresses import link_token
from webapp.parts import current_parts
from webapp.ui.fields import email_field
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.formats import clock_time
from webapp.ui.forms import StepForm
from webapp.ui.language import language
from webapp.ui.passwords import NewPasswordForm, every_mistake, rules_shown
from webapp.ui.references import passing_reference
from webapp.ui.respond import go_on, page

blueprint = Blueprint("forgotten_password", __name__)

_FORGOT, _RESET = "/sso/ForgotPassword", "/sso/ResetPassword"
_FORGOT_FIELDS = Fields({"email": "forgot.email.label"})
_RESET_FIELDS = Fields({"password": "password_change.new.label", "password_confirm": "password_change.confirm.label"})


class ForgotForm(StepForm):
    """The user name."""

    email = email_field(320)


@blueprint.get(_FORGOT)
def forgot() -> Response:
    """Ask for the address, or say that the mail is on its way if the address has an account."""
    return _sent() if "sent" in request.args else _forgot(SentForm())


@blueprint.post(_FORGOT)
def ask() -> Response:
    """Have the link mailed; whatever address it is, the answer is the same (ASVS 6.3.8)."""
    form = ForgotForm(request.form)
    if not form.validate():
        return _forgot(explain(list(form.refusals()), _FORGOT_FIELDS, {"email": form.email.data}))
    current_parts().accounts.password_changes.ask_for_reset(
        form.email.value, language(), source=request.remote_addr or ""
    )
    return go_on(f"{url_for('forgotten_password.forgot')}?sent", _sent)


@blueprint.get(_RESET)
def show() -> Response:
    """Show the form that the mailed link opens; changes nothing, for mail scanners open links too."""
    if "done" in request.args:
        return _reset_done()
    return _reset(link_token())


@blueprint.post(_RESET)
def reset() -> Response:
    """Set the new password by the link, once."""
    token = request.form.get("token", "")
    link_id = current_parts().links.read("reset", token)
    form = NewPasswordForm(request.form)
    if link_id is None:
        return _dead()
    if not form.validate():
        return _reset(token, form, list(form.refusals()))
    try:
        proof = current_parts().accounts.password_changes.reset(link_id, form.password.data)
    except Refusal as refusal:
        return _reset(token, form, [("", refusal)])
    except DeadLink:
        return _dead()
    # Every session has ended, this browser's own too; it signs in with the new password.
    sessions.let_go()
    sessions.remember_reset(proof)
    done = f"{url_for('forgotten_password.show')}?done"
    return go_on(done, lambda: _reset_done(signed_out_to=done))


def _forgot(form: SentForm) -> Response:
    return page(
        "account/forgot.html",
        form.status,
        form=form,
        problems=form.problems,
        action=url_for("forgotten_password.ask"),
        token_field="",
        notice=None,
    )


def _sent() -> Response:
    parts = current_parts()
    return page(
        "account/forgot_sent.html",
        minutes=parts.profile.password.reset_minutes,
        mails=parts.accounts.password_changes.links_an_hour,
    )


def _reset(token: str, sent: NewPasswordForm | None = None, refusals: Sequence[tuple[str, Refusal]] = ()) -> Response:
    parts = current_parts()
    link_id = parts.links.read("reset", token)
    found = parts.accounts.password_changes.find_reset(link_id) if link_id else None
    if found is None:
        return _dead()
    judge = partial(parts.accounts.password_changes.judge, found.account)
    form = explain(every_mistake(refusals, sent, judge), _RESET_FIELDS, {}) if sent is not None else SentForm()
    return page(
        "account/reset.html",
        form.status,
        form=form,
        problems=form.problems,
        action=url_for("forgotten_password.reset"),
        token=token,
        until=clock_time(found.expires_at),
        email=found.account.email,
        rules=rules_shown(judge("")),
    )


def _reset_done(**context: Any) -> Response:
    return page("account/reset_done.html", has_passkeys=current_parts().accounts.passkeys.are_possible, **context)


def _dead() -> Response:
    reference, href = passing_reference("reset"), url_for("forgotten_password.forgot")
    just_set = "reset.dead.just_set"
    return page("account/dead_link.html", 410, key="reset.dead", just_set=just_set, href=href, reference=reference)
