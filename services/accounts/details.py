"""What is held about an account: handing it out, and erasing it with the account."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from services import audit
from services.accounts.account import Account, Session
from services.accounts.closing import erase
from services.accounts.mails import AccountMails
from services.accounts.password_checks import PasswordChecks
from services.accounts.sessions import ACCOUNT, IS_PROVED, Sessions, account_from
from services.base import Base
from services.crash_points import reach
from services.messages.outbox import Outbox
from services.store.declarations import AccountKey, ExportedRows
from services.store.tables import DECLARED
from services.store.tables.accounts import accounts

_EXPORTED = tuple(rows for declared in DECLARED for rows in declared.exported)


class AccountDetails:
    """Exports and ends accounts. Each public method is one transaction, unless it takes a caller's."""

    def __init__(
        self,
        base: Base,
        *,
        sessions: Sessions,
        password_checks: PasswordChecks,
        account_mails: AccountMails,
        outbox: Outbox,
    ) -> None:
        self._store = base.store
        self._clock = base.clock
        self._sessions = sessions
        self._password_checks = password_checks
        self._account_mails = account_mails
        self._outbox = outbox

    def export(self, session: Session) -> dict[str, Any]:
        """Return everything that is held about the account, without secrets (GDPR, articles 15 and 20).

        The account itself comes first; every package declares what follows.
        """
        account = session.account
        with self._store.write() as connection:
            own = select(accounts.c.terms_hash).where(accounts.c.id == account.id)
            held = {"account": _as_exported(account, connection.execute(own).scalar())}
            held |= {rows.part: _part(connection, rows, account) for rows in _EXPORTED}
            audit.record(connection, "exported", kutid=account.kutid, at=self._clock.now(), what="account")
        return held

    def close(self, session: Session, password: str) -> None:
        """End the account and erase what belongs to it; the insurer's register stays as it is.

        Raises Refusal ``current_password.…`` or SignedOut.
        """
        self._password_checks.password(session, password)
        account = session.account
        with self._sessions.holding(session) as (connection, now):
            self._erase(connection, account, now)
            audit.record(connection, "account_closed", kutid=account.kutid, at=now)
        reach("accounts.closed")

    def end(self, connection: Connection, kutid: str, now: datetime) -> bool:
        """End a customer's account in a caller's transaction, without a session; tell whether there was one.

        `Activations.end` ends accounts that wait for their code. This account's address was proved and gets a mail: a
        thief sees the end anyway, and a customer whose account is ended by mistake should know.
        """
        proved = ACCOUNT.where(accounts.c.kutid == kutid, IS_PROVED)
        row = connection.execute(proved.with_for_update(of=accounts)).first()
        if row is None:
            return False
        self._erase(connection, account_from(row._mapping), now)
        return True

    def _erase(self, connection: Connection, account: Account, now: datetime) -> None:
        erase(connection, self._outbox, account.id, account.kutid)
        self._account_mails.tell(connection, "account_closed", account, now)


def _as_exported(account: Account, terms_hash: str | None) -> dict[str, Any]:
    return {
        "customer_id": account.kutid,
        "name": account.name,
        "email": account.email,
        "mobile": account.mobile,
        "language": account.language,
        "created_at": account.created_at,
        "password_changed_at": account.password_changed_at,
        "terms": {
            "version": account.terms_version,
            "sha256": terms_hash,
            "accepted_at": account.terms_accepted_at,
        },
        "answers": dict(account.answers),
    }


def _part(connection: Connection, rows: ExportedRows, account: Account) -> Any:
    keys: dict[AccountKey, str] = {
        "account_id": account.id,
        "kutid": account.kutid,
        "registration_id": account.registration_id,
    }
    found = connection.execute(select(*rows.columns).where(rows.column == keys[rows.key])).mappings()
    part = [rows.redact(dict(row)) for row in found]
    return next(iter(part), None) if rows.is_single else part
