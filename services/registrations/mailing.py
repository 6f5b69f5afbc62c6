"""The mails that a registration causes, written to the outbox in the transaction that causes them."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from services.allowances import Allowances
from services.crash_points import reach
from services.messages.outbox import Outbox
from services.profiles import Registration as Rules
from services.refusal import Refusal
from services.registrations.registration import Registration


class Mailing:
    """Puts mails into the outbox, within what an address may get."""

    def __init__(self, rules: Rules, allowances: Allowances, outbox: Outbox) -> None:
        self._rules = rules
        self._allowances = allowances
        self._outbox = outbox

    def mail_link(
        self, connection: Connection, registration: Registration, now: datetime, *, unless: str = ""
    ) -> Registration:
        """Mail the registration's link (M17), unless the allowance with that key is used up.

        Raises Refusal ``email.too_many``.
        """
        blocked_until = self._allowances.take_within(
            connection,
            "mail",
            registration.email_key or "",
            limit=self._rules.mails_an_hour,
            window=timedelta(hours=1),
            now=now,
            unless=unless,
        )
        if blocked_until:
            raise Refusal("email", "too_many", at=blocked_until)
        reach("registrations.mailing")
        topic = f"confirm:{registration.id}"
        if registration.mails > 1:
            self._outbox.replace(connection, topic)
        self._outbox.put(
            connection,
            kind="email",
            recipient=registration.email or "",
            message="assisted" if registration.is_assisted else "confirm",
            language=registration.language,
            topic=topic,
            expires_at=registration.expires_at,
            facts={"link_id": f"{registration.id}.{registration.link_id}"},
        )
        return registration

    def mail_success(self, connection: Connection, registration: Registration, now: datetime) -> None:
        """Mail that the account is open (M27)."""
        self._outbox.put(
            connection,
            kind="email",
            recipient=registration.email or "",
            message="registered",
            language=registration.language,
            topic=f"registered:{registration.id}",
            expires_at=now + self._rules.longest,
            facts={},
        )
