"""What the account's forms share: the present password asked again, and how they are shown."""

from typing import Any

from flask import Response, request
from wtforms import ValidationError

from services.accounts import Session
from services.refusal import Refusal
from webapp.account import sessions
from webapp.ui.form_errors import SentForm
from webapp.ui.formats import clock_time
from webapp.ui.forms import StepForm, Text
from webapp.ui.passwords import FAR_TOO_LONG
from webapp.ui.respond import page


class CurrentPasswordForm(StepForm):
    """The present password, before something important changes."""

    current_password = Text(FAR_TOO_LONG)

    def validate_current_password(self, field: Text) -> None:
        """It must be there."""
        if not field.data:
            raise ValidationError(Refusal("current_password", "empty"))


def form_page(session: Session | None, name: str, action: str, form: SentForm, **context: Any) -> Response:
    """Show the form `name` as it was sent, or for the first time."""
    notice = sessions.flash.take(time=clock_time(session.over_at)) if session else None
    return page(
        f"account/{name}.html",
        form.status,
        form=form,
        problems=form.problems,
        action=action,
        notice=notice,
        **context,
    )


def kept_of(session: Session, *names: str) -> dict[str, str]:
    """Return what was typed into this form when an earlier session ended."""
    kept = session.kept if "kept" in request.args else None
    return {name: kept[name] for name in names if kept and name in kept}
