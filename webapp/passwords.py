"""What every form for a new password shares: its two fields, and the rules as a page shows them."""

from collections.abc import Callable, Sequence
from typing import Any

from wtforms import ValidationError

from services.passwords import Rule, normal_form
from services.refusal import Refusal
from webapp.forms import StepForm, Text
from webapp.parts import wired
from webapp.rendering import say

FAR_TOO_LONG = 1 << 16
"""Whatever is shorter gets the rule's own answer; a password is never cut."""


class NewPasswordForm(StepForm):
    """The password and its repetition."""

    password = Text(FAR_TOO_LONG)
    password_confirm = Text(FAR_TOO_LONG)

    def validate_password(self, field: Text) -> None:
        """It must be there and not endless; the other rules need to know whose it is."""
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


def rules_shown(judge: Callable[[str], Sequence[Rule]], sent: str) -> list[dict[str, Any]]:
    """Return the rules for a page, each with its verdict on what was sent, if anything was."""
    rules = wired().profile.password
    is_judged = bool(sent) and len(sent) <= rules.max_length
    return [
        {
            "key": rule.key,
            "text": say()(f"password.rule.{rule.key}", length=rules.min_length),
            "met": rule.is_met if is_judged else None,
        }
        for rule in judge(sent if is_judged else "")
    ]
