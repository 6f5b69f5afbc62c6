"""The customer chooses a password, and the account is opened (M25–M27)."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, ClassVar

from services.refusal import OutOfTurn, Refusal
from services.registrations import Access, Registration
from webapp.journey.step import Step, Submitter
from webapp.parts import Parts
from webapp.ui.passwords import NewPasswordForm, every_mistake, rules_shown


class Password(Step):
    """Opens the account."""

    name = "password"
    fact = "is_complete"
    needs = ("identifier", "email")
    form = NewPasswordForm
    labels: ClassVar = {"password": "password.label", "password_confirm": "password.confirm.label"}

    def submit(self, parts: Parts, access: Access | None, form: Any, asker: Submitter) -> Registration:
        """Judge the password and open the account."""
        if access is None:
            raise OutOfTurn
        return parts.registrations.completion.complete(access, form.password.data)

    def mistakes(
        self, parts: Parts, registration: Registration | None, form: Any, refusals: Sequence[tuple[str, Refusal]]
    ) -> Sequence[tuple[str, Refusal]]:
        """Every rule that the password breaks besides."""
        if registration is None:
            return refusals
        return every_mistake(refusals, form, partial(parts.registrations.completion.judge, registration))

    def context(self, parts: Parts, registration: Registration | None, form: Any) -> Mapping[str, Any]:
        """The rules."""
        if registration is None:
            return {"username": None, "rules": []}
        return {
            "username": registration.email,
            "rules": rules_shown(parts.registrations.completion.judge(registration, "")),
        }
