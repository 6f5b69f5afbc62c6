"""The one page of the registration: shows the step that is due, and submits it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from flask import Blueprint, Response, request
from flask_limiter.util import get_remote_address
from flask_wtf import FlaskForm
from markupsafe import Markup

from services.refusal import DeadEnd, OutOfTurn, Refusal
from services.registrations import Registration
from webapp.http.addresses import link_token
from webapp.journey import funnel
from webapp.journey.browser import Browser, browser_id, forget, held, is_own, reopen, reopened, this_browser
from webapp.journey.journey import current_journey
from webapp.journey.step import Step, Submitter, is_about
from webapp.parts import Parts, current_parts
from webapp.registration import dead_ends, prefills, shown
from webapp.ui.flash import Flash
from webapp.ui.form_errors import explain
from webapp.ui.formats import clock_time
from webapp.ui.language import language
from webapp.ui.respond import go_on

blueprint = Blueprint("registration", __name__)
_flash = Flash("registration")

_FIRST_HALF = "/regisztracio"
_SECOND_HALF = "/regisztracioveglegesites"


@blueprint.get(_FIRST_HALF, endpoint="first_half")
@blueprint.get(_SECOND_HALF, endpoint="second_half")
def show() -> Response:
    """Show the step that is due. Only the browser's own session changes: mail scanners open links too."""
    browser = this_browser(link_token())
    if browser.is_token_unknown:
        return dead_ends.show("link_unknown")
    registration = browser.registration
    if registration is None and browser.came_by_link:
        return _dead_link(browser)
    if browser.token and registration and shown.is_completed(registration) and not is_own(registration):
        return dead_ends.show("link_completed", registration=registration)
    if browser.token:
        # The link leads to the step after it, even if this browser had begun to change an earlier one.
        reopen(None)
    if registration is not None and _is_over(registration) and prefills.read()[0] is not None:
        forget()  # a new beginning: the old registration is over
        registration, browser = None, Browser(None)
    response = shown.show(registration, browser, notice=_notice(registration))
    if browser.token and registration is not None and response.status_code == 200:
        # Only this browser remembers it: it stays at the link's address, without the token in the address bar.
        browser.go_on_with(registration)
    return response


@blueprint.post(_FIRST_HALF)
@blueprint.post(_SECOND_HALF)
def submit() -> Response:
    """Submit the step whose form was sent, or do what another button asks for; show the step that is due then."""
    parts, browser = current_parts(), this_browser(request.form.get("token", ""))
    if not browser.is_about(request.form.get("registration", "")):
        return _answer(browser.registration, None, browser)
    try:
        for action in (request.form.get("action", ""), request.form.get("step", "")):
            if (done := _act(action, parts, browser)) is not None:
                return _answer(*done, browser)
        return _submit_step(parts, browser)
    except OutOfTurn:
        return _answer(browser.registration, None, browser)
    except Refusal as refusal:
        _note(parts, browser, refusal)
        return _refused(browser, {}, [("", refusal)])
    except DeadEnd as dead_end:
        return dead_ends.show(dead_end.kind, registration=browser.registration, **dead_end.facts)


def _submit_step(parts: Parts, browser: Browser) -> Response:
    name = request.form.get("step") or _step_of_fields(parts, browser)
    step = current_journey().step(name)
    if step is None:
        raise OutOfTurn
    # Only the form's own fields: Flask-WTF would also read them from a JSON body or an uploaded file.
    form = step.form(request.form)
    values = {key: value for key, value in request.form.items() if "password" not in key}
    if not form.validate():
        return _refused(browser, values, list(form.refusals()), form, step)
    try:
        registration = step.submit(parts, browser.access, form, _asker())
    except Refusal as refusal:
        _note(parts, browser, refusal)
        return _refused(browser, values, [("", refusal)], form, step)
    reopen(None)
    return _answer(registration, None, browser)


def _asker() -> Submitter:
    return Submitter(language(), browser_id(), get_remote_address())


def _note(parts: Parts, browser: Browser, refusal: Refusal) -> None:
    """Record for customer service which rule the values broke."""
    if browser.access is not None:
        parts.registrations.records.note_refusal(browser.access, refusal.field, refusal.reason)


def _step_of_fields(parts: Parts, browser: Browser) -> str:
    """Return the step of a form without a mark: the step with these fields, else the step that is due."""
    for step in current_journey().steps:
        if any(entry.name in request.form for entry in step.form(None)):
            return step.name
    due = current_journey().current(browser.registration, reopened())
    return due.name if due else ""


def _answer(registration: Registration | None, notice: str | None, browser: Browser) -> Response:
    """Show what is due: at once to HTMX, by way of the page to a plain form (so that reloading sends nothing again)."""
    if registration is not None:
        browser.go_on_with(registration)
    elif browser.came_by_link and request.form.get("action") != "restart":
        return _dead_link(browser)
    if notice:
        _flash.leave(notice)

    address = shown.address(current_journey().current(registration, reopened()), registration)
    if registration is None and (followed := prefills.followed()):
        address = prefills.address(*followed)

    def show_due() -> Response:
        response = shown.show(registration, Browser(held()), notice=_notice(registration))
        # A link's token has done its work: it leaves the address bar, and so the history and the next screenshot.
        response.headers["HX-Replace-Url"] = address
        return response

    return go_on(address, show_due, push=False)


def _refused(
    browser: Browser,
    values: Mapping[str, str],
    refusals: Sequence[tuple[str, Refusal]],
    sent: FlaskForm | None = None,
    step: Step | None = None,
) -> Response:
    """Show the same step again with the typed values and the errors."""
    registration = browser.registration
    if registration is not None:
        browser.go_on_with(registration)
    elif browser.came_by_link:
        return _dead_link(browser)
    due = current_journey().current(registration, reopened())
    if due is None or (step is not None and step is not due and not is_about(refusals, due)):
        # It was not this form's turn, so its errors do not matter.
        return _answer(registration, None, browser)
    if step is not None and step is not due:
        # An earlier answer has become impossible: another customer has taken the address.
        values, sent = {}, None
    if sent is not None:
        refusals = due.mistakes(current_parts(), registration, sent, refusals)
    funnel.refused(due, refusals, registration)
    if any((refusal.field, refusal.reason) == ("sms", "paused") for _, refusal in refusals):
        # No typed value is wrong: nothing is marked, and the form keeps all values.
        form = replace(explain((), due, values), status=409)
        return shown.show(registration, browser, sent=sent, form=form, is_paused=True)
    return shown.show(registration, browser, sent=sent, form=explain(refusals, due, values))


def _dead_link(browser: Browser) -> Response:
    """Say why this browser's link shows no registration."""
    assert browser.access is not None
    return dead_ends.show(current_parts().registrations.records.why_dead(browser.access))


def _act(action: str, parts: Parts, browser: Browser) -> tuple[Registration | None, str | None] | None:
    """Do what a button besides the step's own asks for; return the answer, or None for an unknown button."""
    if action == "restart":
        forget()
        return None, None
    for step in current_journey().steps:
        if action == step.changed_by:
            registration = browser.registration
            if registration is None:
                raise OutOfTurn
            browser.go_on_with(registration)
            reopen(step.name)
            return registration, None
        if action in step.actions:
            return step.act(action, parts, browser.access)
    return None


def _is_over(registration: Registration) -> bool:
    return shown.is_completed(registration) or registration.expires_at <= current_parts().clock.now()


def _notice(registration: Registration | None) -> Markup | None:
    return _flash.take(time=clock_time(registration.expires_at)) if registration is not None else None
