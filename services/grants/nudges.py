"""An adviser's reminder to a customer of theirs: a mail, one a day (P54)."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, select

from services import audit
from services.base import Base
from services.letters.readers import reader_of
from services.messages.outbox import Outbox
from services.randomness import opaque_id
from services.refusal import OutOfTurn, Refusal
from services.store.statements import insert_for
from services.store.tables.grants import nudges

_WORTH_SENDING = timedelta(days=1)


class Nudges:
    """Writes the mails in a caller's transaction, which knows that the customer is the adviser's."""

    def __init__(self, base: Base, outbox: Outbox) -> None:
        self._profile = base.profile
        self._outbox = outbox

    def send(self, connection: Connection, kutid: str, actor: str, now: datetime) -> None:
        """Remind a customer that there is something to do in the portal.

        Raises OutOfTurn where they were reminded today already, Refusal ``nudge.no_address``.
        """
        reader = reader_of(connection, self._profile, kutid, self._profile.languages[0])
        if reader.address is None:
            raise Refusal("nudge", "no_address")
        row = {"id": opaque_id(), "kutid": kutid, "day": self._day(now), "at": now, "staff_id": actor}
        first = insert_for(connection, nudges).values(row).on_conflict_do_nothing().returning(nudges.c.kutid)
        if connection.execute(first).first() is None:
            raise OutOfTurn
        self._outbox.put(
            connection,
            kind="email",
            recipient=reader.address,
            message="nudge",
            language=reader.language,
            topic=f"nudge:{opaque_id()}",
            expires_at=now + _WORTH_SENDING,
            facts={},
        )
        audit.record(connection, "nudged", kutid=kutid, at=now, actor=actor)

    def sent_today(self, connection: Connection, kutids: Collection[str], now: datetime) -> dict[str, datetime]:
        """Return which of these customers were reminded today, and when."""
        today = select(nudges.c.kutid, nudges.c.at).where(nudges.c.kutid.in_(kutids), nudges.c.day == self._day(now))
        return {row.kutid: row.at for row in connection.execute(today)}

    def _day(self, now: datetime) -> date:
        return now.astimezone(self._profile.zone).date()
