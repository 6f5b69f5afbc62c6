"""The rows of sessions: those of customers, with the account that each opens."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection, RowMapping, bindparam, exists, select, update

from services import randomness
from services.accounts.account import Account, Session, SignedOut
from services.base import Base
from services.sessions import AnySession, SessionRows
from services.store.tables.accounts import accounts, activations, sessions
from services.store.tables.register import customers
from services.values.fingerprints import fingerprint

SIGNED_OUT, ELSEWHERE, IDLE, ABSOLUTE = "signed_out", "elsewhere", "idle", "absolute"
"""Why a session ended: by its own button, by another session or a change of the password, by time."""

ACCOUNT = select(*accounts.c, customers.c.name).join_from(accounts, customers)
IS_PROVED = ~exists().where(activations.c.account_id == accounts.c.id)
"""An account that waits for its activation code has no proved address: no mail may open it."""
IS_KNOWN = (
    exists()
    .where(sessions.c.account_id == accounts.c.id, sessions.c.device_hash == bindparam("of_device"))
    .label("is_known")
)
"""Whether the device with the hash `of_device` has signed in to the account before."""
_SEEN = select(*sessions.c, *accounts.c, customers.c.name).join_from(sessions, accounts).join(customers)


class Sessions(SessionRows[Session]):
    """Reads and changes customers' sessions."""

    def __init__(self, base: Base) -> None:
        super().__init__(base, sessions, _SEEN)

    @contextmanager
    def holding(self, session: Session) -> Iterator[tuple[Connection, datetime]]:
        """Yield a transaction that holds the session, as `hold`, and its moment."""
        now = self._clock.now()
        with self._store.write() as connection:
            self.hold(connection, session, now)
            yield connection, now

    def hold(self, connection: Connection, session: Session, now: datetime) -> None:
        """Keep the session and its account as they are until the transaction ends. Raises SignedOut unless it lasts.

        Every change of an account takes the account's row first, so changes take turns and cannot deadlock.
        """
        both = select(accounts.c.id).join_from(accounts, sessions).where(self.is_live(session, now))
        if connection.execute(both.with_for_update()).first() is None:
            raise SignedOut

    def renew(self, connection: Connection, session: Session, now: datetime) -> str:
        """Give the session a new id: rights have changed (ASVS 7.2.4). Return what its browser is to hold."""
        token = randomness.secret()
        statement = update(sessions).where(self.is_live(session, now))
        connection.execute(statement.values(token_hash=fingerprint(token), seen_at=now))
        return token

    def end(self, connection: Connection, session_id: str, account_id: str, by: str, now: datetime) -> bool:
        """End one session of the account; tell whether there was one to end."""
        which = sessions.c.id == session_id, sessions.c.account_id == account_id
        return self._end(connection, now, *which, ended_by=by) is not None

    def end_all(self, connection: Connection, account_id: str, now: datetime, *, but: str = "") -> None:
        """End the account's sessions, all or all but one."""
        which = sessions.c.account_id == account_id, sessions.c.id != but
        self._end(connection, now, *which, ended_by=ELSEWHERE)

    def _from_row(self, row: RowMapping, shared: AnySession) -> Session:
        ended_by = row[sessions.c.ended_by]
        if shared.is_over and ended_by is None:
            ended_by = IDLE if shared.idle_at <= shared.ends_at else ABSOLUTE
        return Session(
            **vars(shared),
            account=account_from(row),
            device=row[sessions.c.device],
            created_at=row[sessions.c.created_at],
            ended_by=ended_by,
            terms_opened=row[sessions.c.terms_opened],
            kept=row[sessions.c.kept],
        )


def account_from(row: RowMapping) -> Account:
    """Return the account in a row of `ACCOUNT`."""
    return Account(
        id=row[accounts.c.id],
        kutid=row[accounts.c.kutid],
        registration_id=row[accounts.c.registration_id],
        name=row[customers.c.name],
        email=row[accounts.c.email],
        email_key=row[accounts.c.email_key],
        mobile=row[accounts.c.mobile],
        password_hash=row[accounts.c.password_hash],
        password_changed_at=row[accounts.c.password_changed_at],
        language=row[accounts.c.language],
        created_at=row[accounts.c.created_at],
        terms_version=row[accounts.c.terms_version],
        terms_accepted_at=row[accounts.c.terms_accepted_at],
        answers=row[accounts.c.answers],
    )
