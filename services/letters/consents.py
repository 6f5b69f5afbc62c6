"""Whether a customer gets letters electronically: decided in the settings, dated, with the statement's hash (P19)."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, insert, select

from services import audit
from services.accounts import Session
from services.accounts.mails import AccountMails
from services.accounts.sessions import Sessions
from services.base import Base
from services.randomness import opaque_id
from services.refusal import OutOfTurn, Refusal
from services.store.tables.letters import letter_consents
from services.store.tables.register import customer_accounts, policies
from services.values import spoken_dates

PARTS = ("what", "notice", "post", "my_part", "safety", "paper_copy", "revoke", "kept")
"""The sentences of the statement, ``consent.text.…``, in their order."""
ENCRYPTED = "encrypted"
"""One more, where letters are also mailed."""


@dataclass(frozen=True)
class Consent:
    """What a customer has decided, when, and which version of the statement they read."""

    is_agreed: bool
    at: datetime
    version: str


@dataclass(frozen=True)
class ConsentState:
    """How a customer gets letters. Without a decision they come electronically, as the terms say."""

    decided: Consent | None
    has_own_account: bool
    """Whether they manage a customer account themselves: its letters come in the portal alone (B1)."""
    is_current: bool
    """Whether they have read the statement in force."""


class Consents:
    """The customer's verbs; each is one transaction with its mail."""

    def __init__(self, base: Base, *, sessions: Sessions, mails: AccountMails) -> None:
        self._store = base.store
        self._profile = base.profile
        self._sessions = sessions
        self._mails = mails

    def statement(self, language: str) -> tuple[str, ...]:
        """Return the sentences of the statement in force, as the customer reads them."""
        parts = (*PARTS, *((ENCRYPTED,) if self._profile.letters == "encrypted_mail" else ()))
        return tuple(self._profile.texts.say(f"consent.text.{part}", language) for part in parts)

    def state(self, session: Session) -> ConsentState:
        """Return what the customer has decided."""
        kutid = session.account.kutid
        with self._store.read() as connection:
            row = connection.execute(newest(kutid)).first()
            own = bool(connection.execute(select(_manages_own(kutid))).scalar())
        decided = Consent(row.is_agreed, row.at, row.version) if row else None
        return ConsentState(decided, own, decided is not None and decided.version == self._profile.letter_consent)

    def agree(self, session: Session, language: str) -> None:
        """Note that the customer wants letters electronically, having read the statement in `language`."""
        with self._sessions.holding(session) as (connection, now):
            self._decide(connection, session, language, now, is_agreed=True)
            self._mails.tell(connection, "consent_agreed", session.account, now)

    def revoke(self, session: Session, language: str) -> None:
        """Note that the customer wants letters by post; those that come from the next day on go on the print list.

        Raises Refusal ``letter_consent.manager`` where all their contracts are in customer accounts that they manage
        themselves: those letters come in the portal alone (B1).
        """
        with self._sessions.holding(session) as (connection, now):
            kutid = session.account.kutid
            is_other = select(policies.c.policy_number).where(policies.c.kutid == kutid, ~_is_in_own_account())
            if connection.execute(select(_manages_own(kutid))).scalar() and not connection.execute(is_other).first():
                raise Refusal("letter_consent", "manager")
            self._decide(connection, session, language, now, is_agreed=False)
            tomorrow = now.astimezone(self._profile.zone).date() + timedelta(days=1)
            day = spoken_dates.day_from(tomorrow, session.account.language)
            self._mails.tell(connection, "consent_revoked", session.account, now, date_from=day)

    def _decide(
        self, connection: Connection, session: Session, language: str, now: datetime, *, is_agreed: bool
    ) -> None:
        kutid, version = session.account.kutid, self._profile.letter_consent
        row = connection.execute(newest(kutid)).first()
        if row is not None and (row.is_agreed, row.version) == (is_agreed, version):
            raise OutOfTurn
        read = "\n".join(self.statement(language))
        values = {"kutid": kutid, "is_agreed": is_agreed, "at": now, "version": version, "language": language}
        sha256 = hashlib.sha256(read.encode()).hexdigest()
        connection.execute(insert(letter_consents).values(id=opaque_id(), sha256=sha256, **values))
        action = "letter_consent_given" if is_agreed else "letter_consent_revoked"
        audit.record(connection, action, kutid=kutid, at=now, version=version)


def newest(kutid: str) -> Select[Any]:
    """Return the query for what a customer has decided last."""
    mine = select(*letter_consents.c).where(letter_consents.c.kutid == kutid)
    return mine.order_by(letter_consents.c.at.desc(), letter_consents.c.id.desc()).limit(1)


def is_on_paper(connection: Connection, kutid: str, policy_number: str | None, midnight: datetime) -> bool:
    """Tell whether a letter that is published today goes by post: the customer has said so before `midnight`.

    Letters of a customer account that the customer manages come in the portal alone (B1).
    """
    row = connection.execute(newest(kutid)).first()
    if row is None or row.is_agreed or row.at >= midnight:
        return False
    in_own = select(policies.c.policy_number).where(policies.c.policy_number == policy_number, _is_in_own_account())
    return policy_number is None or connection.execute(in_own).first() is None


def _is_in_own_account() -> ColumnElement[bool]:
    return exists().where(
        and_(customer_accounts.c.account_number == policies.c.account_number, customer_accounts.c.manager == "customer")
    )


def _manages_own(kutid: str) -> ColumnElement[bool]:
    return exists().where(customer_accounts.c.kutid == kutid, customer_accounts.c.manager == "customer")
