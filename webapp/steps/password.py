"""The customer chooses a password, and the account is opened (M25–M27)."""

from collections.abc import Mapping
from typing import Any, ClassVar

from wtforms import ValidationError

from services.passwords import normal_form
from services.refusal import OutOfTurn, Refusal
from services.registrations import Registration, Visit
from webapp.forms import StepForm, Text
from webapp.parts import Parts, wired
from webapp.rendering import say
from webapp.steps import Step

_FAR_TOO_LONG = 1 << 16


class PasswordForm(StepForm):
    """The password and its repetition."""

    password = Text(_FAR_TOO_LONG)
    password_confirm = Text(_FAR_TOO_LONG)

    def validate_password(self, field: Text) -> None:
        """It must be there and not endless; the other rules need the registration."""
        longest = wired().profile.password.max_length
        if not field.data:
            raise ValidationError(Refusal("password", "empty"))
        if len(field.data) > longest:
            raise ValidationError(Refusal("password", "too_long", length=longest))

    def validate_password_confirm(self, field: Text) -> None:
        """It must be the same once more."""
        if not field.data:
            raise ValidationError(Refusal("password_confirm", "empty"))
        if normal_form(field.data) != normal_form(self.password.data):
            raise ValidationError(Refusal("password_confirm", "mismatch"))


class Password(Step):
    """Opens the account."""

    name = "password"
    fact = "is_complete"
    needs = ("identifier", "email")
    form = PasswordForm
    labels: ClassVar = {"password": "password.label", "password_confirm": "password.confirm.label"}

    def submit(self, parts: Parts, visit: Visit | None, form: Any, language: str) -> Registration:
        """Judge the password and open the account."""
        if visit is None:
            raise OutOfTurn
        return parts.registrations.complete(visit, form.password.data)

    def context(self, parts: Parts, registration: Registration | None, form: Any) -> Mapping[str, Any]:
        """The rules, with a verdict on what was sent, if anything was."""
        sent = form.password.data if form is not None else ""
        is_judged = bool(sent) and len(sent) <= parts.profile.password.max_length
        return {
            "username": registration.email if registration else None,
            "rules": [
                {
                    "key": rule.key,
                    "text": say()(f"password.rule.{rule.key}", length=parts.profile.password.min_length),
                    "met": rule.is_met if is_judged else None,
                }
                for rule in (parts.registrations.judge(registration, sent if is_judged else "") if registration else ())
            ],
        }
