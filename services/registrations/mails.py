"""The mails that a registration causes, written to the outbox in the transaction that causes them."""

from datetime import datetime

from sqlalchemy import Boolean, ColumnElement, Connection, literal_column, select

from services.crash_points import reach
from services.limits.allowances import Allowances
from services.messages.outbox import Outbox
from services.profiles import Registration as Rules
from services.refusal import Refusal
from services.registrations.registration import Registration
from services.store.tables.registrations import registrations

HAS_LINK_WAITING: ColumnElement[bool] = literal_column(
    "EXISTS (SELECT 1 FROM registrations AS begun JOIN outbox AS mail ON mail.topic = 'confirm:' || begun.id"
    " WHERE begun.kutid = accounts.kutid AND mail.state IN ('waiting', 'sending', 'doubtful', 'repeating'))",
    Boolean,
).label("has_link_waiting")
"""What a statement that opens an account may return: whether a link for one of the customer's registrations has not
left yet, or may leave again. Written out, since SQLAlchemy names no tables in what SQLite is to return."""


class RegistrationMails:
    """Puts mails into the outbox, within the allowance of an address."""

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
        key, limit = registration.email_key or "", self._rules.mails_an_hour
        blocked_until = self._allowances.take_mail(connection, key, limit=limit, now=now, unless=unless)
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

    def withdraw_links(self, connection: Connection, kutid: str) -> None:
        """Withdraw the unsent links of a customer's registrations: all of them are dead."""
        own = select(registrations.c.id).where(registrations.c.kutid == kutid)
        for registration_id in connection.execute(own).scalars().all():
            self._outbox.replace(connection, f"confirm:{registration_id}")

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
