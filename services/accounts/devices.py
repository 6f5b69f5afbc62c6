"""Where an account is signed in, and ending its sessions elsewhere."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from services import audit
from services.accounts.account import Session
from services.accounts.sessions import ELSEWHERE, Sessions
from services.base import Base
from services.store.tables.accounts import sessions

_LAST_SIGN_INS = 5


@dataclass(frozen=True)
class SignedInDevice:
    """One line of the account's sessions or of its last sign-ins."""

    id: str
    device: str
    created_at: datetime
    seen_at: datetime


@dataclass(frozen=True)
class SignedInPlaces:
    """Where an account is signed in, and its last sign-ins."""

    open: list[SignedInDevice]
    last: list[SignedInDevice]


class SignedInDevices:
    """Shows an account's sessions and ends them. Each public method is one transaction."""

    def __init__(self, base: Base, sessions: Sessions) -> None:
        self._store = base.store
        self._clock = base.clock
        self._sessions = sessions

    def places(self, session: Session) -> SignedInPlaces:
        """Return where the account is signed in and its last sign-ins."""
        now = self._clock.now()
        with self._store.read() as connection:
            return SignedInPlaces(
                self._open_ones(connection, session.account.id, now),
                _last_ones(connection, session.account.id),
            )

    def end(self, session: Session, session_id: str) -> None:
        """End another session of the same account. Raises SignedOut."""
        with self._sessions.holding(session) as (connection, now):
            if self._sessions.end(connection, session_id, session.account.id, ELSEWHERE, now):
                audit.record(connection, "session_ended", kutid=session.account.kutid, at=now)

    def end_others(self, session: Session) -> None:
        """End every other session of the same account. Raises SignedOut."""
        with self._sessions.holding(session) as (connection, now):
            self._sessions.end_all(connection, session.account.id, now, but=session.id)
            audit.record(connection, "sessions_ended", kutid=session.account.kutid, at=now)

    def _open_ones(self, connection: Connection, account_id: str, now: datetime) -> list[SignedInDevice]:
        """Return the account's sessions that last, the one used last first."""
        found = select(sessions.c.id, sessions.c.device, sessions.c.created_at, sessions.c.seen_at).where(
            sessions.c.account_id == account_id, self._sessions.lasts(now)
        )
        return [
            SignedInDevice(*row) for row in connection.execute(found.order_by(sessions.c.seen_at.desc(), sessions.c.id))
        ]


def _last_ones(connection: Connection, account_id: str) -> list[SignedInDevice]:
    """Return the account's last sign-ins, newest first."""
    found = select(sessions.c.id, sessions.c.device, sessions.c.created_at, sessions.c.seen_at).where(
        sessions.c.account_id == account_id
    )
    newest = found.order_by(sessions.c.created_at.desc(), sessions.c.id).limit(_LAST_SIGN_INS)
    return [SignedInDevice(*row) for row in connection.execute(newest)]
