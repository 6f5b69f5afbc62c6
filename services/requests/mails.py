"""The mails about requests: a reference number and a link, never what it is about (P36)."""

from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection

from services.accounts.conditions import account_of
from services.base import Base
from services.limits.allowances import Allowances
from services.messages.outbox import Outbox
from services.requests.request import Draft, Request
from services.values import email_addresses

_WORTH_SENDING = timedelta(days=7)
_REMINDER = timedelta(days=1)
"""How long before a draft is erased its customer is told (P35)."""


class RequestMails:
    """Writes the mails of a request in the transaction that causes them."""

    def __init__(self, base: Base, outbox: Outbox, allowances: Allowances) -> None:
        self._clock = base.clock
        self._profile = base.profile
        self._outbox = outbox
        self._allowances = allowances

    def tell(self, connection: Connection, request: Request, message: str, deadline: date | None = None) -> None:
        """Tell the customer by the mail ``request_<what>``; one who has closed the account is told nothing.

        Somebody without an account gets ``claim_sent`` or ``claim_news``, which lead to the registration (P45).
        """
        now = self._clock.now()
        facts = {"number": request.reference, "link_id": request.id}
        if deadline is not None:
            facts["deadline"] = self._noon(deadline).isoformat()
        if request.kutid is None:
            self._tell_unknown(connection, request, "claim_sent" if message == "request_sent" else "claim_news", facts)
            return
        self._put(connection, request.kutid, message, f"request:{request.id}", facts, expires_at=now + _WORTH_SENDING)

    def _tell_unknown(self, connection: Connection, request: Request, message: str, facts: dict[str, str]) -> None:
        now, email = self._clock.now(), request.email or ""
        key, limit = email_addresses.key_of(email), self._profile.registration.mails_an_hour
        # The page says the number too: an address that has got its mails of this hour gets no more.
        if self._allowances.take_mail(connection, key, limit=limit, now=now) is not None:
            return
        self._outbox.put(
            connection, kind="email", recipient=email, message=message,
            language=request.language or self._profile.languages[0], topic=f"request:{request.id}",
            expires_at=now + _WORTH_SENDING, facts=facts,
        )  # fmt: skip

    def will_erase(self, connection: Connection, kutid: str, draft: Draft) -> None:
        """Have the customer told, a day before, that a draft is erased."""
        end = draft.begun_at + self._profile.request_rules.draft
        facts = {"link_id": draft.id, "deadline": end.isoformat()}
        self._put(
            connection, kutid, "request_draft", f"request_draft:{draft.id}", facts,
            expires_at=end, due_at=end - _REMINDER,
        )  # fmt: skip

    def forget(self, connection: Connection, draft_id: str) -> None:
        """Withdraw what would be told of a draft that is sent or erased."""
        self._outbox.replace(connection, f"request_draft:{draft_id}")

    def _put(
        self,
        connection: Connection,
        kutid: str,
        message: str,
        topic: str,
        facts: dict[str, str],
        *,
        expires_at: datetime,
        due_at: datetime | None = None,
    ) -> None:
        account = connection.execute(account_of(kutid)).first()
        if account is None or account.is_waiting:
            return
        self._outbox.put(
            connection,
            kind="email",
            recipient=account.email,
            message=message,
            language=account.language,
            topic=topic,
            expires_at=expires_at,
            facts=facts,
            due_at=due_at,
        )

    def _noon(self, day: date) -> datetime:
        return datetime.combine(day, time(12), self._profile.zone)
