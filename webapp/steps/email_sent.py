"""The customer opens the mailed link; until then this step waits (M16–M19)."""

from collections.abc import Mapping
from typing import Any, ClassVar

from services.refusal import OutOfTurn
from services.registrations import Access, Registration
from services.values import email_addresses
from webapp.journey.step import Step, Submitter
from webapp.parts import Parts
from webapp.ui.formats import clock_time, first_minute, time_left
from webapp.ui.language import say


class EmailSent(Step):
    """Waits for the link. Its form has no fields: what leads on is the mail."""

    name = "email-sent"
    fact = "email_confirmed_at"
    needs = ("email",)
    labels: ClassVar = {"resend": "email_sent.resend"}
    actions = ("resend-email", "use-suggestion")

    def submit(self, parts: Parts, access: Access | None, form: Any, asker: Submitter) -> Registration:
        """There is nothing to submit: only the link leads on."""
        raise OutOfTurn

    def act(self, action: str, parts: Parts, access: Access | None) -> tuple[Registration, str | None]:
        """Mail the link again, or to the address that was suggested."""
        if access is None:
            raise OutOfTurn
        if action == "resend-email":
            return parts.registrations.emails.resend_email(access), "email_sent.resent"
        registration = parts.registrations.records.find(access)
        suggested = email_addresses.suggestion(registration.email or "") if registration else None
        if suggested is None:
            raise OutOfTurn
        return parts.registrations.emails.choose_email(access, email_addresses.parse(suggested)), None

    def context(self, parts: Parts, registration: Registration | None, form: Any) -> Mapping[str, Any]:
        """The address, a hint for a likely typing error, what became of the mail, and when it can be sent again."""
        if registration is None or registration.mailed_at is None or registration.email is None:
            return {}
        again_at = registration.mailed_at + parts.profile.registration.mail_again
        return {
            "email": registration.email,
            "suggestion": email_addresses.suggestion(registration.email),
            "resend": {"time": clock_time(first_minute(again_at)), "seconds": time_left(again_at)},
            "undelivered": registration.is_mail_undelivered and not registration.is_confirmed_elsewhere,
            "continued_elsewhere": registration.is_confirmed_elsewhere,
        }

    def summary(self, parts: Parts, registration: Registration, half: int) -> str:
        """That the address is confirmed."""
        return say()("finalise.confirmed")
