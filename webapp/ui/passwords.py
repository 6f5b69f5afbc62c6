"""What every form for a new password shares: its two fields, and the rules as a page shows them."""

from collections.abc import Callable, Sequence
from typing import Any

from wtforms import ValidationError

from services.passwords import Rule, normal_form
from services.refusal import Refusal
from webapp.parts import current_parts
from webapp.ui.forms import StepForm, Text
from webapp.ui.language import say

FAR_TOO_LONG = 1 << 16
"""Whatever is shorter gets the rule's own answer; a password is never cut."""


class NewPasswordForm(StepForm):
    """The password and its repetition."""

    password = Text(FAR_TOO_LONG)
    password_confirm = Text(FAR_TOO_LONG)

    def validate_password(self, field: Text) -> None:
        """It must be there and not endless; the other rules need to know whose it is."""
        longest = current_parts().profile.password.max_length
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


def every_mistake(
    refusals: Sequence[tuple[str, Refusal]], form: NewPasswordForm, judge: Callable[[str], Sequence[Rule]]
) -> list[tuple[str, Refusal]]:
    """Return what was refused, and each rule that the new password breaks: nobody is to mend the form twice.

    The rules do not matter where the password is missing or endless, or where there is to be none yet.
    """
    if form.password.errors or any(refusal.reason in ("too_soon", "wait") for _, refusal in refusals):
        return list(refusals)
    length = current_parts().profile.password.min_length
    broken = [rule.reason for rule in judge(form.password.data) if not rule.is_met]
    others = [(name, refusal) for name, refusal in refusals if refusal.reason not in broken]
    return [*others, *(("password", Refusal("password", reason, length=length)) for reason in broken)]


def rules_shown(rules: Sequence[Rule]) -> list[dict[str, Any]]:
    """Return the rules for a page. Its fields are empty, whatever was sent: the list says nothing of being met."""
    length = current_parts().profile.password.min_length
    return [{"key": rule.key, "text": say()(f"password.rule.{rule.key}", length=length)} for rule in rules]
