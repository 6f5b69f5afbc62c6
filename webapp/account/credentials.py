"""What both sign-ins share, a customer's and a member of staff's: the form, and the answer to one who is not let in."""

from collections.abc import Callable, Collection, Sequence
from typing import ClassVar

from flask import Response

from services.refusal import Refusal
from webapp.http.watching import note_refused
from webapp.ui.form_errors import Fields, about_all, explain, sentence
from webapp.ui.formats import time_left
from webapp.ui.forms import StepForm, Text
from webapp.ui.passwords import FAR_TOO_LONG
from webapp.ui.references import passing_reference

Mistakes = Sequence[tuple[str, Refusal]]


class Credentials(StepForm):
    """The user name and the password."""

    labels: ClassVar = {"email": "login.email.label", "password": "login.password.label"}

    email = Text(320)
    password = Text(FAR_TOO_LONG)

    @property
    def typed(self) -> str:
        """The user name, without what stands around it."""
        return str(self.email.data).strip()

    def mistakes(self) -> Mistakes:
        """Return what is to be mended before the service is asked."""
        missing = [(name, Refusal("login", name)) for name in ("email", "password") if not self[name].data]
        return missing or ([] if self.validate() else list(self.refusals()))


def turn_away(
    show: Callable[..., Response],
    form: Credentials,
    mistakes: Mistakes,
    *,
    hidden: Collection[str] = (),
    for_staff: bool = False,
) -> Response:
    """Show the sign-in again by `show`: what is to be mended, or until when to wait.

    `hidden` are the fields of the form that this page does not show.
    """
    refusal, fields, shown = mistakes[0][1], Fields(form.labels), {"email": form.typed}
    if refusal.reason == "wait":
        note_refused(str(refusal))
        text = sentence(refusal, for_staff=for_staff)
        wait = {"text": text, "reference": passing_reference(f"{refusal.field}_wait")}
        response = show(429, form=explain((), fields, shown), wait=wait)
        response.headers["Retry-After"] = str(max(1, time_left(refusal.facts["at"])))
        return response
    sent, is_failed = explain(mistakes, fields, shown), refusal.reason == "failed"
    if is_failed:
        sent = about_all(sent, {name: key for name, key in form.labels.items() if name not in hidden})
    return show(sent.status, form=sent, is_failed=is_failed)
