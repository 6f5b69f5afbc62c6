"""Changing the address, which is the user name: a link is mailed to the new one."""

from flask import Blueprint, Response, request, url_for

from services.accounts import DeadLink, Session
from services.refusal import Refusal
from webapp.account import sessions
from webapp.account.forms import CurrentPasswordForm, form_page, kept_of
from webapp.account.overview import overview
from webapp.http.addresses import link_token
from webapp.parts import current_parts
from webapp.ui.fields import email_field
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.references import passing_reference
from webapp.ui.respond import go_on, page

blueprint = Blueprint("email", __name__, url_prefix="/fiok/email")

_NEW = "/uj"
_FIELDS = Fields({"email": "account.email.change.new", "current_password": "login.password.label"})


class EmailForm(CurrentPasswordForm):
    """The new address."""

    email = email_field(320)


@blueprint.get("")
@sessions.needed
def show(session: Session) -> Response:
    """Show the form for a new address."""
    return form_page(session, "email_change", url_for("email.ask"), SentForm(kept_of(session, "email")))


@blueprint.post("")
@sessions.needed
def ask(session: Session) -> Response:
    """Mail a link to the new address."""
    form, action = EmailForm(request.form), url_for("email.ask")
    typed = {"email": form.email.data}
    if not form.validate():
        return form_page(session, "email_change", action, explain(list(form.refusals()), _FIELDS, typed))
    try:
        current_parts().accounts.email_changes.ask_for_email(session, form.current_password.data, form.email.value)
    except Refusal as refusal:
        return form_page(session, "email_change", action, explain([("", refusal)], _FIELDS, typed))
    return go_on(url_for("account.overview"), overview)


@blueprint.get(_NEW)
def show_new() -> Response:
    """Show which address the link would confirm; changes nothing."""
    if request.args.get("done") is not None:
        return page("account/email_changed.html")
    token = link_token()
    return _show_new(token, SentForm())


@blueprint.post(_NEW)
def confirm() -> Response:
    """Confirm the new address."""
    token = request.form.get("token", "")
    link_id = current_parts().links.read("email", token)
    try:
        if link_id is None:
            raise DeadLink
        current_parts().accounts.email_changes.confirm_email(link_id)
    except DeadLink:
        return _dead_link()
    except Refusal as refusal:
        return _show_new(token, explain([("", refusal)], Fields({"email": "account.email"}), {}))
    return go_on(f"{url_for('email.show_new')}?done", lambda: page("account/email_changed.html"))


def _show_new(token: str, form: SentForm) -> Response:
    link_id = current_parts().links.read("email", token)
    address = current_parts().accounts.email_changes.find_email_change(link_id) if link_id else None
    if address is None:
        return _dead_link()
    action, another = url_for("email.confirm"), url_for("email.show")
    return form_page(None, "email_confirm", action, form, token=token, email=address, another=another)


def _dead_link() -> Response:
    reference = passing_reference("email_change")
    href = url_for("email.show")
    return page("account/dead_link.html", 410, key="account.email.change.dead", href=href, reference=reference)
