"""The rows of registrations: how they are read, and the one guarded UPDATE by which every step is taken."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    and_,
    bindparam,
    case,
    exists,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    update,
)

from services import randomness
from services.one_time_codes import OneTimeCodes
from services.policyholders import PolicyHolder
from services.profiles import Registration as Rules
from services.refusal import DeadEnd, OutOfTurn
from services.registrations.registration import (
    COMPLETE,
    EMAIL_CONFIRMED,
    MOBILE_CONFIRMED,
    Registration,
    Visit,
    from_row,
)
from services.store import tables
from services.store.statements import without

_r = tables.registrations.c
_code = tables.one_time_codes.c
_IS_COMPLETE = exists().where(tables.accounts.c.registration_id == _r.id)
_HAS_ACCOUNT = exists().where(tables.accounts.c.kutid == _r.kutid)

# Built once: it is asked for at every turn.
_link_id = bindparam("link_id", type_=String)
_SEEN = (
    select(
        *_r,
        tables.customers.c.name,
        *_code,
        _IS_COMPLETE.label("is_complete"),
        _HAS_ACCOUNT.label("has_account"),
    )
    .join_from(tables.registrations, tables.customers)
    .outerjoin(tables.one_time_codes, and_(_code.kutid == _r.kutid, _code.registration_id == _r.id))
    .where(_r.id == bindparam("registration_id"), or_(_link_id.is_(None), _r.link_id == _link_id))
)


class Rows:
    """Reads and changes registrations in a caller's transaction; `facts` are those of the journey, in its order."""

    def __init__(self, facts: Sequence[str], rules: Rules, codes: OneTimeCodes) -> None:
        self._facts = tuple(facts)
        self._rules = rules
        self._codes = codes
        # Where the link is mailed after the code was typed, whoever opens it has not proved the mobile by that: the
        # address may have been mistyped. Each browser proves it then.
        self.is_mobile_proved_here = EMAIL_CONFIRMED in self._facts and MOBILE_CONFIRMED in self.before(EMAIL_CONFIRMED)

    @property
    def is_link_mailed(self) -> bool:
        """Whether the journey waits for a mailed link."""
        return EMAIL_CONFIRMED in self._facts

    def begin(
        self,
        connection: Connection,
        holder: PolicyHolder,
        identifier: str,
        language: str,
        now: datetime,
        *,
        mobile: str | None = None,
    ) -> Registration:
        """Write down a new registration of an identified customer, with the mobile that was part of it if any was."""
        row = connection.execute(
            insert(tables.registrations)
            .values(
                id=randomness.opaque_id(),
                kutid=holder.kutid,
                identifier=identifier,
                language=language,
                created_at=now,
                expires_at=now + self._rules.lifetime,
                closes_at=now + self._rules.longest,
                mobile=mobile,
                mails=0,
                answers={},
            )
            .returning(*_r)
        ).one()
        return from_row(row._mapping, None)

    def see(self, connection: Connection, visit: Visit) -> Registration | None:
        """Return the registration as this browser may see it, with its code and its holder's name."""
        seen = connection.execute(_SEEN, {"registration_id": visit.registration_id, "link_id": visit.link_id})
        row = seen.first()
        if row is None:
            return None
        mapping = row._mapping
        return replace(
            self._as_seen(from_row(mapping, visit.link_id), visit),
            holder_name=mapping[tables.customers.c.name],
            is_complete=bool(mapping["is_complete"]),
            has_account=bool(mapping["has_account"]),
            code=self._codes.state(mapping) if mapping[_code.kutid] else None,
        )

    def advance(
        self,
        connection: Connection,
        visit: Visit,
        fact: str,
        now: datetime,
        *conditions: ColumnElement[bool],
        **changes: Any,
    ) -> Registration | None:
        """Change the registration if it is open, `fact` is its turn and the conditions hold; one statement."""
        if EMAIL_CONFIRMED in self.before(fact):
            changes[EMAIL_CONFIRMED] = func.coalesce(_r.email_confirmed_at, literal(now, _r.email_confirmed_at.type))
        row = connection.execute(
            update(tables.registrations)
            .where(*self.conditions(visit, fact, now), *conditions)
            .values(changes)
            .returning(*_r)
        ).first()
        if row is None:
            return None
        changed = from_row(row._mapping, row.link_id if "link_id" not in changes else None)
        return changed if fact == MOBILE_CONFIRMED else self._as_seen(changed, visit)

    def _as_seen(self, registration: Registration, visit: Visit) -> Registration:
        """Return the registration as this browser may see it where each proves the mobile itself."""
        if self.is_mobile_proved_here and not visit.has_proved_mobile:
            return replace(registration, mobile_confirmed_at=None)
        return registration

    def is_mobile_unproved(self, visit: Visit) -> ColumnElement[bool]:
        """Return the condition that this browser has not confirmed the mobile yet."""
        if self.is_mobile_proved_here and not visit.has_proved_mobile:
            return true()
        return _r.mobile_confirmed_at.is_(None)

    def conditions(self, visit: Visit, fact: str | None, now: datetime) -> list[ColumnElement[bool]]:
        """Return what must hold of the row: it is open, and every fact that comes before `fact` is there."""
        conditions = [_r.id == visit.registration_id, _r.expires_at > now, ~_HAS_ACCOUNT]
        if visit.link_id:
            # A browser that came by a link has nothing more in hand once a newer mail has left.
            conditions.append(_r.link_id == visit.link_id)
        for earlier in self.before(fact) if fact else ():
            if earlier == EMAIL_CONFIRMED:
                # The proof is the link in this browser's hands, not that somebody somewhere opened it.
                conditions.append(_r.link_id == (visit.link_id or ""))
            elif earlier == MOBILE_CONFIRMED and self.is_mobile_proved_here and not visit.has_proved_mobile:
                conditions.append(false())
            elif earlier in _r:
                conditions.append(_r[earlier].is_not(None))
            else:
                conditions.append(_r.answers[earlier].as_string().is_not(None))
        return conditions

    def before(self, fact: str) -> tuple[str, ...]:
        """Return the facts that come before `fact`."""
        return self._facts[: self._facts.index(fact)]

    def new_link(self, now: datetime) -> dict[str, Any]:
        """Return the changes that a new mailed link makes: a new hour, and all that came later is dropped."""
        end = literal(now + self._rules.lifetime, _r.expires_at.type)
        return {
            **self.dropped(),
            "link_id": randomness.opaque_id(),
            "mailed_at": now,
            "mails": _r.mails + 1,
            "expires_at": case((_r.closes_at < end, _r.closes_at), else_=end),
        }

    def dropped(self) -> dict[str, Any]:
        """Return the changes that drop all that came after the address: whoever held its link gave it."""
        if not self.is_link_mailed:
            return {}
        later = self._facts[self._facts.index("email") + 1 :]
        answers = [fact for fact in later if fact not in _r and fact != COMPLETE]
        return {
            **{fact: None for fact in later if fact in _r},
            **({"answers": without(_r.answers, answers)} if answers else {}),
            "terms_opened": None,
            "notice_opened": None,
        }

    def is_in_turn(self, seen: Registration | None, fact: str, now: datetime) -> bool:
        """Tell whether the registration is open and every fact before `fact` is there."""
        return (
            seen is not None
            and seen.expires_at > now
            and not seen.has_account
            and all(seen.has(earlier) for earlier in self.before(fact))
        )


def why_not(seen: Registration | None, now: datetime) -> Exception:
    """Return the reason why a registration that this browser sees like this could not be changed."""
    if seen is None or seen.is_complete:
        return OutOfTurn()
    if seen.has_account:
        return DeadEnd("already_registered", kutid=seen.kutid)
    if seen.expires_at <= now:
        return DeadEnd("link_expired", at=seen.expires_at)
    return OutOfTurn()
