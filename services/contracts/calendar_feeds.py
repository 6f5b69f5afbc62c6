"""The feed of dates that a customer's calendar reads by a secret address (P8)."""

from dataclasses import dataclass

from sqlalchemy import delete, select

from services.accounts import Session
from services.accounts.sessions import Sessions
from services.base import Base
from services.contracts.contract import Contract
from services.contracts.portfolio import Portfolio
from services.randomness import opaque_id
from services.refusal import OutOfTurn
from services.store.statements import insert_for
from services.store.tables.accounts import accounts
from services.store.tables.contracts import calendar_feeds


@dataclass(frozen=True)
class Feed:
    """What a calendar gets: the contracts, and the language of the account."""

    contracts: tuple[Contract, ...]
    language: str


class CalendarFeeds:
    """Makes and ends the address of an account's feed. The address holds the feed's id, which the caller signs."""

    def __init__(self, base: Base, portfolio: Portfolio, sessions: Sessions) -> None:
        self._store = base.store
        self._clock = base.clock
        self._portfolio = portfolio
        self._sessions = sessions

    def current(self, session: Session) -> str | None:
        """Return the id of the account's feed, or None where it has none."""
        own = select(calendar_feeds.c.id).where(calendar_feeds.c.account_id == session.account.id)
        with self._store.read() as connection:
            return connection.execute(own).scalar()

    def renew(self, session: Session) -> str:
        """Begin a feed, in place of the one that there was, and return its id. Raises SignedOut."""
        with self._sessions.holding(session) as (connection, now):
            feed = {"id": opaque_id(), "created_at": now}
            statement = insert_for(connection, calendar_feeds).values(account_id=session.account.id, **feed)
            connection.execute(statement.on_conflict_do_update(index_elements=["account_id"], set_=feed))
        return str(feed["id"])

    def end(self, session: Session) -> None:
        """End the account's feed: its address leads nowhere any more. Raises SignedOut."""
        with self._sessions.holding(session) as (connection, _):
            connection.execute(delete(calendar_feeds).where(calendar_feeds.c.account_id == session.account.id))

    def read(self, feed_id: str) -> Feed:
        """Return what the feed with this id holds. Raises OutOfTurn where there is none any more."""
        owner = (
            select(accounts.c.kutid, accounts.c.language)
            .join(calendar_feeds, calendar_feeds.c.account_id == accounts.c.id)
            .where(calendar_feeds.c.id == feed_id)
        )
        with self._store.read() as connection:
            row = connection.execute(owner).first()
        if row is None:
            raise OutOfTurn
        return Feed(self._portfolio.of_customer(row.kutid), row.language)
