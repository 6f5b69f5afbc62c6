"""The messages that a registration causes, written to the outbox in the transaction that causes them."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from services.allowances import Allowances
from services.crash_points import reach
from services.messages.outbox import Outbox
from services.one_time_codes import OneTimeCodes
from services.profiles import Registration as Rules
from services.refusal import Refusal
from services.registrations.registration import Registration


class Sending:
    """Puts mails and codes into the outbox, within what an address and a customer may get."""

    def __init__(self, rules: Rules, allowances: Allowances, codes: OneTimeCodes, outbox: Outbox) -> None:
        self._rules = rules
        self._allowances = allowances
        self._codes = codes
        self._outbox = outbox

    def mail_link(self, connection: Connection, registration: Registration, now: datetime) -> Registration:
        """Mail the registration's link (M17). Raises Refusal ``email.too_many``."""
        blocked_until = self._allowances.take_within(
            connection,
            "mail",
            registration.email_key or "",
            limit=self._rules.mails_an_hour,
            window=timedelta(hours=1),
            now=now,
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

    def send_code(self, connection: Connection, registration: Registration, now: datetime) -> Registration:
        """Send a new code to the mobile that was chosen (M21). Raises as `OneTimeCodes.issue`."""
        issued = self._codes.issue(
            connection,
            kutid=registration.kutid,
            registration_id=registration.id,
            mobile=registration.mobile or "",
            now=now,
            ends_at=registration.expires_at,
        )
        reach("registrations.texting")
        topic = f"code:{registration.kutid}"
        if not issued.is_first:
            self._outbox.replace(connection, topic)
        self._outbox.put(
            connection,
            kind="sms",
            recipient=registration.mobile or "",
            message="code",
            language=registration.language,
            topic=topic,
            expires_at=issued.state.expires_at,
            facts={"code": issued.code},
        )
        return replace(registration, code=issued.state)

    def withdraw_code(self, connection: Connection, registration: Registration) -> None:
        """Keep the customer's code from being sent if it has not left; then it does not count."""
        if self._outbox.replace(connection, f"code:{registration.kutid}"):
            self._codes.give_back(connection, registration.kutid)

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
