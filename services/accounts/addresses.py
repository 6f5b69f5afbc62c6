"""Whether an address belongs to somebody's account: that is said a few times only (decision on M15)."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, exists, select

from services.limits.allowances import Allowances
from services.profiles import Registration as Rules
from services.refusal import Refusal
from services.store.tables.accounts import accounts
from services.values.email_addresses import EmailAddress


class TakenAddresses:
    """Says that an address is taken, and counts how often it was said: by customer and by asker."""

    def __init__(self, rules: Rules, allowances: Allowances) -> None:
        self._rules = rules
        self._allowances = allowances

    def refuse_taken(
        self, connection: Connection, address: EmailAddress, *, kutid: str, now: datetime, by: str | None = None
    ) -> None:
        """Raise Refusal ``email.taken`` if another customer has an account with `address`.

        After the last time, every address is refused, with ``email.too_many`` or, where `by` has asked too often,
        ``email.unanswered``: a different answer for a free address would say it once more.
        """
        limit, a_day = self._rules.mails_an_hour, self._rules.taken_a_day_by_one
        own, asker = self._allowances.key("taken", kutid), self._allowances.key("taken by", by or "")
        if by is not None and (until := self._allowances.blocked_until(connection, asker, limit=a_day, now=now)):
            raise Refusal("email", "unanswered", at=until)
        if until := self._allowances.blocked_until(connection, own, limit=limit, now=now):
            raise Refusal("email", "too_many", at=until)
        is_taken = exists().where(accounts.c.email_key == address.key, accounts.c.kutid != kutid)
        if not connection.execute(select(is_taken)).scalar():
            return
        until = self._allowances.take(connection, own, limit=limit, quiet=self._rules.lifetime, now=now)
        if by is not None and until is None:
            window = timedelta(days=1)
            until = self._allowances.take_of_window(connection, asker, limit=a_day, window=window, now=now)
        raise (Refusal("email", "too_many", at=until) if until else Refusal("email", "taken")).counted()
