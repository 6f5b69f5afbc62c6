"""What every form shares: text that can be trusted, and refusals instead of words. The templates own the markup."""

import unicodedata
from collections.abc import Iterator
from typing import Any

from flask_wtf import FlaskForm
from wtforms import StringField, ValidationError

from services.profiles import OneTimeCode
from services.refusal import Refusal
from services.values.spelling import plain

LONGEST = 300


def check_text(text: str, longest: int = LONGEST) -> None:
    """Refuse what no person types: NUL and other controls, half characters, and texts without end.

    Raises Refusal ``text.characters`` or ``text.too_long``.
    """
    if any(sign == "\ufffd" or unicodedata.category(sign) in ("Cc", "Cs") for sign in text.replace("\t", "")):
        raise Refusal("text", "characters")
    if len(text) > longest:
        raise Refusal("text", "too_long", length=longest)


class Text(StringField):
    """A line of text without control characters or broken Unicode, at most `longest` characters."""

    def __init__(self, longest: int = LONGEST, **options: Any) -> None:
        super().__init__(**options)
        self._longest = longest

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take the first value; a missing one is empty text."""
        self.data = valuelist[0] if valuelist else ""

    def process_data(self, value: Any) -> None:
        """Start as empty text."""
        self.data = value or ""

    def pre_validate(self, form: FlaskForm) -> None:
        """Refuse what no person types."""
        try:
            check_text(self.data, self._longest)
        except Refusal as refusal:
            raise ValidationError(refusal) from None


def read_code(field: str, typed: str, rules: OneTimeCode) -> str:
    """Return the one-time code that was typed into `field`, or its last digits where those are enough.

    Spaces and hyphens between them are forgiven, and what `plain` forgives. Raises Refusal ``<field>.empty`` or
    ``<field>.malformed``, so that one that cannot be right costs no try.
    """
    text = "".join(plain(typed).replace("-", "").split())
    if not text:
        raise Refusal(field, "empty")
    if not text.isdecimal() or len(text) not in (rules.length, rules.typed):
        reason = "malformed.tail" if rules.takes_tail else "malformed"
        raise Refusal(field, reason, length=rules.length, typed=rules.typed)
    return text


class StepForm(FlaskForm):
    """Validation of one step's form; CSRF is checked for every POST in one place, before this."""

    class Meta:
        csrf = False

    def refusals(self) -> Iterator[tuple[str, Refusal]]:
        """Yield each field in error with its refusal, in the order of the form."""
        for name, errors in self.errors.items():
            yield name, errors[0]
