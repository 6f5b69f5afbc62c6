"""The customer chooses a password, and the account is opened (M25–M27)."""

from collections.abc import Mapping
from typing import Any, ClassVar

from services.refusal import OutOfTurn
from services.registrations import Registration, Visit
from webapp.parts import Parts
from webapp.passwords import NewPasswordForm, rules_shown
from webapp.steps import Step


class Password(Step):
    """Opens the account."""

    name = "password"
    fact = "is_complete"
    needs = ("identifier", "email")
    form = NewPasswordForm
    labels: ClassVar = {"password": "password.label", "password_confirm": "password.confirm.label"}

    def submit(self, parts: Parts, visit: Visit | None, form: Any, language: str) -> Registration:
        """Judge the password and open the account."""
        if visit is None:
            raise OutOfTurn
        return parts.registrations.complete(visit, form.password.data)

    def context(self, parts: Parts, registration: Registration | None, form: Any) -> Mapping[str, Any]:
        """The rules, with a verdict on what was sent, if anything was."""
        if registration is None:
            return {"username": None, "rules": []}
        sent = form.password.data if form is not None else ""
        return {
            "username": registration.email,
            "rules": rules_shown(lambda password: parts.registrations.judge(registration, password), sent),
        }
