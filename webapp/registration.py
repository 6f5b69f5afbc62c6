"""The one page of the registration: shows the step that is due, and submits it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from flask import Blueprint, Response, flash, get_flashed_messages, make_response, redirect, request, session
from flask_wtf import FlaskForm
from markupsafe import Markup

from services import email_addresses, masking
from services.refusal import DeadEnd, OutOfTurn, Refusal
from services.registrations import Registration, Visit
from webapp import dead_ends
from webapp.parts import Parts, wired
from webapp.rendering import clock_time, is_fragment_due, language, page, say, time_left
from webapp.steps import Step

blueprint = Blueprint("registration", __name__)

FIRST_HALF = "/regisztracio"
SECOND_HALF = "/regisztracioveglegesites"

# Where the summary's link leads when a refusal is about no field of the open form.
_NO_FIELD = {"sms_resend": "resend", "identify": "policy_number", "text": ""}


@dataclass
class _Form:
    """What the templates show of a form that was sent."""

    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, Markup] = field(default_factory=dict)
    wrong_parts: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Browser:
    """What this browser holds, and the token it came with while it is not bound yet."""

    visit: Visit | None
    token: str = ""
    is_token_unknown: bool = False

    @property
    def token_field(self) -> Markup:
        """The hidden field that carries the token to the next step."""
        return Markup('<input type="hidden" name="token" value="{}">').format(self.token) if self.token else Markup()


@blueprint.get(FIRST_HALF)
@blueprint.get(SECOND_HALF)
def show() -> Response:
    """Show the step that is due. Changes nothing: mail scanners open links too."""
    browser = _browser(request.args.get("token", ""))
    if browser.is_token_unknown:
        return dead_ends.show("link_unknown")
    registration = wired().registrations.find(browser.visit) if browser.visit else None
    if browser.token and (registration is None or registration.link_id != _link_id(browser)):
        return dead_ends.show("link_unknown", registration=registration)
    if browser.token and registration and registration.is_complete and not _is_own(registration):
        return dead_ends.show("link_completed", registration=registration)
    if browser.token:
        # Whoever comes with the link goes on behind it, whatever this browser had begun to change before.
        session.pop("reopened", None)
    notice = next((str(key) for key in get_flashed_messages()), None)
    return _show(registration, browser, notice=say()(notice) if notice else None)


@blueprint.post(FIRST_HALF)
@blueprint.post(SECOND_HALF)
def submit() -> Response:
    """Submit the step whose form was sent, or do what its other buttons say, and show what is due then."""
    parts, browser = wired(), _browser(request.form.get("token", ""))
    if browser.token and browser.visit:
        _bind(browser.visit)
    action = request.form.get("action", "")
    try:
        if action in _ACTIONS:
            registration, notice = _ACTIONS[action](parts, browser)
        elif request.form.get("step") == "sms-resend":
            registration, notice = _resend_code(parts, browser)
        else:
            return _submit_step(parts, browser)
    except OutOfTurn:
        return _answer(parts.registrations.find(browser.visit) if browser.visit else None, browser)
    except Refusal as refusal:
        return _refused(browser, {}, [("", refusal)])
    except DeadEnd as dead_end:
        return _dead_end(dead_end, browser)
    return _answer(registration, browser, notice)


def _submit_step(parts: Parts, browser: _Browser) -> Response:
    name = request.form.get("step") or _step_of_fields(parts, browser)
    step = parts.journey.step(name)
    if step is None:
        raise OutOfTurn
    # The form's own fields alone: Flask-WTF by itself would also take a JSON body or an uploaded file for them.
    form = step.form(request.form)
    values = {key: value.replace("\0", "") for key, value in request.form.items() if "password" not in key}
    if not form.validate():
        return _refused(browser, values, list(form.refusals()), form, step)
    try:
        registration = step.submit(parts, browser.visit, form, language())
    except Refusal as refusal:
        return _refused(browser, values, [("", refusal)], form, step)
    session.pop("reopened", None)
    if browser.visit is None or browser.visit.registration_id != registration.id:
        _bind(Visit(registration.id))
    return _answer(registration, replace(browser, visit=_held()))


def _step_of_fields(parts: Parts, browser: _Browser) -> str:
    """Return the step that a form without its mark is for: the one with these fields, else the one that is due."""
    for step in parts.journey.steps:
        if any(entry.name in request.form for entry in step.form(None)):
            return step.name
    registration = parts.registrations.find(browser.visit) if browser.visit else None
    due = parts.journey.current(registration, session.get("reopened"))
    return due.name if due else ""


def _answer(registration: Registration | None, browser: _Browser, notice: str | None = None) -> Response:
    """Show what is due: at once to HTMX, by way of the page to a plain form (so that reloading sends nothing again)."""
    if not is_fragment_due():
        if notice:
            flash(notice)
        step = wired().journey.current(registration, session.get("reopened"))
        return make_response(redirect(_address(step, registration), 303))
    response = _show(registration, replace(browser, token=""), notice=say()(notice) if notice else None)
    if browser.token:
        # The token has done its work; it leaves the address bar and so the history and the next screenshot.
        response.headers["HX-Replace-Url"] = SECOND_HALF
    return response


def _show(
    registration: Registration | None,
    browser: _Browser,
    *,
    step: Step | None = None,
    sent: FlaskForm | None = None,
    form: _Form | None = None,
    problems: list[dict[str, Any]] | None = None,
    status: int = 200,
    notice: Markup | None = None,
) -> Response:
    parts = wired()
    now = parts.clock.now()
    if registration is not None and not registration.is_complete:
        if registration.has_account:
            return dead_ends.show("already_registered", registration=registration)
        if registration.expires_at <= now:
            return dead_ends.show("link_expired", registration=registration)
    elif registration is not None and registration.expires_at <= now:
        # Done, and its hour is over: this browser's next customer begins anew and sees nothing of it.
        registration = None
    current = parts.journey.current(registration, session.get("reopened"))
    if current is None and registration is not None:
        return _done(registration)
    if step is None or current is None or step.name != current.name:
        # A form of another step than the due one: what it said does not apply here.
        step, sent, form, problems, status = current, None, None, None, status if step is None else 200
    if step is None:
        raise OutOfTurn
    if registration and registration.code and step.fact == "mobile_confirmed_at" and registration.code.is_dead_end(now):
        return dead_ends.show("codes_used_up", registration=registration, again_at=registration.code.budget_ends_at)
    half = parts.journey.half(step)
    return page(
        step.template,
        status,
        step={
            "name": step.name,
            "number": parts.journey.number(step),
            "total": len(parts.journey),
            "title": say()(step.title_key),
        },
        half=half,
        action=_address(step, registration),
        path=_path(registration, step, half),
        form=form or _Form(_first_values(step, registration)),
        problems=problems or [],
        notice=notice,
        deadline=_deadline(registration),
        token_field=browser.token_field,
        **step.context(parts, registration, sent),
    )


def _refused(
    browser: _Browser,
    values: Mapping[str, str],
    refusals: list[tuple[str, Refusal]],
    sent: FlaskForm | None = None,
    step: Step | None = None,
) -> Response:
    """Show the same step again with what was typed and what is to be mended."""
    parts = wired()
    registration = parts.registrations.find(browser.visit) if browser.visit else None
    due = parts.journey.current(registration, session.get("reopened"))
    if step is not None and step is not due:
        if due is None or not _is_about(refusals, due):
            # It was not this form's turn, so what is wrong with it does not matter.
            return _answer(registration, browser)
        # An earlier answer has become impossible meanwhile: the address was taken by another customer.
        values, sent = {}, None
    errors: dict[str, Markup] = {}
    problems: list[dict[str, Any]] = []
    wrong_parts: frozenset[str] = frozenset()
    status = 422
    for name, refusal in refusals:
        text = _sentence(refusal)
        wrong_parts |= refusal.facts.get("parts", frozenset())
        status = 429 if refusal.reason == "slowed" else status
        fields = _fields(refusal, name, due, values)
        errors.update(dict.fromkeys(fields, text))
        problems.append({"field_id": fields[0], "label": _label(fields[0], due), "text": text})
    return _show(
        registration,
        browser,
        step=due,
        sent=sent,
        form=_Form(values, errors, wrong_parts),
        problems=problems,
        status=status,
    )


def _is_about(refusals: list[tuple[str, Refusal]], step: Step) -> bool:
    """Tell whether a service has refused something that this step asks for."""
    asked = {entry.name for entry in step.form(None)}
    return all(not name and refusal.field in asked for name, refusal in refusals)


def _fields(refusal: Refusal, name: str, step: Step | None, values: Mapping[str, str]) -> list[str]:
    """Return the fields that a refusal stands beside; which of two data did not match is never told (M13)."""
    if refusal.field == "identify" and refusal.reason == "mismatch":
        second = {"company": "tax_number", "communication_id": "communication_password"}
        return ["policy_number", second.get(values.get("holder_type", ""), "birth_date")]
    if name:
        return [name]
    if refusal.field == "sms_resend":
        return ["mobile" if step is not None and step.name == "mobile" else "resend"]
    if refusal.field == "email" and step is not None and step.name != "email":
        return ["resend"]
    return [_NO_FIELD.get(refusal.field, refusal.field)]


def _sentence(refusal: Refusal) -> Markup:
    facts = {**refusal.facts, "time": clock_time(refusal.facts["at"])} if "at" in refusal.facts else refusal.facts
    if (refusal.field, refusal.reason) == ("identify", "no_mobile"):
        reference = wired().references.issue("no_mobile", kutid=refusal.facts["kutid"])
        return say()("dead_end.no_mobile.text") + " " + say()("shell.reference", reference=reference)
    text = say()(f"error.{refusal.field}.{refusal.reason}", **facts)
    if (refusal.field, refusal.reason) == ("identify", "mismatch"):
        text += " " + say()("error.identify.mismatch.help")
    return text


_LABELS = {
    "policy_number": "identify.kind.policy",
    "holder_type": "identify.holder.legend",
    "birth_date": "identify.birth_date.label",
    "tax_number": "identify.tax_number.label",
    "communication_password": "identify.communication_password.label",
    "email": "email.label",
    "email_confirm": "email.confirm.label",
    "mobile": "mobile.label",
    "sms_code": "sms_code.label",
    "resend": "sms_code.resend",
    "terms": "step.terms",
    "password": "password.label",
    "password_confirm": "password.confirm.label",
}


def _label(name: str, step: Step | None) -> str:
    is_mail = name == "resend" and step is not None and step.name == "email-sent"
    return say().plain("email_sent.resend" if is_mail else _LABELS[name]).rstrip(" *?")


# --- Other buttons ---------------------------------------------------------------------------------------------


def _resend_code(parts: Parts, browser: _Browser) -> tuple[Registration, str | None]:
    if browser.visit is None:
        raise OutOfTurn
    return parts.registrations.resend_code(browser.visit), "sms_code.resent"


def _resend_email(parts: Parts, browser: _Browser) -> tuple[Registration, str | None]:
    if browser.visit is None:
        raise OutOfTurn
    return parts.registrations.resend_email(browser.visit), None


def _reopen(name: str) -> Any:
    def reopen(parts: Parts, browser: _Browser) -> tuple[Registration | None, str | None]:
        session["reopened"] = name
        return parts.registrations.find(browser.visit) if browser.visit else None, None

    return reopen


def _use_suggestion(parts: Parts, browser: _Browser) -> tuple[Registration, str | None]:
    registration = parts.registrations.find(browser.visit) if browser.visit else None
    suggested = email_addresses.suggestion(registration.email) if registration and registration.email else None
    if suggested is None or browser.visit is None:
        raise OutOfTurn
    return parts.registrations.choose_email(browser.visit, email_addresses.parse(suggested)), None


def _restart(parts: Parts, browser: _Browser) -> tuple[None, None]:
    for key in ("registration", "link", "reopened"):
        session.pop(key, None)
    return None, None


_ACTIONS: dict[str, Any] = {
    "change-email": _reopen("email"),
    "change-mobile": _reopen("mobile"),
    "resend-email": _resend_email,
    "use-suggestion": _use_suggestion,
    "restart": _restart,
}


# --- What the browser holds --------------------------------------------------------------------------------------


def _browser(token: str) -> _Browser:
    if not token:
        return _Browser(_held())
    opaque_id = wired().links.read("confirm", token)
    return _Browser(Visit.by_link(opaque_id), token) if opaque_id else _Browser(None, is_token_unknown=True)


def _held() -> Visit | None:
    registration_id = session.get("registration")
    return Visit(registration_id, session.get("link")) if registration_id else None


def _bind(visit: Visit) -> None:
    session.pop("reopened", None)
    session["registration"] = visit.registration_id
    if visit.link_id:
        session["link"] = visit.link_id
    else:
        session.pop("link", None)


def _is_own(registration: Registration) -> bool:
    return bool(session.get("registration") == registration.id) and registration.expires_at > wired().clock.now()


def _link_id(browser: _Browser) -> str | None:
    return browser.visit.link_id if browser.visit else None


# --- What the page shows ---------------------------------------------------------------------------------------


def _address(step: Step | None, registration: Registration | None) -> str:
    return SECOND_HALF if registration is not None and wired().journey.half(step) == 2 else FIRST_HALF


def _path(registration: Registration | None, now: Step, half: int) -> list[dict[str, Any]]:
    parts = wired()
    place = parts.journey.number(now)
    return [
        {
            "name": step.name,
            "number": number,
            "title": say()(step.title_key),
            "state": "done" if number < place else "now" if number == place else "later",
            "value": step.summary(parts, registration, half) if registration and number < place else None,
            "change": step.changed_by if half == 1 or step.changed_by != "restart" else None,
        }
        for number, step in enumerate(parts.journey.steps, 1)
    ]


def _first_values(step: Step, registration: Registration | None) -> Mapping[str, str]:
    """What a form starts with: an invitation's policy number, or the address of a step that was reopened."""
    if registration is None:
        return {"policy_number": request.args.get("policy_number", "").replace("\0", "")[:60]}
    if step.name == "email" and registration.email and wired().journey.half(step) == 1 and "link" not in session:
        return {"email": registration.email}
    return {}


def _deadline(registration: Registration | None) -> dict[str, Any] | None:
    if registration is None or registration.mailed_at is None:
        return None
    left = time_left(registration.expires_at)
    warning = int(wired().profile.registration.warning.total_seconds())
    return {
        "time": clock_time(registration.expires_at),
        "minutes": max(1, -(-left // 60)),
        "warn": left <= warning,
        "warn_in": left - warning if left > warning else None,
        "end_in": left + 1,
    }


def _done(registration: Registration) -> Response:
    return page(
        "steps/done.html",
        email=registration.email,
        mobile_masked=masking.mobile(registration.mobile or ""),
        sign_in_available=False,
    )


def _dead_end(dead_end: DeadEnd, browser: _Browser) -> Response:
    registration = wired().registrations.find(browser.visit) if browser.visit else None
    return dead_ends.show(dead_end.kind, registration=registration, **dead_end.facts)
