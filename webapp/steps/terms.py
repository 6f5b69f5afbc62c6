"""The customer opens and accepts the terms in force (M23)."""

from collections.abc import Mapping
from typing import Any, ClassVar

from services.refusal import OutOfTurn, Refusal
from services.registrations import Access, Registration
from webapp.journey.step import Step, Submitter
from webapp.parts import Parts
from webapp.ui.documents import terms_shown
from webapp.ui.forms import StepForm, Text
from webapp.ui.language import say


class TermsForm(StepForm):
    """The box."""

    terms = Text(20)


class Terms(Step):
    """Keeps that the terms were accepted, which version and which text."""

    name = "terms"
    fact = "terms_accepted_at"
    form = TermsForm
    labels: ClassVar = {"terms": "step.terms"}

    def submit(self, parts: Parts, access: Access | None, form: Any, asker: Submitter) -> Registration:
        """Accept the terms; that they were opened is on record, and asked for before the tick."""
        if access is None:
            raise OutOfTurn
        if not form.terms.data:
            registration = parts.registrations.records.find(access)
            newest = parts.documents.terms.in_force(parts.clock.now()).version
            is_opened = registration is not None and registration.terms_opened == newest
            raise Refusal("terms", "not_ticked" if is_opened else "not_opened")
        return parts.registrations.consents.accept_terms(access)

    def context(self, parts: Parts, registration: Registration | None, form: Any) -> Mapping[str, Any]:
        """The version in force, where to read it, and whether it has been opened."""
        terms = parts.documents.terms.in_force(parts.clock.now())
        return {"terms": terms_shown(terms, registration.terms_opened if registration else None)}

    def summary(self, parts: Parts, registration: Registration, half: int) -> str:
        """Which version was accepted."""
        return say()("terms.summary", version=registration.terms_version)
