"""The signed-in customer's account: what it holds, and what can be changed."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from flask import Blueprint, Response, flash, get_flashed_messages, jsonify, make_response, redirect, request
from markupsafe import Markup
from wtforms import ValidationError

from services.accounts import DeadLink, Session
from services.refusal import DeadEnd, OutOfTurn, Refusal
from services.values import email_addresses, identifiers, masking
from webapp.account import sessions
from webapp.http.addresses import link_token
from webapp.parts import wired
from webapp.steps.sms_code import SmsCodeForm
from webapp.ui.documents import terms_shown
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.formats import clock_time, date_and_time, day, first_minute
from webapp.ui.forms import StepForm, Text
from webapp.ui.language import say
from webapp.ui.passwords import FAR_TOO_LONG, NewPasswordForm, every_mistake, rules_shown
from webapp.ui.references import passing_reference
from webapp.ui.respond import is_fragment_due, page

blueprint = Blueprint("account", __name__)

ACCOUNT, PASSWORD, EMAIL, NEW_EMAIL, MOBILE = "/fiok", "/fiok/jelszo", "/fiok/email", "/fiok/email/uj", "/fiok/mobil"
CLOSE, CLOSED = "/fiok/megszuntetes", "/fiok/megszunt"

_PASSWORD_FIELDS = Fields({
    "current_password": "password_change.current.label",
    "password": "password_change.new.label",
    "password_confirm": "password_change.confirm.label",
})  # fmt: skip
_EMAIL_FIELDS = Fields({"email": "account.email.change.new", "current_password": "login.password.label"})
_MOBILE_FIELDS = Fields({"mobile": "account.mobile.change.new", "current_password": "login.password.label"})
_CODE_FIELDS = Fields({"sms_code": "sms_code.label"})
_RESEND_FIELDS = Fields({"resend": "sms_code.resend"})
_CLOSE_FIELDS = Fields({"confirm": "account.close.heading", "current_password": "login.password.label"})
_TERMS_FIELDS = Fields({"terms": "step.terms"})


class AskedAgain(StepForm):
    """The present password, before something important changes."""

    current_password = Text(FAR_TOO_LONG)

    def validate_current_password(self, field: Text) -> None:
        """It must be there."""
        if not field.data:
            raise ValidationError(Refusal("current_password", "empty"))


class PasswordForm(NewPasswordForm, AskedAgain):
    """The present password and the new one twice."""


class EmailForm(AskedAgain):
    """The new address."""

    email = Text(320)
    address: email_addresses.EmailAddress

    def validate_email(self, field: Text) -> None:
        """It must be an address."""
        try:
            self.address = email_addresses.parse(field.data)
        except Refusal as refusal:
            raise ValidationError(refusal) from None


class MobileForm(AskedAgain):
    """The new number."""

    mobile = Text(60)
    number: str = ""

    def validate_mobile(self, field: Text) -> None:
        """It must be a mobile of the profile's country."""
        try:
            self.number = identifiers.mobile(field.data, wired().profile.country)
        except Refusal as refusal:
            raise ValidationError(refusal) from None


class CloseForm(AskedAgain):
    """That the customer means it."""

    confirm = Text(20)

    def validate_confirm(self, field: Text) -> None:
        """The box must be ticked."""
        if not field.data:
            raise ValidationError(Refusal("confirm", "not_ticked"))


# --- What the account holds --------------------------------------------------------------------------------------


@blueprint.get(ACCOUNT)
@sessions.needed
def overview() -> Response:
    """Show what the account holds."""
    parts, session = wired(), _session()
    account, places = session.account, parts.accounts.sign_ins.places(session)
    possible_from = parts.accounts.password_changes.possible_from(account)
    return page(
        "account/overview.html",
        notice=_notice(),
        pending_email=parts.accounts.details.pending_email(session),
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
        sessions=[
            {
                "id": place.id,
                "device": _device(place.device),
                "seen": clock_time(place.seen_at),
                "is_this": place.id == session.id,
            }
            for place in places.open
        ],
        passkeys=[
            {
                "id": passkey.id,
                "name": passkey.name,
                "added": day(passkey.created_at),
                "used": date_and_time(passkey.used_at) if passkey.used_at else None,
            }
            for passkey in parts.accounts.passkeys.all(session)
        ],
        has_passkeys=parts.accounts.passkeys.are_possible,
        last=[{"device": _device(place.device), "at": date_and_time(place.created_at)} for place in places.last],
        action=ACCOUNT,
    )


@blueprint.post(ACCOUNT)
@sessions.needed
def end_sessions() -> Response:
    """Sign out on another device, or on all others."""
    parts, session = wired(), _session()
    if request.form.get("action") == "end-others":
        parts.accounts.sign_ins.end_others(session)
    elif ended := request.form.get("session", ""):
        if ended == session.id:
            raise OutOfTurn
        parts.accounts.sign_ins.end(session, ended)
    else:
        raise OutOfTurn
    return _done(ACCOUNT, "account.sessions.ended", overview)


@blueprint.get("/fiok/adatok.json")
@sessions.needed
def download() -> Response:
    """Send everything that the account holds as one file."""
    response = jsonify(_readable(wired().accounts.details.export(_session())))
    response.headers["Content-Disposition"] = 'attachment; filename="adataim.json"'
    return response


def _readable(held: Any) -> Any:
    if isinstance(held, Mapping):
        return {key: _readable(value) for key, value in held.items()}
    if isinstance(held, list):
        return [_readable(value) for value in held]
    return held.astimezone(wired().profile.zone).isoformat() if hasattr(held, "astimezone") else held


# --- Changed terms -----------------------------------------------------------------------------------------------


@blueprint.get(sessions.TERMS)
@sessions.needed
def changed_terms() -> Response:
    """Show what changed in the terms since they were accepted (M24)."""
    return _terms(SentForm())


@blueprint.post(sessions.TERMS)
@sessions.needed
def accept_terms() -> Response:
    """Accept the terms in force and go on."""
    parts, session = wired(), _session()
    due = parts.accounts.sign_ins.terms_due(session)
    if due is not None:
        try:
            if not request.form.get("terms"):
                raise Refusal("terms", "not_ticked" if session.terms_opened == due.version else "not_opened")
            sessions.hold(parts.accounts.sign_ins.accept_terms(session))
        except Refusal as refusal:
            return _terms(explain([("", refusal)], _TERMS_FIELDS, {"terms": request.form.get("terms", "")}))
    return _done(ACCOUNT, None, overview)


def _terms(form: SentForm) -> Response:
    session = _session()
    due = wired().accounts.sign_ins.terms_due(session)
    if due is None:
        return make_response(redirect(ACCOUNT, 303))
    return _form("terms_update", sessions.TERMS, form, terms=terms_shown(due, session.terms_opened))


# --- The password ------------------------------------------------------------------------------------------------


@blueprint.get(PASSWORD)
@sessions.needed
def password() -> Response:
    """Show the form for a new password, or from when there will be one."""
    if request.args.get("done") is not None:
        return page("account/password_changed.html")
    return _password()


@blueprint.post(PASSWORD)
@sessions.needed
def change_password() -> Response:
    """Change the password; every other session ends."""
    form = PasswordForm(request.form)
    if not form.validate():
        return _password(form, list(form.refusals()))
    try:
        token = wired().accounts.password_changes.change(_session(), form.current_password.data, form.password.data)
    except Refusal as refusal:
        return _password(form, [("", refusal)])
    sessions.hold(token)
    return _done(f"{PASSWORD}?done", None, lambda: page("account/password_changed.html"))


def _password(sent: PasswordForm | None = None, refusals: Sequence[tuple[str, Refusal]] = ()) -> Response:
    parts, account = wired(), _session().account
    judge = partial(parts.accounts.password_changes.judge, account)
    form = explain(every_mistake(refusals, sent, judge), _PASSWORD_FIELDS, {}) if sent is not None else SentForm()
    possible_from = parts.accounts.password_changes.possible_from(account)
    return _form(
        "password_change",
        PASSWORD,
        form,
        not_before=date_and_time(first_minute(possible_from)) if possible_from > parts.clock.now() else None,
        email=account.email,
        rules=rules_shown(judge("")),
    )


# --- The address -------------------------------------------------------------------------------------------------


@blueprint.get(EMAIL)
@sessions.needed
def email() -> Response:
    """Show the form for a new address."""
    return _form("email_change", EMAIL, SentForm(_kept("email")))


@blueprint.post(EMAIL)
@sessions.needed
def change_email() -> Response:
    """Mail a link to the new address."""
    form = EmailForm(request.form)
    typed = {"email": form.email.data}
    if not form.validate():
        return _form("email_change", EMAIL, explain(list(form.refusals()), _EMAIL_FIELDS, typed))
    try:
        wired().accounts.details.ask_for_email(_session(), form.current_password.data, form.address)
    except Refusal as refusal:
        return _form("email_change", EMAIL, explain([("", refusal)], _EMAIL_FIELDS, typed))
    return _done(ACCOUNT, None, overview)


@blueprint.get(NEW_EMAIL)
def new_email() -> Response:
    """Show which address the link would confirm; changes nothing."""
    if request.args.get("done") is not None:
        return page("account/email_changed.html")
    token = link_token()
    return _new_email(token, SentForm())


@blueprint.post(NEW_EMAIL)
def confirm_email() -> Response:
    """Confirm the new address."""
    token = request.form.get("token", "")
    link_id = wired().links.read("email", token)
    try:
        if link_id is None:
            raise DeadLink
        wired().accounts.details.confirm_email(link_id)
    except DeadLink:
        return _dead_link()
    except Refusal as refusal:
        return _new_email(token, explain([("", refusal)], Fields({"email": "account.email"}), {}))
    return _done(f"{NEW_EMAIL}?done", None, lambda: page("account/email_changed.html"))


def _new_email(token: str, form: SentForm) -> Response:
    link_id = wired().links.read("email", token)
    address = wired().accounts.details.find_email_change(link_id) if link_id else None
    if address is None:
        return _dead_link()
    return _form("email_confirm", NEW_EMAIL, form, token=token, email=address, another=EMAIL)


def _dead_link() -> Response:
    reference = passing_reference("email_change")
    return page("account/dead_link.html", 410, key="account.email.change.dead", href=EMAIL, reference=reference)


# --- The mobile --------------------------------------------------------------------------------------------------


@blueprint.get(MOBILE)
@sessions.needed
def mobile() -> Response:
    """Show the form for a new number, or for the code that was sent to it."""
    return _mobile()


@blueprint.post(MOBILE)
@sessions.needed
def change_mobile() -> Response:
    """Send a code to the new number, check it, or send another."""
    details, session = wired().accounts.details, _session()
    try:
        return _do_with_mobile(session)
    except OutOfTurn:
        return _done(MOBILE, None, _mobile)
    except DeadEnd as dead_end:
        return _no_codes_left(dead_end)
    except Refusal as refusal:
        typed = {"mobile": request.form.get("mobile", "")}
        if (refusal.field, refusal.reason) == ("sms", "paused"):
            return _mobile(SentForm(typed, status=409), is_paused=True)
        fields = _MOBILE_FIELDS
        if details.mobile_change(session):
            fields = _CODE_FIELDS if refusal.field == "sms_code" else _RESEND_FIELDS
        return _mobile(explain([("", refusal)], fields, typed))


def _do_with_mobile(session: Session) -> Response:
    details = wired().accounts.details
    action = request.form.get("action") or request.form.get("step")
    if action == "sms-resend":
        details.resend_code(session)
        return _done(MOBILE, "sms_code.resent", _mobile)
    if action == "change-mobile":
        details.drop_mobile_change(session)
        return _done(MOBILE, None, _mobile)
    return _check_code(session) if "sms_code" in request.form else _send_code(session)


def _send_code(session: Session) -> Response:
    form = MobileForm(request.form)
    if not form.validate():
        return _mobile(explain(list(form.refusals()), _MOBILE_FIELDS, {"mobile": form.mobile.data}))
    wired().accounts.details.ask_for_mobile(session, form.current_password.data, form.number)
    return _done(MOBILE, None, _mobile)


def _check_code(session: Session) -> Response:
    form = SmsCodeForm(request.form)
    if not form.validate():
        return _mobile(explain(list(form.refusals()), _CODE_FIELDS, {"sms_code": form.sms_code.data}))
    wired().accounts.details.confirm_mobile(session, form.code)
    return _done(ACCOUNT, "account.mobile.change.done", overview)


def _mobile(form: SentForm | None = None, *, is_paused: bool = False) -> Response:
    parts = wired()
    waiting = parts.accounts.details.mobile_change(_session())
    if waiting is None:
        return _form("mobile_change", MOBILE, form or SentForm(_kept("mobile")), is_paused=is_paused)
    number, code = waiting
    now, rules = parts.clock.now(), parts.profile.one_time_code
    if code is not None and code.is_dead_end(now):
        return _no_codes_left(DeadEnd("codes_used_up", again_at=code.budget_ends_at))
    return _form(
        "mobile_code",
        MOBILE,
        form or SentForm(),
        is_paused=is_paused,
        mobile=masking.mobile(number),
        length=rules.length,
        code={
            "usable": code is not None and code.is_usable(now),
            "until": clock_time(code.expires_at) if code else None,
            "tries": code.tries_left if code else 0,
            "again": clock_time(first_minute(code.again_at)) if code and code.again_at > now else None,
            "codes_left": code.codes_left(now) if code else 1,
            "delivery_failed": code is not None and code.is_undelivered,
        },
    )


def _no_codes_left(dead_end: DeadEnd) -> Response:
    return page(
        "account/no_codes.html",
        403,
        again_at=date_and_time(first_minute(dead_end.facts["again_at"])),
        reference=wired().references.issue("codes_used_up", kutid=_session().account.kutid),
        href=ACCOUNT,
    )


# --- The end -----------------------------------------------------------------------------------------------------


@blueprint.get(CLOSE)
@sessions.needed
def closing() -> Response:
    """Ask whether the account is really to be closed."""
    return _form("close", CLOSE, SentForm())


@blueprint.post(CLOSE)
@sessions.needed
def close() -> Response:
    """Close the account."""
    form = CloseForm(request.form)
    if not form.validate():
        return _form("close", CLOSE, explain(list(form.refusals()), _CLOSE_FIELDS, {"confirm": form.confirm.data}))
    try:
        wired().accounts.details.close(_session(), form.current_password.data)
    except Refusal as refusal:
        return _form("close", CLOSE, explain([("", refusal)], _CLOSE_FIELDS, {"confirm": form.confirm.data}))
    sessions.let_go()
    if is_fragment_due():
        return page("account/closed.html", signed_out_to=CLOSED)
    return make_response(redirect(CLOSED, 303))


@blueprint.get(CLOSED)
def closed() -> Response:
    """Say that the account is closed."""
    return page("account/closed.html")


@blueprint.get("/.well-known/change-password")
def well_known() -> Response:
    """Lead password managers to where the password is changed (W3C, A Well-Known URL for Changing Passwords)."""
    return make_response(redirect(PASSWORD, 302))


# --- Inside ------------------------------------------------------------------------------------------------------


def _session() -> Session:
    session = sessions.current()
    assert session is not None
    return session


def _device(name: str) -> str:
    return name or say().plain("account.device.unknown")


def _form(name: str, action: str, form: SentForm, **context: Any) -> Response:
    """Show the form `name` as it was sent, or for the first time."""
    context = {"notice": _notice(), **context}
    return page(f"account/{name}.html", form.status, form=form, problems=form.problems, action=action, **context)


def _done(address: str, notice: str | None, show: Any) -> Response:
    """Go on to `address`: at once to HTMX, by way of the page to a plain form."""
    if notice:
        flash(notice)
    if not is_fragment_due():
        return make_response(redirect(address, 303))
    sessions.look_again()
    response: Response = show()
    response.headers["HX-Push-Url"] = address
    return response


def _notice() -> Markup | None:
    key = next((str(key) for key in get_flashed_messages()), None)
    session = sessions.current()
    return say()(key, time=clock_time(session.over_at)) if key and session else None


def _kept(*names: str) -> dict[str, str]:
    """Return what was typed into this form when an earlier session ended."""
    kept = _session().kept if "kept" in request.args else None
    return {name: kept[name] for name in names if kept and name in kept}
