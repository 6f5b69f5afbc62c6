"""The one page of the registration: shows the step that is due, and submits it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from flask import Blueprint, Response, request, session, url_for
from flask_limiter.util import get_remote_address
from flask_wtf import FlaskForm
from markupsafe import Markup

from services.messages.composer import REGISTER_PARAMETER, REGISTER_PURPOSE
from services.refusal import DeadEnd, OutOfTurn, Refusal
from services.register.prefill import Prefill
from services.registrations import Registration
from services.values import masking
from webapp.http.addresses import link_token, mark
from webapp.journey import funnel
from webapp.journey.browser import Browser, browser_id, forget, held, is_own, mark_of, reopen, reopened, this_browser
from webapp.journey.journey import current_journey
from webapp.journey.step import Step, Submitter, is_about
from webapp.parts import Parts, current_parts
from webapp.registration import dead_ends
from webapp.ui.flash import Flash
from webapp.ui.form_errors import SentForm, explain
from webapp.ui.formats import clock_time, time_left
from webapp.ui.language import language, say
from webapp.ui.respond import go_on, page

blueprint = Blueprint("registration", __name__)
_flash = Flash("registration")

_FIRST_HALF = "/regisztracio"
_SECOND_HALF = "/regisztracioveglegesites"
_LINKS = ("meghivo", REGISTER_PARAMETER)
"""The parameters of links that fill in a number: an invitation's, a letter's notice's."""


@blueprint.get(_FIRST_HALF, endpoint="first_half")
@blueprint.get(_SECOND_HALF, endpoint="second_half")
def show() -> Response:
    """Show the step that is due. Changes nothing here but what this browser holds: mail scanners open links too."""
    browser = this_browser(link_token())
    if browser.is_token_unknown:
        return dead_ends.show("link_unknown")
    registration = browser.registration
    if registration is None and browser.came_by_link:
        return _dead_link(browser)
    if browser.token and registration and _is_completed(registration) and not is_own(registration):
        return dead_ends.show("link_completed", registration=registration)
    if browser.token:
        # The link leads on behind its step, whatever this browser had begun to change before.
        reopen(None)
    if registration is not None and _is_over(registration) and _invited()[0] is not None:
        forget()  # a new beginning: what is over is not gone on with
        registration, browser = None, Browser(None)
    response = _show(registration, browser, notice=_notice(registration))
    if browser.token and registration is not None and response.status_code == 200:
        # This browser alone remembers it: without the token in its address bar it stands where the link led.
        browser.go_on_with(registration)
    return response


@blueprint.post(_FIRST_HALF)
@blueprint.post(_SECOND_HALF)
def submit() -> Response:
    """Submit the step whose form was sent, or do what its other buttons say, and show what is due then."""
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
    # The form's own fields alone: Flask-WTF by itself would also take a JSON body or an uploaded file for them.
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
    """Record for customer service which rule was not met, and when."""
    if browser.access is not None:
        parts.registrations.records.note_refusal(browser.access, refusal.field, refusal.reason)


def _step_of_fields(parts: Parts, browser: Browser) -> str:
    """Return the step that a form without its mark is for: the one with these fields, else the one that is due."""
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

    address = _address(current_journey().current(registration, reopened()), registration)
    if registration is None and (followed := _followed()):
        address = _linked_to(*followed)

    def show_due() -> Response:
        response = _show(registration, Browser(held()), notice=_notice(registration))
        # A link's token has done its work: it leaves the address bar, and so the history and the next screenshot.
        response.headers["HX-Replace-Url"] = address
        return response

    return go_on(address, show_due, push=False)


def _show(
    registration: Registration | None,
    browser: Browser,
    *,
    sent: FlaskForm | None = None,
    form: SentForm | None = None,
    notice: Markup | None = None,
    is_paused: bool = False,
) -> Response:
    """Show the step that is due, or why there is none.

    `form` is its form as it was sent, `sent` what it held; `is_paused` says that no text message can be sent.
    """
    parts = current_parts()
    now = parts.clock.now()
    if registration is not None and _is_completed(registration) and registration.expires_at <= now:
        # Its hour is over: this browser's next customer starts afresh and sees nothing of it.
        registration = None
    elif registration is not None and (ended := _ended(registration, now)):
        return dead_ends.show(ended, registration=registration)
    step = current_journey().current(registration, reopened())
    funnel.reached(step, registration, browser)
    if step is None:
        return _done(registration)
    if registration and registration.code and step.fact == "mobile_confirmed_at" and registration.code.is_dead_end(now):
        return dead_ends.show("codes_used_up", registration=registration, again_at=registration.code.budget_ends_at)
    half = current_journey().half(step)
    prefill, invitation = _invited() if form is None and registration is None else (None, None)
    form = form or SentForm(_filled_in(prefill) or _first_values(step, registration))
    return page(
        step.template,
        form.status,
        step=_step_shown(step),
        half=half,
        action=_address(step, registration),
        path=_path(registration, step, half),
        form=form,
        problems=form.problems,
        notice=notice,
        invitation=invitation,
        begin_invited=_begin_invited(registration) if registration is not None else None,
        is_paused=is_paused,
        deadline=_deadline(registration),
        whose=mark_of(registration.id) if registration else None,
        token_field=browser.token_field,
        link_query=f"?token={mark(browser.token)}" if browser.token else "",
        **step.context(parts, registration, sent),
    )


def _ended(registration: Registration, now: datetime) -> str | None:
    """Return the kind of dead end at which the registration has ended, or None while it can go on."""
    if registration.is_complete:
        return None
    if registration.has_account:
        return "already_registered"
    if registration.ended_at is not None:
        return "ended_by_staff"
    return "link_expired" if registration.expires_at <= now else None


def _step_shown(step: Step) -> dict[str, Any]:
    journey = current_journey()
    return {
        "name": step.name,
        "number": journey.number(step),
        "total": len(journey),
        "title": say()(step.title_key),
    }


def _refused(
    browser: Browser,
    values: Mapping[str, str],
    refusals: Sequence[tuple[str, Refusal]],
    sent: FlaskForm | None = None,
    step: Step | None = None,
) -> Response:
    """Show the same step again with what was typed and what is to be mended."""
    registration = browser.registration
    if registration is not None:
        browser.go_on_with(registration)
    elif browser.came_by_link:
        return _dead_link(browser)
    due = current_journey().current(registration, reopened())
    if due is None or (step is not None and step is not due and not is_about(refusals, due)):
        # It was not this form's turn, so what is wrong with it does not matter.
        return _answer(registration, None, browser)
    if step is not None and step is not due:
        # An earlier answer has become impossible meanwhile: the address was taken by another customer.
        values, sent = {}, None
    if sent is not None:
        refusals = due.mistakes(current_parts(), registration, sent, refusals)
    funnel.refused(due, refusals, registration)
    if any((refusal.field, refusal.reason) == ("sms", "paused") for _, refusal in refusals):
        # Nothing of what was typed is to be mended, so nothing is marked, and all of it stands there still.
        form = replace(explain((), due, values), status=409)
        return _show(registration, browser, sent=sent, form=form, is_paused=True)
    return _show(registration, browser, sent=sent, form=explain(refusals, due, values))


def _dead_link(browser: Browser) -> Response:
    """Say why the link by which this browser came shows no registration."""
    assert browser.access is not None
    return dead_ends.show(current_parts().registrations.records.why_dead(browser.access))


def _act(action: str, parts: Parts, browser: Browser) -> tuple[Registration | None, str | None] | None:
    """Do what another button than a step's own says; return what comes of it, or None when there is no such button."""
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


# --- What the page shows ---------------------------------------------------------------------------------------


def _address(step: Step | None, registration: Registration | None) -> str:
    is_second = registration is not None and current_journey().half(step) == 2
    return url_for("registration.second_half" if is_second else "registration.first_half")


class _Place(NamedTuple):
    """A step's place on the page: done with what was given there, open now, or still to come."""

    number: int
    title: Markup
    state: str
    value: str | None
    change: str | None


def _path(registration: Registration | None, now: Step, half: int) -> list[_Place]:
    parts, speak = current_parts(), say()
    place = current_journey().number(now)
    return [
        _Place(
            number,
            speak(step.title_key),
            "done" if number < place else "now" if number == place else "later",
            # Behind the link, earlier values are masked: the address may have been mistyped.
            step.summary(parts, registration, 2 if registration.email_confirmed_at else half)
            if registration and number < place
            else None,
            step.changed_by if half == 1 or step.changed_by != "restart" else None,
        )
        for number, step in enumerate(current_journey().steps, 1)
    ]


def _first_values(step: Step, registration: Registration | None) -> Mapping[str, str]:
    """What a form starts with: the number of an invitation or a letter (T2), or the address of a reopened step."""
    if registration is None:
        rules = current_parts().profile.identification
        kind = next((kind for kind in rules.identifiers if kind in request.args), "")
        return {rules.field: request.args.get(kind, "").replace("\0", "")[:60], "identifier_kind": kind}
    if step.name == "email" and registration.email and current_journey().half(step) == 1 and not session.get("link"):
        return {"email": registration.email}
    return {}


def _invited() -> tuple[Prefill | None, Markup | None]:
    """Return what the link of an invitation or of a letter's notice fills in (B2, T2, T4), and what is said of it.

    Nothing where no link was followed. The page does not say why a link is dead: outdated, forged, or of a
    registered customer.
    """
    followed = _followed()
    if followed is None:
        return None, None
    name, token = followed
    if name == REGISTER_PARAMETER:
        return _told_by_letter(token)
    parts = current_parts()
    link_id = parts.links.read("invitation", token)
    found = parts.worklists.invitations.prefill(link_id) if link_id else None
    return found, say()("identify.invitation.filled" if found else "identify.invitation.over")


def _told_by_letter(token: str) -> tuple[Prefill | None, Markup | None]:
    parts = current_parts()
    letter_id = parts.links.read(REGISTER_PURPOSE, token)
    found = parts.portal.letters.notices.prefill(letter_id) if letter_id else None
    return found, say()("identify.letter.filled") if found else None


def _begin_invited(registration: Registration) -> str | None:
    """Return where to begin with another customer's invitation that came while this registration is under way."""
    prefill, _ = _invited()
    followed = _followed()
    if prefill is None or prefill.kutid == registration.kutid or followed is None or followed[0] not in request.args:
        return None
    return _linked_to(*followed)


def _followed() -> tuple[str, str] | None:
    """Return the parameter and the token of the link that fills in a number, if one was followed."""
    return next(((name, token) for name in _LINKS if (token := link_token(name))), None)


def _linked_to(name: str, token: str) -> str:
    values: dict[str, Any] = {name: mark(token)}
    return url_for("registration.first_half", **values)


def _is_completed(registration: Registration) -> bool:
    return registration.is_complete or registration.is_completed_elsewhere


def _is_over(registration: Registration) -> bool:
    return _is_completed(registration) or registration.expires_at <= current_parts().clock.now()


def _filled_in(prefill: Prefill | None) -> Mapping[str, str]:
    if prefill is None:
        return {}
    return {current_parts().profile.identification.field: prefill.number, "identifier_kind": prefill.kind}


def _notice(registration: Registration | None) -> Markup | None:
    return _flash.take(time=clock_time(registration.expires_at)) if registration is not None else None


def _deadline(registration: Registration | None) -> dict[str, Any] | None:
    if registration is None:
        return None
    left = time_left(registration.expires_at)
    warning = int(current_parts().profile.registration.warning.total_seconds())
    return {
        "time": clock_time(registration.expires_at),
        "minutes": max(1, -(-left // 60)),
        "warn": left <= warning,
        "warn_in": left - warning if left > warning else None,
        "end_in": left + 1,
    }


def _done(registration: Registration | None) -> Response:
    if registration is None:
        raise OutOfTurn
    return page(
        "steps/done.html",
        email=registration.email,
        mobile_masked=masking.mobile(registration.mobile) if registration.mobile else None,
        has_activation=current_journey().has_activation,
    )
