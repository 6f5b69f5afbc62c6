"""The customer gives a mobile number that the insurer already holds; the code goes there (M20)."""

from collections.abc import Mapping
from typing import Any, ClassVar

from services.refusal import OutOfTurn
from services.registrations import Access, Registration
from services.values import masking
from webapp.journey.step import Step, Submitter
from webapp.parts import Parts
from webapp.ui.fields import mobile_field
from webapp.ui.forms import StepForm


class MobileForm(StepForm):
    """The number, in any spelling."""

    mobile = mobile_field()


class Mobile(Step):
    """Takes the number and has the code sent."""

    name = "mobile"
    fact = "mobile"
    changed_by = "change-mobile"
    form = MobileForm
    labels: ClassVar = {"mobile": "mobile.label"}

    def submit(self, parts: Parts, access: Access | None, form: Any, asker: Submitter) -> Registration:
        """Send the code."""
        if access is None:
            raise OutOfTurn
        return parts.registrations.mobiles.choose_mobile(access, form.mobile.value)

    def context(self, parts: Parts, registration: Registration | None, form: Any) -> Mapping[str, Any]:
        """Whether the address was confirmed just before, and whether staff have checked the customer's data."""
        return {
            "email_confirmed": registration is not None and registration.email_confirmed_at is not None,
            "is_assisted": registration is not None and registration.is_assisted,
        }

    def summary(self, parts: Parts, registration: Registration, half: int) -> str:
        """The number, masked."""
        return masking.mobile(registration.mobile or "")
