"""The customer says who they are: a number of theirs and what they know besides (M7–M13, T1, A1)."""

from collections.abc import Mapping
from datetime import date
from typing import Any, ClassVar

from flask_wtf import FlaskForm
from wtforms import ValidationError

from services.profiles import Identification, Profile
from services.refusal import Refusal
from services.register.policyholders import SecondDatum
from services.registrations import Registration, Visit
from services.values import identifiers, masking
from webapp.journey.step import Asker, Step
from webapp.parts import Parts, wired
from webapp.ui.dates import read_date
from webapp.ui.forms import StepForm, Text


class DatePart(Text):
    """A part of the date; what is wrong in it, whatever it is, is said of the date."""

    def pre_validate(self, form: FlaskForm) -> None:
        """Leave the judgement to the date."""


class IdentifyForm(StepForm):
    """Of these fields those that the profile asks for; `holder_type` decides which of them count.

    The policy number's field also takes a communication id.
    """

    identifier_kind = Text(20)
    identifier = Text(60)
    policy_number = Text(60)
    customer_number = Text(60)
    account_number = Text(60)
    holder_type = Text(20)
    birth_date = Text(40)
    birth_date_year = DatePart(name="birth_date-year")
    birth_date_month = DatePart(name="birth_date-month")
    birth_date_day = DatePart(name="birth_date-day")
    birth_number = Text(40)
    tax_number = Text(40)
    postal_code = Text(40)
    mobile = Text(60)
    communication_password = Text(200)

    number: str = ""
    born: date | None = None
    tax: identifiers.TaxNumber | None = None
    known: Mapping[str, str] = {}
    wrong_parts: frozenset[str] = frozenset()

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        asked = {self.rules.field, *self.rules.data}
        if len(self.rules.identifiers) > 1:
            asked.add("identifier_kind")
        if len(self.rules.asks) > 1:
            asked.add("holder_type")
        if "birth_date" in asked:
            asked |= {"birth_date_year", "birth_date_month", "birth_date_day"}
        for name in [name for name in self._fields if name not in asked]:
            del self[name]

    @property
    def rules(self) -> Identification:
        """What the profile asks."""
        return wired().profile.identification

    @property
    def holder(self) -> str:
        """Who the holder is said to be."""
        return str(self.holder_type.data) if self.holder_type else next(iter(self.rules.asks))

    @property
    def kind(self) -> str:
        """Which kind of number is given."""
        return str(self.identifier_kind.data) if self.identifier_kind else next(iter(self.rules.identifiers))

    @property
    def datum(self) -> SecondDatum:
        """What is given besides the number."""
        return SecondDatum(self.born, self.tax, **self.known)

    def validate_identifier_kind(self, field: Text) -> None:
        """One of the kinds must be chosen."""
        if self.kind not in self.rules.identifiers:
            raise ValidationError(Refusal("identifier_kind", "empty"))

    def validate_identifier(self, field: Text) -> None:
        """Read the number, or the communication id where that was chosen."""
        if self.kind not in self.rules.identifiers:
            if not field.data.strip():
                raise ValidationError(Refusal("identifier", "empty"))
            return
        is_id, looks = self.holder == "communication_id", self.rules.identifiers[self.kind]  # type: ignore[index]
        try:
            read = identifiers.communication_id(field.data) if is_id else identifiers.code(field.data, self.kind)
        except Refusal as refusal:
            reason = f"empty{self._with_id}" if refusal.reason == "empty" else "malformed"
            about = self.kind if refusal.reason == "empty" else refusal.field
            raise ValidationError(Refusal(about, reason, length=looks.length)) from None
        if not is_id and not looks.fits(read):
            raise ValidationError(Refusal(self.kind, "malformed", length=looks.length))
        self.number = read

    validate_policy_number = validate_customer_number = validate_account_number = validate_identifier

    def validate_holder_type(self, field: Text) -> None:
        """One of the holders must be chosen."""
        if self.holder not in self.rules.asks:
            raise ValidationError(Refusal("holder_type", f"empty{self._with_id}"))

    def validate_birth_date(self, field: Text) -> None:
        """Read the date, given whole or in three parts."""
        if not self._is_asked("birth_date"):
            return
        today = wired().clock.now().astimezone(wired().profile.zone).date()
        year, month, day = self.birth_date_year.data, self.birth_date_month.data, self.birth_date_day.data
        try:
            self.born = read_date(field.data, (year, month, day), today)
        except Refusal as refusal:
            self.wrong_parts = refusal.facts.get("parts", frozenset())
            raise ValidationError(refusal) from None

    def validate_birth_number(self, field: Text) -> None:
        """Read the number and check its check digit."""
        if self._is_asked("birth_number"):
            self._know(field, identifiers.birth_number)

    def validate_tax_number(self, field: Text) -> None:
        """Read the number and check its check digit."""
        if self._is_asked("tax_number"):
            try:
                self.tax = identifiers.TaxNumber.parse_checked(field.data, wired().profile.country)
            except Refusal as refusal:
                raise ValidationError(refusal) from None

    def validate_postal_code(self, field: Text) -> None:
        """Read the postcode."""
        if self._is_asked("postal_code"):
            self._know(field, identifiers.postal_code, wired().profile.country)

    def validate_mobile(self, field: Text) -> None:
        """It must be a mobile of the profile's country."""
        if self._is_asked("mobile"):
            self._know(field, identifiers.mobile, wired().profile.country)

    def validate_communication_password(self, field: Text) -> None:
        """It must be there where it counts."""
        if self._is_asked("communication_password") and not field.data:
            raise ValidationError(Refusal("communication_password", "empty"))

    @property
    def _with_id(self) -> str:
        return ".with_id" if "communication_id" in self.rules.asks else ""

    def _is_asked(self, datum: str) -> bool:
        return self.holder in self.rules.data.get(datum, ())

    def _know(self, field: Text, read: Any, *country: str) -> None:
        try:
            self.known = {**self.known, field.name: read(field.data, *country)}
        except Refusal as refusal:
            raise ValidationError(refusal) from None


class Identify(Step):
    """Begins the registration."""

    name = "identify"
    fact = "identifier"
    needs = ()
    changed_by = "restart"
    form = IdentifyForm
    labels: ClassVar = {
        "identifier_kind": "identify.kind.legend",
        "identifier": "identify.identifier.label",
        "policy_number": "identify.kind.policy",
        "account_number": "identify.kind.account",
        "customer_number": "identify.kind.customer_number",
        "holder_type": "identify.holder.legend",
        "birth_date": "identify.birth_date.label",
        "birth_number": "identify.birth_number.label",
        "tax_number": "identify.tax_number.label",
        "postal_code": "identify.postal_code.label",
        "mobile": "identify.mobile.label",
        "communication_password": "identify.communication_password.label",
    }

    def gives(self, profile: Profile) -> tuple[str, ...]:
        """The number, and the mobile where it is part of what is asked."""
        return ("identifier", "mobile") if "mobile" in profile.identification.data else ("identifier",)

    def submit(self, parts: Parts, visit: Visit | None, form: IdentifyForm, asker: Asker) -> Registration:
        """Find the holder; M12 and all mismatches come as refusals."""
        if form.holder == "communication_id":
            return parts.registrations.identification.identify_by_communication_id(
                form.number, form.communication_password.data, asker.language, source=asker.source
            )
        return parts.registrations.identification.identify(
            form.number, form.datum, asker.language, form.kind, browser=asker.browser, source=asker.source
        )

    def places(self, refusal: Refusal, values: Mapping[str, str]) -> list[str]:
        """Everything that was asked when it does not match together, else the number."""
        rules = wired().profile.identification
        holder = values.get("holder_type", "")
        asked = rules.asks.get(holder) or next(iter(rules.asks.values()))  # type: ignore[call-overload]
        return [rules.field, *asked] if refusal.reason == "mismatch" else [rules.field]

    def context(self, parts: Parts, registration: Registration | None, form: Any) -> Mapping[str, Any]:
        """What is asked, and of whom."""
        rules = parts.profile.identification
        return {
            "number": rules.field,
            "kinds": {kind: looks.length for kind, looks in rules.identifiers.items()},
            "holders": list(rules.asks),
            "data": rules.data,
            "with_communication_id": "communication_id" in rules.asks,
        }

    def summary(self, parts: Parts, registration: Registration, half: int) -> str:
        """The number that was typed."""
        return registration.identifier if half == 1 else masking.identifier(registration.identifier)
