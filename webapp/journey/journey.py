"""The journey: an insurer's steps in order. Where a registration stands is derived from what is known of it."""

from collections.abc import Mapping
from difflib import get_close_matches

from flask import current_app

from services.profiles import Profile, ProfileError
from services.registrations import COMPLETE, EMAIL_CONFIRMED, Registration
from webapp.journey.step import Step

ACTIVATION = "activation"
"""The name that stands last in a journey whose account waits, at the first sign-in, for a mailed code (A7)."""


class Journey:
    """The ordered steps that a profile declares. The guard, the progress and the summaries follow from it."""

    def __init__(self, profile: Profile, known: Mapping[str, Step]) -> None:
        """Raises ProfileError when a step is unknown, stands twice, or comes before what it needs."""
        names = profile.journey
        self.has_activation = names[-1] == ACTIVATION
        names = names[:-1] if self.has_activation else names
        for name in names:
            if name not in known:
                raise _unknown(name, (*known, ACTIVATION))
        if len(set(names)) != len(names):
            raise ProfileError("journey: a step stands in it twice.")
        self.steps = tuple(known[name] for name in names)
        self.facts = tuple(step.fact for step in self.steps)
        _check_order(self.steps, profile, known)
        if EMAIL_CONFIRMED not in self.facts and not self.has_activation:
            raise ProfileError(
                "journey: nobody proves the address. Let “email-sent” follow “email”, or end with “activation”."
            )

    def __len__(self) -> int:
        return len(self.steps)

    def step(self, name: str) -> Step | None:
        """Return the step of this name, if the journey has it."""
        return next((step for step in self.steps if step.name == name), None)

    def number(self, step: Step) -> int:
        """Return the place of a step, counted from 1."""
        return self.steps.index(step) + 1

    def current(self, registration: Registration | None, reopened: str | None = None) -> Step | None:
        """Return the step that is due: the first whose fact is missing, or a done one that the customer reopened.

        None when all is done.
        """
        for step in self.steps:
            if registration is None or not registration.has(step.fact):
                return step
            if step.name == reopened and step.changed_by and not registration.is_complete:
                return step
        return None

    def half(self, step: Step | None) -> int:
        """Return 1 up to the step that waits for the mailed link, 2 after it (M19)."""
        confirming = next((i for i, s in enumerate(self.steps) if s.fact == EMAIL_CONFIRMED), len(self.steps))
        return 1 if step is not None and self.steps.index(step) <= confirming else 2


def current_journey() -> Journey:
    """Return the journey of the application that answers this request."""
    journey: Journey = current_app.extensions["belepo.journey"]
    return journey


def _unknown(name: str, known: tuple[str, ...]) -> ProfileError:
    close = get_close_matches(name, known, 1)
    meant = f" Did you mean “{close[0]}”?" if close else ""
    return ProfileError(f"journey: there is no step “{name}”.{meant} Known steps: {', '.join(sorted(known))}.")


def _check_order(steps: tuple[Step, ...], profile: Profile, known: Mapping[str, Step]) -> None:
    given: set[str] = set()
    for step in steps:
        for fact in step.needs:
            if fact not in given:
                giver = next(other.name for other in known.values() if fact in other.gives(profile))
                raise ProfileError(f"journey: “{step.name}” cannot come before “{giver}”; put “{giver}” before it.")
        given.update(step.gives(profile))
    if steps[-1].fact != COMPLETE:
        raise ProfileError(
            "journey: it ends with “password”, which opens the account, or with “activation” after that."
        )
    if COMPLETE in [step.fact for step in steps[:-1]]:
        raise ProfileError("journey: nothing but “activation” comes after “password”, which opens the account.")
