"""Terms that have changed since an account accepted them (M24)."""

from sqlalchemy import exists, update

from services import audit
from services.accounts.account import Session
from services.accounts.sessions import Sessions
from services.base import Base
from services.refusal import Refusal
from services.store.tables.accounts import accounts
from services.store.tables.accounts import sessions as sessions_table
from services.terms import Terms, TermsVersions


class ChangedTerms:
    """Asks an account to accept the terms in force. Each public method is one transaction."""

    def __init__(self, base: Base, *, sessions: Sessions, terms: TermsVersions) -> None:
        self._store = base.store
        self._clock = base.clock
        self._sessions = sessions
        self._terms = terms

    def terms_due(self, session: Session) -> Terms | None:
        """Return the terms that this session must accept before anything else (M24), or None.

        They are asked at the first sign-in after they came into force; a session that was open then goes on.
        """
        accepted, accepted_at = session.account.terms_version, session.account.terms_accepted_at
        if accepted is None or accepted_at is None:
            return None
        # Another session may have accepted since this one was opened: that was the account's answer.
        asked = self._terms.in_force(max(session.created_at, accepted_at))
        return None if accepted == asked.version else self._terms.in_force(self._clock.now())

    def open_terms(self, session: Session, version: str) -> None:
        """Record that this session opened a version of the terms."""
        if session.terms_opened == version:
            return
        with self._store.write() as connection:
            live = self._sessions.is_live(session, self._clock.now())
            connection.execute(update(sessions_table).where(live).values(terms_opened=version))

    def accept_terms(self, session: Session) -> str:
        """Accept the terms in force, once they were opened; return what the browser is to hold from now on.

        Raises Refusal ``terms.not_opened`` or ``terms.replaced``, or SignedOut.
        """
        terms = self._terms.in_force(self._clock.now())
        opened = exists().where(sessions_table.c.id == session.id, sessions_table.c.terms_opened == terms.version)
        with self._sessions.holding(session) as (connection, now):
            accepted = connection.execute(
                update(accounts)
                .where(accounts.c.id == session.account.id, opened)
                .values(terms_version=terms.version, terms_hash=terms.hash, terms_accepted_at=now)
                .returning(accounts.c.id)
            ).first()
            if accepted is not None:
                audit.record(connection, "terms_accepted", kutid=session.account.kutid, at=now, version=terms.version)
                return self._sessions.renew(connection, session, now)
        raise Refusal("terms", "replaced" if session.terms_opened else "not_opened")
