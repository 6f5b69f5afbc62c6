"""The base of a step.

A step names the fact that makes it done, checks its form, and hands the values to one method of one service.
It never sees the request's cookies, the database or another step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from flask_wtf import FlaskForm
from markupsafe import Markup

from services.profiles import Profile
from services.refusal import Refusal
from services.registrations import Access, Registration
from webapp.parts import Parts
from webapp.ui.form_errors import place_of
from webapp.ui.forms import StepForm


@dataclass(frozen=True)
class Submitter:
    """Who submits a form, as far as a step may know: the page reads it from the request."""

    language: str
    browser: str | None
    """The browser's mark, by which services count its attempts; None before its first page."""
    source: str
    """The network address."""


class Step:
    """One step of a registration."""

    name: ClassVar[str]
    """As in the profile's journey and the form's data-step; with underscores, also the template's and texts'."""
    fact: ClassVar[str]
    """The field of Registration, or the key of its answers, whose presence means that the step is done."""
    needs: ClassVar[tuple[str, ...]] = ("identifier",)
    """The facts without which it cannot be taken: a journey must give them before."""
    changed_by: ClassVar[str | None] = None
    """The action of the button that reopens the step, where it may be changed."""
    form: ClassVar[type[StepForm]] = StepForm
    labels: ClassVar[Mapping[str, str]] = {}
    """The keys of the fields' names, for the summary of what is to be mended."""
    actions: ClassVar[tuple[str, ...]] = ()
    """What its other buttons are called; `act` does it."""

    @property
    def template(self) -> str:
        """The step's template."""
        return f"steps/{self.name.replace('-', '_')}.html"

    @property
    def title_key(self) -> str:
        """The key of the step's name."""
        return f"step.{self.name.replace('-', '_')}"

    def gives(self, profile: Profile) -> tuple[str, ...]:
        """Return the facts that are there when the step is done."""
        return (self.fact,)

    def submit(self, parts: Parts, access: Access | None, form: Any, asker: Submitter) -> Registration:
        """Do what the step is for, by one public method of one service; raise what that raises."""
        raise NotImplementedError

    def act(self, action: str, parts: Parts, access: Access | None) -> tuple[Registration, str | None]:
        """Do what another button of the step says; return the registration, and the key of a notice or None."""
        raise NotImplementedError

    def places(self, refusal: Refusal, values: Mapping[str, str]) -> list[str]:
        """Return the fields that a service's refusal stands beside; `values` is what was typed."""
        return [place_of(refusal, self.labels)]

    def mistakes(
        self, parts: Parts, registration: Registration | None, form: Any, refusals: Sequence[tuple[str, Refusal]]
    ) -> Sequence[tuple[str, Refusal]]:
        """Return all that is to be mended in `form`, where more is wrong than what was refused first."""
        return refusals

    def context(self, parts: Parts, registration: Registration | None, form: FlaskForm | None) -> Mapping[str, Any]:
        """Return what the template needs besides what every step has."""
        return {}

    def summary(self, parts: Parts, registration: Registration, half: int) -> str | Markup | None:
        """Return how the done step stands on the page; masked after the mailed link."""
        return None


def is_about(refusals: Sequence[tuple[str, Refusal]], step: Step) -> bool:
    """Tell whether a service has refused something that `step` asks for."""
    asked = {entry.name for entry in step.form(None)}
    return all(not name and refusal.field in asked for name, refusal in refusals)
