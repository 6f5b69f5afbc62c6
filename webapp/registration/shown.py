"""What the page of the registration shows: the step that is due with its form, or why there is none."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from flask import Response, request, session, url_for
from flask_wtf import FlaskForm
from markupsafe import Markup

from services.refusal import OutOfTurn
from services.register.prefill import Prefill
from services.registrations import Registration
from services.values import masking
from webapp.http.addresses import mark
from webapp.journey import funnel
from webapp.journey.browser import Browser, mark_of, reopened
from webapp.journey.journey import current_journey
from webapp.journey.step import Step
from webapp.parts import current_parts
from webapp.registration import dead_ends, prefills
from webapp.ui.form_errors import SentForm
from webapp.ui.formats import clock_time, time_left
from webapp.ui.language import say
from webapp.ui.respond import page


def show(
    registration: Registration | None,
    browser: Browser,
    *,
    sent: FlaskForm | None = None,
    form: SentForm | None = None,
    notice: Markup | None = None,
    is_paused: bool = False,
) -> Response:
    """Show the step that is due, or why there is none.

    `form` is the form that was sent, `sent` its values; `is_paused` says that no text message can be sent.
    """
    now = current_parts().clock.now()
    if registration is not None and is_completed(registration) and registration.expires_at <= now:
        # Its hour is over: the next customer in this browser starts a new one and sees nothing of it.
        registration = None
    elif registration is not None and (ended := _ended(registration, now)):
        return dead_ends.show(ended, registration=registration)
    step = current_journey().current(registration, reopened())
    funnel.reached(step, registration, browser)
    if step is None:
        return _done(registration)
    if registration and registration.code and step.fact == "mobile_confirmed_at" and registration.code.is_dead_end(now):
        return dead_ends.show("codes_used_up", registration=registration, again_at=registration.code.budget_ends_at)
    return _step_page(step, registration, browser, sent=sent, form=form, notice=notice, is_paused=is_paused)


def _step_page(
    step: Step,
    registration: Registration | None,
    browser: Browser,
    *,
    sent: FlaskForm | None,
    form: SentForm | None,
    **said: Any,
) -> Response:
    half = current_journey().half(step)
    prefill, invitation = prefills.read() if form is None and registration is None else (None, None)
    form = form or SentForm(_filled_in(prefill) or _first_values(step, registration))
    return page(
        step.template,
        form.status,
        step=_step_shown(step),
        half=half,
        action=address(step, registration),
        path=_path(registration, step, half),
        form=form,
        problems=form.problems,
        invitation=invitation,
        begin_invited=_begin_invited(registration) if registration is not None else None,
        deadline=_deadline(registration),
        whose=mark_of(registration.id) if registration else None,
        token_field=browser.token_field,
        link_query=f"?token={mark(browser.token)}" if browser.token else "",
        **said,
        **step.context(current_parts(), registration, sent),
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


def address(step: Step | None, registration: Registration | None) -> str:
    """Return the address of the half that a step is in."""
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
            # After the link, earlier values are masked: the address may have been mistyped.
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


def _begin_invited(registration: Registration) -> str | None:
    """Return the address at which another customer's invitation begins while this registration is in progress."""
    prefill, _ = prefills.read()
    followed = prefills.followed()
    if prefill is None or prefill.kutid == registration.kutid or followed is None or followed[0] not in request.args:
        return None
    return prefills.address(*followed)


def is_completed(registration: Registration) -> bool:
    """Tell whether the account is open, by this browser or by another."""
    return registration.is_complete or registration.is_completed_elsewhere


def _filled_in(prefill: Prefill | None) -> Mapping[str, str]:
    if prefill is None:
        return {}
    return {current_parts().profile.identification.field: prefill.number, "identifier_kind": prefill.kind}


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
