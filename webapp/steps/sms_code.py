"""The customer types the code from the SMS (M21, M22)."""

from collections.abc import Mapping
from typing import Any, ClassVar

from wtforms import ValidationError

from services.refusal import OutOfTurn, Refusal
from services.registrations import Registration, Visit
from services.values import masking
from webapp.journey.step import Asker, Step
from webapp.parts import Parts, wired
from webapp.ui.formats import clock_time, first_minute, time_left
from webapp.ui.forms import StepForm, Text, read_code
from webapp.ui.language import say


class SmsCodeForm(StepForm):
    """The code, or its last digits where those are enough; spaces and hyphens between them are forgiven."""

    sms_code = Text(40)

    code: str = ""

    def validate_sms_code(self, field: Text) -> None:
        """It must have the code's length; one that cannot be right costs no try."""
        try:
            self.code = read_code(field.name, field.data, wired().profile.one_time_code)
        except Refusal as refusal:
            raise ValidationError(refusal) from None


class SmsCode(Step):
    """Checks the code."""

    name = "sms-code"
    fact = "mobile_confirmed_at"
    needs = ("mobile",)
    form = SmsCodeForm
    labels: ClassVar = {"sms_code": "sms_code.label", "resend": "sms_code.resend"}
    actions = ("sms-resend",)

    def submit(self, parts: Parts, visit: Visit | None, form: Any, asker: Asker) -> Registration:
        """Check the code."""
        if visit is None:
            raise OutOfTurn
        return parts.registrations.mobiles.confirm_mobile(visit, form.code)

    def act(self, action: str, parts: Parts, visit: Visit | None) -> tuple[Registration, str | None]:
        """Send a new code."""
        if visit is None:
            raise OutOfTurn
        return parts.registrations.mobiles.resend_code(visit), "sms_code.resent"

    def context(self, parts: Parts, registration: Registration | None, form: Any) -> Mapping[str, Any]:
        """What may be known of the code: where it went, until when it is good, what is left of the budget."""
        if registration is None:
            return {}
        now, rules, state = parts.clock.now(), parts.profile.one_time_code, registration.code
        mobile = masking.mobile(registration.mobile or "")
        if state is None:
            # None was sent for this customer, or it was long ago.
            resend = {"time": clock_time(now), "seconds": 0, "allowed": True}
            return {"mobile": mobile, "code": {"usable": False, "resend": resend, "codes_left": rules.codes - 1}}
        return {
            "mobile": mobile,
            "code": {
                "length": rules.length,
                "typed": rules.typed,
                "until": clock_time(state.expires_at),
                "tries": state.tries_left,
                "tries_total": rules.tries,
                "codes_left": state.codes_left(now),
                "usable": state.is_usable(now),
                "delivery_failed": state.is_undelivered,
                "elsewhere": state.is_elsewhere,
                "resend": {
                    "time": clock_time(first_minute(state.again_at)),
                    "seconds": time_left(state.again_at),
                    "allowed": state.codes_left(now) > 0,
                },
            },
        }

    def summary(self, parts: Parts, registration: Registration, half: int) -> str:
        """That the number is proved."""
        return say()("sms_code.confirmed")
