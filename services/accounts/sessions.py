"""The rows of sessions: how one is opened, seen, prolonged and ended in a caller's transaction."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    String,
    bindparam,
    exists,
    insert,
    literal,
    select,
    update,
)

from services import randomness
from services.accounts.account import Account, Device, Session, SignedOut, fingerprint
from services.profiles import SignIn as Rules
from services.store.tables.accounts import accounts, activations, sessions
from services.store.tables.register import customers

SIGNED_OUT, ELSEWHERE, IDLE, ABSOLUTE = "signed_out", "elsewhere", "idle", "absolute"
"""Why a session ended: by its own button, by another session or a change of the password, by time."""


_PROLONGED_AFTER = timedelta(minutes=1)
"""Being active is written down once a minute at most: a page that is read costs no write."""

ACCOUNT = select(*accounts.c, customers.c.name).join_from(accounts, customers)
IS_PROVED = ~exists().where(activations.c.account_id == accounts.c.id)
"""Nobody has proved the address of an account that waits for its activation code: nothing is mailed that opens it."""
# Built once: it is asked for with every page of a signed-in customer.
_SEEN = (
    select(*sessions.c, *accounts.c, customers.c.name)
    .join_from(sessions, accounts)
    .join(customers)
    .where(sessions.c.token_hash == bindparam("token_hash", type_=String))
)


class Sessions:
    """Reads and changes sessions."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def open(
        self,
        connection: Connection,
        account: Account,
        device: Device,
        now: datetime,
        kept: Mapping[str, str] | None,
        *conditions: ColumnElement[bool],
    ) -> str | None:
        """Open a session and return what its browser is to hold; None when the conditions on the account fail."""
        token = randomness.opaque_id() + randomness.opaque_id()
        values = {
            sessions.c.id: literal(randomness.opaque_id()),
            sessions.c.account_id: accounts.c.id,
            sessions.c.token_hash: literal(fingerprint(token)),
            sessions.c.device_hash: literal(device.hash),
            sessions.c.device: literal(device.name),
            sessions.c.created_at: literal(now, sessions.c.created_at.type),
            sessions.c.seen_at: literal(now, sessions.c.seen_at.type),
            sessions.c.ends_at: literal(now + self._rules.longest, sessions.c.ends_at.type),
            sessions.c.kept: literal(kept, sessions.c.kept.type),
        }
        # Locked, so that a new password that is being written at this moment is waited for and fails the conditions.
        found = select(*values.values()).where(accounts.c.id == account.id, *conditions).with_for_update(read=True)
        opened = connection.execute(insert(sessions).from_select(list(values), found).returning(sessions.c.id)).first()
        return token if opened else None

    def see(self, connection: Connection, token: str, now: datetime) -> Session | None:
        """Return the session of a browser, over or not."""
        row = connection.execute(_SEEN, {"token_hash": fingerprint(token)}).first()
        return self._from_row(row._mapping, now) if row else None

    def is_stale(self, session: Session, now: datetime) -> bool:
        """Tell whether that the session is in use should be written down."""
        return now - (session.idle_at - self._rules.idle) >= _PROLONGED_AFTER

    def touch(self, connection: Connection, session: Session, now: datetime) -> None:
        """Write down that the session is in use."""
        connection.execute(update(sessions).where(self.is_live(session, now)).values(seen_at=now))

    def is_live(self, session: Session, now: datetime) -> ColumnElement[bool]:
        """Return the condition that the row of the session is there and has not ended."""
        return (
            (sessions.c.id == session.id)
            & (sessions.c.ended_at.is_(None))
            & (sessions.c.ends_at > now)
            & (sessions.c.seen_at > now - self._rules.idle)
        )

    def hold(self, connection: Connection, session: Session, now: datetime) -> None:
        """Keep the session and its account as they are until the transaction ends. Raises SignedOut unless it lasts.

        Whoever changes an account takes its row first: so changes at once take turns, and none waits in a circle.
        """
        both = select(accounts.c.id).join_from(accounts, sessions).where(self.is_live(session, now))
        if connection.execute(both.with_for_update()).first() is None:
            raise SignedOut

    def renew(self, connection: Connection, session: Session, now: datetime) -> str:
        """Give the session a new id: rights have changed (ASVS 7.2.4). Return what its browser is to hold."""
        token = randomness.opaque_id() + randomness.opaque_id()
        statement = update(sessions).where(self.is_live(session, now))
        connection.execute(statement.values(token_hash=fingerprint(token), seen_at=now))
        return token

    def end_held(self, connection: Connection, token: str, now: datetime) -> None:
        """End the session of a browser that is about to get another one."""
        held = update(sessions).where(sessions.c.token_hash == fingerprint(token), sessions.c.ended_at.is_(None))
        connection.execute(held.values(ended_at=now, ended_by=SIGNED_OUT))

    def end(self, connection: Connection, session_id: str, account_id: str, by: str, now: datetime) -> bool:
        """End one session of the account; tell whether there was one to end."""
        ended = (
            update(sessions)
            .where(sessions.c.id == session_id, sessions.c.account_id == account_id, sessions.c.ended_at.is_(None))
            .values(ended_at=now, ended_by=by)
            .returning(sessions.c.id)
        )
        return connection.execute(ended).first() is not None

    def end_all(self, connection: Connection, account_id: str, now: datetime, *, but: str = "") -> None:
        """End the account's sessions, all or all but one."""
        connection.execute(
            update(sessions)
            .where(sessions.c.account_id == account_id, sessions.c.id != but, sessions.c.ended_at.is_(None))
            .values(ended_at=now, ended_by=ELSEWHERE)
        )

    def _from_row(self, row: RowMapping, now: datetime) -> Session:
        idle_at = row[sessions.c.seen_at] + self._rules.idle
        ended_by = row[sessions.c.ended_by]
        if ended_by is None and min(idle_at, row[sessions.c.ends_at]) <= now:
            ended_by = IDLE if idle_at <= row[sessions.c.ends_at] else ABSOLUTE
        return Session(
            id=row[sessions.c.id],
            account=account_from(row),
            device=row[sessions.c.device],
            created_at=row[sessions.c.created_at],
            idle_at=idle_at,
            ends_at=row[sessions.c.ends_at],
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
