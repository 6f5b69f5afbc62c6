"""The customer gives the address that becomes the user name, twice (M14, M15)."""

from typing import Any, ClassVar

from wtforms import ValidationError

from services.refusal import OutOfTurn, Refusal
from services.registrations import Access, Registration
from services.values import masking
from webapp.journey.step import Step, Submitter
from webapp.parts import Parts
from webapp.ui.fields import email_field
from webapp.ui.forms import StepForm, Text


class EmailForm(StepForm):
    """The address and its repetition."""

    email = email_field()
    email_confirm = Text()

    def validate_email_confirm(self, field: Text) -> None:
        """It must be the same once more."""
        if not field.data.strip():
            raise ValidationError(Refusal("email_confirm", "empty"))
        if not self.email.errors and field.data.strip().casefold() != self.email.data.strip().casefold():
            raise ValidationError(Refusal("email_confirm", "mismatch"))


class Email(Step):
    """Takes the address and has the link mailed."""

    name = "email"
    fact = "email"
    changed_by = "change-email"
    form = EmailForm
    labels: ClassVar = {"email": "email.label", "email_confirm": "email.confirm.label"}

    def submit(self, parts: Parts, access: Access | None, form: Any, asker: Submitter) -> Registration:
        """Take the address."""
        if access is None:
            raise OutOfTurn
        return parts.registrations.emails.choose_email(access, form.email.value)

    def summary(self, parts: Parts, registration: Registration, half: int) -> str:
        """The address as typed."""
        email = registration.email or ""
        return email if half == 1 else masking.email(email)
