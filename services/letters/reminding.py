"""Reminds customers of letters that they have not opened: by mail, then by text message, each once (P20)."""

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from services.base import Base
from services.crash_points import reach
from services.letters import rows, unread
from services.letters.letter import EventType
from services.letters.readers import Reader, reader_of
from services.messages.outbox import Outbox
from services.store.tables.letters import letters
from services.values import spoken_dates

_AT_ONCE = 100
_WORTH_SENDING = timedelta(days=1)
_DUE = select(
    letters.c.id, letters.c.kutid, letters.c.type, letters.c.language, letters.c.published_at, letters.c.latest_on,
    letters.c.remind_at,
)  # fmt: skip
_TOPIC = "reminder:"


class Reminding:
    """Takes the letters whose moment has come. Several workers may do so at once."""

    def __init__(self, base: Base, outbox: Outbox) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._outbox = outbox

    def remind_due(self) -> int:
        """Remind of the letters that are due now, a hundred at most; return how many were looked at.

        Each letter is a transaction of its own: its next moment, its events and its messages.
        """
        now = self._clock.now()
        due = _DUE.where(letters.c.remind_at <= now).order_by(letters.c.remind_at).limit(_AT_ONCE)
        with self._store.read() as connection:
            found = connection.execute(due).all()
        for row in found:
            with self._store.write() as connection:
                self._take(connection, row, now)
                reach("letters.reminding")
        return len(found)

    def undelivered(self, connection: Connection, topic: str) -> None:
        """Note at its letter that a reminder by mail was refused for good."""
        if topic.startswith(_TOPIC):
            rows.note(connection, topic.removeprefix(_TOPIC), "bounced", self._clock.now(), "mail")

    def _take(self, connection: Connection, row: Any, now: datetime) -> None:
        planned = unread.reminders(self._profile, row.type, row.published_at, row.latest_on)
        later = min((moment for moment in planned.values() if moment > now), default=None)
        mine = (
            update(letters)
            .where(letters.c.id == row.id, letters.c.remind_at == row.remind_at)
            .values(remind_at=later)
            .returning(letters.c.opened_at, letters.c.printed_at, letters.c.withdrawn_at, letters.c.replaced_by)
        )
        state = connection.execute(mine).first()
        is_late = now.astimezone(self._profile.zone).date() > row.latest_on
        if state is None or any(state) or is_late:
            return
        reader = reader_of(connection, self._profile, row.kutid, row.language)
        for event, moment in planned.items():
            if moment <= now:
                self._remind(connection, row, reader, event)

    def _remind(self, connection: Connection, row: Any, reader: Reader, event: EventType) -> None:
        by_mail, now = event == "reminded", self._clock.now()
        recipient = reader.address if by_mail else reader.mobile
        if recipient is None or not rows.note_first(connection, row.id, event, now, "system"):
            return
        self._outbox.put(
            connection,
            kind="email" if by_mail else "sms",
            recipient=recipient,
            message="document_reminder" if by_mail else "letter_waiting",
            language=reader.language,
            topic=f"{_TOPIC}{row.id}" if by_mail else f"reminder_sms:{row.id}",
            expires_at=now + _WORTH_SENDING,
            facts=self._facts(row, reader) if by_mail else {"date_short": _short(row.latest_on, reader)},
        )

    def _facts(self, row: Any, reader: Reader) -> dict[str, str]:
        facts = {
            "document_type": self._profile.texts.say(f"letter.type.{row.type}", reader.language),
            "customer_number": reader.number,
            "letter_id": row.id,
            "date_until": spoken_dates.day_until(row.latest_on, reader.language),
        }
        return facts if reader.has_account else {**facts, "is_unregistered": "yes"}


def _short(day: date, reader: Reader) -> str:
    return spoken_dates.short(day, reader.language)
