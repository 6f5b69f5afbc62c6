"""The one place where registrations are seen: which step a browser came to, what was refused there, where it ended.

What is seen is counted by `services.figures`; the browser's session keeps how far it was counted, so that reloading, a
form shown again and a second tab are not counted twice.
"""

from collections.abc import Sequence

from flask import request, session

from services.figures import ENTERED, FINISHED, REFUSED, STOPPED
from services.figures.observations import CUSTOMER
from services.refusal import Refusal
from services.registrations import EMAIL_CONFIRMED, Registration
from webapp.http.devices import ROBOT, browser_family
from webapp.journey.browser import Browser, held
from webapp.journey.journey import ACTIVATION, current_journey
from webapp.journey.step import Step
from webapp.parts import current_parts

_COUNTED, _ENDED = "counted", "ended"


def reached(step: Step | None, registration: Registration | None, browser: Browser) -> None:
    """Count that this browser is shown `step`: it entered that, and finished the one before. None when all is done."""
    parts = current_parts()
    place = current_journey().number(step) if step else len(current_journey()) + 1
    counted = _counted(registration, browser)
    if place <= counted or request.method == "HEAD":
        return
    session[_COUNTED] = place
    session.pop(_ENDED, None)
    if registration is not None and not parts.figures.funnel.is_further(registration.id, place):
        return
    if place > 1:
        _count(current_journey().steps[place - 2].name, FINISHED, registration)
    if step is not None:
        _count(step.name, ENTERED, registration)
    elif current_journey().has_activation:
        _count(ACTIVATION, ENTERED, registration)


def refused(step: Step, refusals: Sequence[tuple[str, Refusal]], registration: Registration | None) -> None:
    """Count each thing that was wrong in a form, every time it was."""
    for error in dict.fromkeys(f"{refusal.field}.{refusal.reason}" for _, refusal in refusals):
        _count(step.name, REFUSED, registration, error)


def stopped(kind: str, registration: Registration | None) -> None:
    """Count a dead end, once for this browser until it goes on."""
    if session.get(_ENDED) == kind or request.method == "HEAD":
        return
    session[_ENDED] = kind
    journey = current_journey()
    step = journey.current(registration) or journey.steps[-1]
    if registration is None and kind.startswith("link_"):
        step = next((one for one in journey.steps if one.fact == EMAIL_CONFIRMED), step)
    _count(step.name, STOPPED, registration, kind)


def activation(what: str, error: str = "") -> None:
    """Count what becomes of the activation, which comes after the registration."""
    _count(ACTIVATION, what, None, error)


def _counted(registration: Registration | None, browser: Browser) -> int:
    """Return how far this browser was counted."""
    journey = current_journey()
    counted = int(session.get(_COUNTED, 0))
    if registration is None:
        # After a completed registration the next visitor is another person.
        return 0 if counted > len(journey) else counted
    known = held()
    if browser.token and (known is None or known.registration_id != registration.id):
        # By the link from another browser: what comes before it was counted there, or where staff began it.
        return next((journey.number(one) for one in journey.steps if one.fact == EMAIL_CONFIRMED), 0)
    return counted


def _count(step: str, what: str, registration: Registration | None, error: str = "") -> None:
    browser = browser_family()
    if browser == ROBOT or "prefetch" in request.headers.get("Sec-Purpose", ""):
        return
    begun_by = registration.begun_by if registration else CUSTOMER
    current_parts().figures.funnel.count(step, what, begun_by=begun_by, browser=browser, error=error)
