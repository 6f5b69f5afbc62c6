"""The customer types the code from the SMS (M21, M22)."""

from collections.abc import Mapping
from typing import Any, ClassVar

from services.refusal import OutOfTurn
from services.registrations import Access, Registration
from services.values import masking
from webapp.journey.step import Step, Submitter
from webapp.parts import Parts
from webapp.ui.codes import code_shown
from webapp.ui.fields import code_field
from webapp.ui.forms import StepForm
from webapp.ui.language import say


class SmsCodeForm(StepForm):
    """The code, or its last digits where those are enough; spaces and hyphens between them are forgiven."""

    sms_code = code_field("sms_code")


class SmsCode(Step):
    """Checks the code."""

    name = "sms-code"
    fact = "mobile_confirmed_at"
    needs = ("mobile",)
    form = SmsCodeForm
    labels: ClassVar = {"sms_code": "sms_code.label", "resend": "sms_code.resend"}
    actions = ("sms-resend",)

    def submit(self, parts: Parts, access: Access | None, form: Any, asker: Submitter) -> Registration:
        """Check the code."""
        if access is None:
            raise OutOfTurn
        return parts.registrations.mobiles.confirm_mobile(access, form.sms_code.value)

    def act(self, action: str, parts: Parts, access: Access | None) -> tuple[Registration, str | None]:
        """Send a new code."""
        if access is None:
            raise OutOfTurn
        return parts.registrations.mobiles.resend_code(access), "sms_code.resent"

    def context(self, parts: Parts, registration: Registration | None, form: Any) -> Mapping[str, Any]:
        """What may be known of the code: where it went, until when it is good, what is left of the budget."""
        if registration is None:
            return {}
        # Without one none was sent for this customer, or it was long ago.
        code = code_shown(registration.code, otherwise_left=parts.profile.one_time_code.codes - 1)
        return {"mobile": masking.mobile(registration.mobile or ""), "code": code}

    def summary(self, parts: Parts, registration: Registration, half: int) -> str:
        """That the number is proved."""
        return say()("sms_code.confirmed")
