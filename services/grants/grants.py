"""What a customer lets their adviser see: letters or contracts, until a day, and back at once (P53)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal, get_args

from sqlalchemy import Connection, Select, and_, insert, select, update

from services import audit
from services.accounts import Session
from services.accounts.mails import AccountMails
from services.accounts.sessions import Sessions
from services.base import Base
from services.messages.outbox import Outbox
from services.randomness import opaque_id
from services.refusal import OutOfTurn, Refusal
from services.store.tables.audit import audit as trail
from services.store.tables.grants import grants
from services.store.tables.letters import letters
from services.store.tables.register import advisers
from services.store.tables.staff import staff
from services.values import spoken_dates

Scope = Literal["letters", "contracts"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
LOOKED = "adviser_looked"
"""The look of an adviser in the audit trail."""
_LONGEST = timedelta(days=366)
_MOST_LOOKS = 20
_WORTH_SENDING = timedelta(days=1)


@dataclass(frozen=True)
class Grant:
    """What an adviser may see, and until which day."""

    scope: Scope
    given_at: datetime
    until: date


@dataclass(frozen=True)
class Look:
    """What an adviser looked at, and when: a type of letter, or empty for the contracts."""

    at: datetime
    letter_type: str


@dataclass(frozen=True)
class GrantState:
    """What a customer sees of their adviser's access."""

    adviser: str | None
    """The adviser's name; None where the customer has no adviser with an account at the console."""
    live: tuple[Grant, ...]
    looks: tuple[Look, ...]

    def has(self, scope: Scope) -> bool:
        """Tell whether access of this kind is given now."""
        return any(one.scope == scope for one in self.live)


class Grants:
    """The customer's verbs, each one transaction with the mails to both; and what an adviser may see now."""

    def __init__(self, base: Base, *, sessions: Sessions, mails: AccountMails, outbox: Outbox) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._sessions = sessions
        self._mails = mails
        self._outbox = outbox

    def state(self, session: Session) -> GrantState:
        """Return what the customer's adviser may see, and what they looked at lately."""
        kutid = session.account.kutid
        with self._store.read() as connection:
            adviser = connection.execute(_adviser_of(kutid)).first()
            if adviser is None:
                return GrantState(None, (), ())
            live = connection.execute(self._live(kutid, adviser.code).order_by(grants.c.scope.desc()))
            found = tuple(Grant(row.scope, row.given_at, row.until) for row in live)
            return GrantState(adviser.name, found, tuple(_looks(connection, kutid)))

    def give(self, session: Session, scope: str, until: str) -> None:
        """Let the adviser see letters or contracts until a day, in place of what was given before.

        Raises Refusal ``scope.empty``, ``until.empty``, ``.malformed``, ``.past`` or ``.too_far``; OutOfTurn without
        an adviser.
        """
        last = self._judged(scope, until)
        with self._sessions.holding(session) as (connection, now):
            account = session.account
            adviser = connection.execute(_adviser_of(account.kutid)).first()
            if adviser is None:
                raise OutOfTurn
            self._end(connection, account.kutid, scope, now)
            row = {"id": opaque_id(), "kutid": account.kutid, "adviser": adviser.code, "scope": scope, "given_at": now}
            connection.execute(insert(grants).values(**row, until=last, live_for=_live_for(account.kutid, scope)))
            audit.record(connection, "grant_given", kutid=account.kutid, at=now, scope=scope, until=last.isoformat())
            what = self._profile.texts.say(f"grant.scope.{scope}", account.language)
            day = spoken_dates.day_until(last, account.language)
            self._mails.tell(connection, "grant_given", account, now, what=what, date_until=day)
            self._tell_adviser(connection, "grant_adviser", adviser.email, now, last)

    def end(self, session: Session, scope: str) -> None:
        """Take back what was given, at once. Raises OutOfTurn where nothing is."""
        with self._sessions.holding(session) as (connection, now):
            account = session.account
            if not self._end(connection, account.kutid, scope, now):
                raise OutOfTurn
            audit.record(connection, "grant_ended", kutid=account.kutid, at=now, scope=scope)
            self._mails.tell(connection, "grant_ended", account, now)
            adviser = connection.execute(_adviser_of(account.kutid)).first()
            if adviser is not None:
                self._tell_adviser(connection, "grant_adviser_ended", adviser.email, now)

    def given(self, connection: Connection, kutid: str, adviser: str | None, scope: Scope) -> Grant | None:
        """Return what the customer lets this adviser see now, in a caller's transaction; None where it is nothing."""
        row = connection.execute(self._live(kutid, adviser or "").where(grants.c.scope == scope)).first()
        return Grant(row.scope, row.given_at, row.until) if row else None

    def has_ended(self, connection: Connection, kutid: str, adviser: str | None, scope: Scope) -> bool:
        """Tell whether the customer has taken back, or let run out, what this adviser could see."""
        was = grants.c.kutid == kutid, grants.c.adviser == adviser, grants.c.scope == scope
        was_given = connection.execute(select(grants.c.id).where(*was).limit(1)).first() is not None
        return was_given and self.given(connection, kutid, adviser, scope) is None

    def note_look(self, connection: Connection, kutid: str, actor: str, letter_id: str = "") -> None:
        """Write a look of the adviser into the audit trail; the customer sees it."""
        audit.record(connection, LOOKED, kutid=kutid, at=self._clock.now(), actor=actor, letter=letter_id)

    def _live(self, kutid: str, adviser: str) -> Select[Any]:
        today = self._clock.now().astimezone(self._profile.zone).date()
        is_live = and_(grants.c.ended_at.is_(None), grants.c.until >= today)
        is_theirs = select(advisers.c.kutid).where(advisers.c.kutid == kutid, advisers.c.adviser == adviser).exists()
        return select(*grants.c).where(grants.c.kutid == kutid, grants.c.adviser == adviser, is_live, is_theirs)

    def _judged(self, scope: str, until: str) -> date:
        if scope not in SCOPES:
            raise Refusal("scope", "empty")
        if not until.strip():
            raise Refusal("until", "empty")
        try:
            last = date.fromisoformat(until.strip())
        except ValueError:
            raise Refusal("until", "malformed") from None
        today = self._clock.now().astimezone(self._profile.zone).date()
        if last < today:
            raise Refusal("until", "past")
        if last > today + _LONGEST:
            raise Refusal("until", "too_far")
        return last

    def _end(self, connection: Connection, kutid: str, scope: str, now: datetime) -> bool:
        live = update(grants).where(grants.c.live_for == _live_for(kutid, scope))
        return bool(connection.execute(live.values(ended_at=now, live_for=None)).rowcount)

    def _tell_adviser(
        self, connection: Connection, message: str, address: str, now: datetime, last: date | None = None
    ) -> None:
        language = self._profile.languages[0]
        facts = {"at": now.isoformat()}
        if last is not None:
            facts["date_until"] = spoken_dates.day_until(last, language)
        self._outbox.put(
            connection,
            kind="email",
            recipient=address,
            message=message,
            language=language,
            topic=f"{message}:{opaque_id()}",
            expires_at=now + _WORTH_SENDING,
            facts=facts,
        )


def _live_for(kutid: str, scope: str) -> str:
    return f"{kutid} {scope}"


def _adviser_of(kutid: str) -> Select[Any]:
    """Return the query for the customer's adviser, if they have an account at the console."""
    own = and_(staff.c.adviser == advisers.c.adviser, staff.c.disabled_at.is_(None))
    columns = staff.c.adviser.label("code"), staff.c.name, staff.c.email
    return select(*columns).join_from(advisers, staff, own).where(advisers.c.kutid == kutid)


def _looks(connection: Connection, kutid: str) -> Iterator[Look]:
    mine = select(trail.c.at, trail.c.facts).where(trail.c.kutid == kutid, trail.c.action == LOOKED)
    found = connection.execute(mine.order_by(trail.c.id.desc()).limit(_MOST_LOOKS)).all()
    ids = {row.facts.get("letter", "") for row in found}
    known = connection.execute(select(letters.c.id, letters.c.type).where(letters.c.id.in_(ids)))
    types = {row.id: row.type for row in known}
    for row in found:
        yield Look(row.at, types.get(row.facts.get("letter", ""), ""))
