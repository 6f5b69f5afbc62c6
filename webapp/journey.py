"""The journey: an insurer's steps in order. Where a registration stands is derived from what is known of it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from services.profiles import ProfileError
from services.registrations import EMAIL_CONFIRMED, Registration

if TYPE_CHECKING:
    from webapp.steps import Step


class Journey:
    """The ordered steps that a profile declares. The guard, the progress and the summaries follow from it."""

    def __init__(self, names: Sequence[str], known: Mapping[str, "Step"]) -> None:
        """Raises ProfileError when a name is unknown or stands twice."""
        for name in names:
            if name not in known:
                raise ProfileError(f"journey: there is no step “{name}”. Known steps: {', '.join(sorted(known))}.")
        if len(set(names)) != len(names):
            raise ProfileError("journey: a step stands in it twice.")
        self.steps = tuple(known[name] for name in names)
        self.facts = tuple(step.fact for step in self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def step(self, name: str) -> "Step | None":
        """Return the step of this name, if the journey has it."""
        return next((step for step in self.steps if step.name == name), None)

    def number(self, step: "Step") -> int:
        """Return the place of a step, counted from 1."""
        return self.steps.index(step) + 1

    def current(self, registration: Registration | None, reopened: str | None = None) -> "Step | None":
        """Return the step that is due: the first whose fact is missing, or a done one that the customer reopened.

        None when all is done.
        """
        for step in self.steps:
            if registration is None or not registration.has(step.fact):
                return step
            if step.name == reopened and step.changed_by and not registration.is_complete:
                return step
        return None

    def half(self, step: "Step | None") -> int:
        """Return 1 up to the step that waits for the mailed link, 2 after it (M19)."""
        confirming = next((i for i, s in enumerate(self.steps) if s.fact == EMAIL_CONFIRMED), len(self.steps))
        return 1 if step is not None and self.steps.index(step) <= confirming else 2
