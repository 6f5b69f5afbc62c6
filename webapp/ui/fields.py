"""Fields that turn what was typed into a value."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from flask_wtf import FlaskForm
from wtforms import ValidationError

from services.refusal import Refusal
from services.values import email_addresses, identifiers
from webapp.parts import current_parts
from webapp.ui.forms import LONGEST, Text, read_code

T = TypeVar("T")


class Parsed(Text, Generic[T]):
    """A line of text with a value: what `read` returns for it. A Refusal of `read` is the field's error."""

    value: T
    """Set once the form is valid."""

    def __init__(self, read: Callable[[str], T], longest: int = LONGEST, **options: Any) -> None:
        super().__init__(longest, **options)
        self._read = read

    def pre_validate(self, form: FlaskForm) -> None:
        """Read the text, unless no person types it."""
        super().pre_validate(form)
        try:
            self.value = self.parse(form)
        except Refusal as refusal:
            raise ValidationError(refusal) from None

    def parse(self, form: Any) -> T:
        """Return the value of the text in `form`. Raises Refusal."""
        return self._read(self.data)


def email_field(longest: int = LONGEST) -> Parsed[email_addresses.EmailAddress]:
    """Return a field for an address that mail can be sent to."""
    return Parsed(email_addresses.parse, longest)


def mobile_field() -> Parsed[str]:
    """Return a field for a mobile number of the profile's country, in any spelling."""
    return Parsed(lambda typed: identifiers.mobile(typed, current_parts().profile.country), 60)


def code_field(name: str) -> Parsed[str]:
    """Return a field for a one-time code, or its last digits where those are enough.

    `name` is what its refusals call it. A code that cannot be right is refused here, so that it costs no try.
    """
    return Parsed(lambda typed: read_code(name, typed, current_parts().profile.one_time_code), 40)
