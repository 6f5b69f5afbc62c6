"""The customer says who they are: a policy number and a second datum (M7–M13)."""

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

from flask_wtf import FlaskForm
from wtforms import ValidationError

from services import identifiers, masking
from services.policyholders import SecondDatum
from services.refusal import Refusal
from services.registrations import Registration, Visit
from webapp.dates import read_date
from webapp.forms import StepForm, Text
from webapp.parts import Parts, wired
from webapp.steps import Step


class DatePart(Text):
    """A part of the date; what is wrong in it, whatever it is, is said of the date."""

    def pre_validate(self, form: FlaskForm) -> None:
        """Leave the judgement to the date."""


class IdentifyForm(StepForm):
    """`policy_number` also takes a communication id; `holder_type` decides which of the other fields counts."""

    policy_number = Text(60)
    holder_type = Text(20)
    birth_date = Text(40)
    birth_date_year = DatePart(name="birth_date-year")
    birth_date_month = DatePart(name="birth_date-month")
    birth_date_day = DatePart(name="birth_date-day")
    tax_number = Text(40)
    communication_password = Text(200)

    identifier: str = ""
    born: date | None = None
    tax: identifiers.TaxNumber | None = None
    wrong_parts: frozenset[str] = frozenset()

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of holder that the profile offers."""
        return wired().profile.identification.holder_types

    def validate_policy_number(self, field: Text) -> None:
        """Read the number, or the communication id where that was chosen."""
        is_id = self.holder_type.data == "communication_id"
        try:
            self.identifier = (identifiers.communication_id if is_id else identifiers.policy_number)(field.data)
        except Refusal as refusal:
            with_id = ".with_id" if "communication_id" in self.kinds else ""
            if refusal.reason == "empty":
                raise ValidationError(Refusal("policy_number", f"empty{with_id}")) from None
            raise ValidationError(self._malformed(refusal.field)) from None
        digits = wired().profile.identification.policy_number_digits
        if not is_id and not (self.identifier.isdecimal() and len(self.identifier) == digits):
            raise ValidationError(self._malformed("policy_number"))

    def validate_holder_type(self, field: Text) -> None:
        """One of the kinds must be chosen."""
        if field.data not in self.kinds:
            raise ValidationError(
                Refusal("holder_type", "empty.with_id" if "communication_id" in self.kinds else "empty")
            )

    def validate_birth_date(self, field: Text) -> None:
        """Read the date, given whole or in three parts."""
        if self.holder_type.data != "person":
            return
        today = wired().clock.now().astimezone(wired().profile.zone).date()
        year, month, day = self.birth_date_year.data, self.birth_date_month.data, self.birth_date_day.data
        try:
            self.born = read_date(field.data, (year, month, day), today)
        except Refusal as refusal:
            self.wrong_parts = refusal.facts.get("parts", frozenset())
            raise ValidationError(refusal) from None

    def validate_tax_number(self, field: Text) -> None:
        """Read the number and check its check digit."""
        if self.holder_type.data == "company":
            try:
                self.tax = identifiers.TaxNumber.parse_checked(field.data)
            except Refusal as refusal:
                raise ValidationError(refusal) from None

    def validate_communication_password(self, field: Text) -> None:
        """It must be there where it counts."""
        if self.holder_type.data == "communication_id" and not field.data:
            raise ValidationError(Refusal("communication_password", "empty"))

    @staticmethod
    def _malformed(field: str) -> Refusal:
        return Refusal(field, "malformed", length=wired().profile.identification.policy_number_digits)


class Identify(Step):
    """Begins the registration."""

    name = "identify"
    fact = "identifier"
    changed_by = "restart"
    form = IdentifyForm
    labels: ClassVar = {
        "policy_number": "identify.kind.policy",
        "holder_type": "identify.holder.legend",
        "birth_date": "identify.birth_date.label",
        "tax_number": "identify.tax_number.label",
        "communication_password": "identify.communication_password.label",
    }

    def submit(self, parts: Parts, visit: Visit | None, form: IdentifyForm, language: str) -> Registration:
        """Find the holder; M12 and all mismatches come as refusals."""
        if form.holder_type.data == "communication_id":
            return parts.registrations.identify_by_communication_id(
                form.identifier, form.communication_password.data, language
            )
        return parts.registrations.identify(form.identifier, SecondDatum(form.born, form.tax), language)

    def places(self, refusal: Refusal, values: Mapping[str, str]) -> list[str]:
        """Both data when they do not match, else the first."""
        second = {"company": "tax_number", "communication_id": "communication_password"}
        both = ["policy_number", second.get(values.get("holder_type", ""), "birth_date")]
        return both if refusal.reason == "mismatch" else both[:1]

    def context(self, parts: Parts, registration: Registration | None, form: Any) -> Mapping[str, Any]:
        """Whether communication ids are taken."""
        return {"with_communication_id": "communication_id" in parts.profile.identification.holder_types}

    def summary(self, parts: Parts, registration: Registration, half: int) -> str:
        """The number that was typed."""
        return registration.identifier if half == 1 else masking.identifier(registration.identifier)
