"""The customer says who they are: a number of theirs and what they know besides (M7–M13, T1, A1)."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, ClassVar, Generic, TypeVar

from flask_wtf import FlaskForm
from wtforms import ValidationError

from services.profiles import Identification, Profile
from services.refusal import Refusal
from services.register.policyholders import SecondDatum
from services.registrations import Access, Registration
from services.values import identifiers, masking
from webapp.journey.step import Step, Submitter
from webapp.parts import Parts, current_parts
from webapp.ui.dates import read_date
from webapp.ui.fields import Parsed
from webapp.ui.forms import StepForm, Text

T = TypeVar("T")


class DatePart(Text):
    """A part of the date; what is wrong in it, whatever it is, is said of the date."""

    def pre_validate(self, form: FlaskForm) -> None:
        """Leave the judgement to the date."""


class Number(Parsed[str]):
    """A number by which the insurer knows the customer, or the communication id where that was chosen."""

    def __init__(self, **options: Any) -> None:
        super().__init__(identifiers.communication_id, 60, **options)

    def parse(self, form: "IdentifyForm") -> str:
        """Raises Refusal by the kind of number: ``<kind>.empty`` or ``<kind>.malformed``."""
        if form.kind not in form.rules.identifiers:
            if not self.data.strip():
                raise Refusal("identifier", "empty")
            return ""
        is_id, looks = form.holder == "communication_id", form.rules.identifiers[form.kind]  # type: ignore[index]
        try:
            read = self._read(self.data) if is_id else identifiers.code(self.data, form.kind)
        except Refusal as refusal:
            reason = f"empty{form.with_id}" if refusal.reason == "empty" else "malformed"
            about = form.kind if refusal.reason == "empty" else refusal.field
            raise Refusal(about, reason, length=looks.length) from None
        if not is_id and not looks.fits(read):
            raise Refusal(form.kind, "malformed", length=looks.length)
        return read


class Datum(Parsed[T | None], Generic[T]):
    """What is asked besides the number; read only where this kind of holder is asked for it."""

    def parse(self, form: "IdentifyForm") -> T | None:
        """Return the value, or None where it does not count."""
        return self.read(form) if form.is_asked(self.name) else None

    def read(self, form: "IdentifyForm") -> T | None:
        """Return the value. Raises Refusal."""
        return self._read(self.data)


class BirthDate(Datum[date]):
    """A date, given whole or in three parts."""

    def __init__(self, **options: Any) -> None:
        super().__init__(lambda _whole: None, 40, **options)

    def read(self, form: "IdentifyForm") -> date:
        """Raises Refusal ``birth_date.…``."""
        today = current_parts().clock.now().astimezone(current_parts().profile.zone).date()
        parts = form.birth_date_year.data, form.birth_date_month.data, form.birth_date_day.data
        return read_date(self.data, parts, today)


def _of_country(read: Callable[[str, str], T]) -> Callable[[str], T]:
    return lambda typed: read(typed, current_parts().profile.country)


class IdentifyForm(StepForm):
    """Of these fields those that the profile asks for; `holder_type` decides which of them count.

    The policy number's field also takes a communication id.
    """

    identifier_kind = Text(20)
    identifier = Number()
    policy_number = Number()
    customer_number = Number()
    account_number = Number()
    holder_type = Text(20)
    birth_date = BirthDate()
    birth_date_year = DatePart(name="birth_date-year")
    birth_date_month = DatePart(name="birth_date-month")
    birth_date_day = DatePart(name="birth_date-day")
    birth_number = Datum(identifiers.birth_number, 40)
    tax_number = Datum(_of_country(identifiers.TaxNumber.parse_checked), 40)
    postal_code = Datum(_of_country(identifiers.postal_code), 40)
    mobile = Datum(_of_country(identifiers.mobile), 60)
    communication_password = Text(200)

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
        return current_parts().profile.identification

    @property
    def holder(self) -> str:
        """Who the holder is said to be."""
        return str(self.holder_type.data) if self.holder_type else next(iter(self.rules.asks))

    @property
    def kind(self) -> str:
        """Which kind of number is given."""
        return str(self.identifier_kind.data) if self.identifier_kind else next(iter(self.rules.identifiers))

    @property
    def number(self) -> str:
        """The number that is given."""
        return str(self[self.rules.field].value)

    @property
    def datum(self) -> SecondDatum:
        """What is given besides the number."""
        given = {name: self[name].value for name in self.rules.data if isinstance(self._fields[name], Datum)}
        return SecondDatum(given.pop("birth_date", None), given.pop("tax_number", None), **given)

    @property
    def with_id(self) -> str:
        """How the keys of texts end where a communication id is taken too."""
        return ".with_id" if "communication_id" in self.rules.asks else ""

    def is_asked(self, datum: str) -> bool:
        """Tell whether this kind of holder is asked for a datum."""
        return self.holder in self.rules.data.get(datum, ())

    def validate_identifier_kind(self, field: Text) -> None:
        """One of the kinds must be chosen."""
        if self.kind not in self.rules.identifiers:
            raise ValidationError(Refusal("identifier_kind", "empty"))

    def validate_holder_type(self, field: Text) -> None:
        """One of the holders must be chosen."""
        if self.holder not in self.rules.asks:
            raise ValidationError(Refusal("holder_type", f"empty{self.with_id}"))

    def validate_communication_password(self, field: Text) -> None:
        """It must be there where it counts."""
        if self.is_asked("communication_password") and not field.data:
            raise ValidationError(Refusal("communication_password", "empty"))


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

    def submit(self, parts: Parts, access: Access | None, form: IdentifyForm, asker: Submitter) -> Registration:
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
        rules = current_parts().profile.identification
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
