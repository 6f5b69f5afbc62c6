"""The rows of registrations: how they are read, and the one guarded UPDATE by which every step is taken."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    String,
    Update,
    bindparam,
    case,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)

from services import randomness
from services.accounts.conditions import is_opened_by, is_registered
from services.codes.one_time_codes import CodeState, OneTimeCodes
from services.figures.observations import CUSTOMER
from services.messages.conditions import is_given_up
from services.profiles import Registration as Rules
from services.refusal import DeadEnd, Denial, OutOfTurn
from services.register.policyholders import PolicyHolder
from services.registrations.registration import (
    COMPLETE,
    EMAIL_CONFIRMED,
    MOBILE_CONFIRMED,
    Access,
    Registration,
    from_row,
)
from services.store.statements import without
from services.store.tables.codes import one_time_codes
from services.store.tables.register import customers
from services.store.tables.registrations import registrations

_code = one_time_codes.c
_IS_COMPLETE = is_opened_by(registrations.c.id)
_HAS_ACCOUNT = is_registered(registrations.c.kutid)
_IS_MAIL_UNDELIVERED = is_given_up(literal("confirm:") + registrations.c.id, since=registrations.c.mailed_at)

# Statements are built once: building one and finding it among those compiled costs more than its run.
_id = bindparam("visit_id", type_=String)
_link_id = bindparam("visit_link", type_=String)
_now = bindparam("now", type_=registrations.c.expires_at.type)
_hour_ends_at = bindparam("hour_ends_at", type_=registrations.c.expires_at.type)
_SEEN = (
    select(
        *registrations.c,
        customers.c.name,
        *_code,
        _IS_COMPLETE.label("is_complete"),
        _HAS_ACCOUNT.label("has_account"),
        _IS_MAIL_UNDELIVERED.label("is_mail_undelivered"),
    )
    .join_from(registrations, customers)
    .outerjoin(one_time_codes, _code.kutid == registrations.c.kutid)
    .where(registrations.c.id == _id, or_(_link_id.is_(None), registrations.c.link_id == _link_id))
)
_browser = bindparam("visit_browser", type_=registrations.c.browser.type)
IS_SAME_BROWSER = registrations.c.browser == _browser
IS_UNPROVED_HERE = or_(
    registrations.c.mobile_confirmed_at.is_(None), registrations.c.browser.is_distinct_from(_browser)
)
"""The condition that this browser has not proved the mobile, even if another browser has."""
IS_CODE_UNUSED = or_(
    registrations.c.mobile_confirmed_at.is_(None), registrations.c.mobile_confirmed_at < _code.issued_at
)
"""The condition that a registration's newest code is unused: a used code proves no mobile in another browser."""
_BEGIN = insert(registrations).returning(*registrations.c)


def binds(access: Access, now: datetime | None = None) -> dict[str, Any]:
    """Return the parameters of the statements of `Rows`; `now` is needed by the ones that write."""
    moment = {} if now is None else {"now": now}
    return {
        "visit_id": access.registration_id,
        "visit_link": access.link_id,
        "visit_browser": access.browser,
        **moment,
    }


class Rows:
    """Reads and changes registrations in a caller's transaction; `facts` are those of the journey, in its order."""

    def __init__(self, facts: Sequence[str], rules: Rules, codes: OneTimeCodes) -> None:
        self._facts = tuple(facts)
        self._rules = rules
        self._codes = codes
        self.conditions = cache(self._conditions)
        self._advancing = cache(self._advance)

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
        browser: str | None = None,
        begun_by: str = CUSTOMER,
    ) -> Registration:
        """Insert a new registration of an identified customer, with the mobile if the first step asked for it."""
        row = connection.execute(
            _BEGIN,
            {
                "id": randomness.opaque_id(),
                "kutid": holder.kutid,
                "identifier": identifier,
                "language": language,
                "created_at": now,
                "expires_at": now + self._rules.lifetime,
                "closes_at": now + self._rules.longest,
                "mobile": mobile,
                "mails": 0,
                "answers": {},
                "begun_by": begun_by,
                "browser": browser,
            },
        ).one()
        return from_row(row._mapping, None)

    def see(self, connection: Connection, access: Access) -> Registration | None:
        """Return the registration as this browser may see it, with its code and its holder's name."""
        row = connection.execute(_SEEN, binds(access)).first()
        if row is None:
            return None
        mapping = row._mapping
        registration = from_row(mapping, access.link_id)
        return replace(
            self._as_seen(registration, access),
            language=access.language or registration.language,
            holder_name=mapping[customers.c.name],
            is_complete=bool(mapping["is_complete"]) and _is_of(registration, access),
            is_completed_elsewhere=bool(mapping["is_complete"]) and not _is_of(registration, access),
            has_account=bool(mapping["has_account"]),
            is_mail_undelivered=bool(mapping["is_mail_undelivered"]),
            code=self._code_state(registration, mapping) if mapping[_code.kutid] else None,
        )

    def _code_state(self, registration: Registration, mapping: RowMapping) -> CodeState:
        """Return what may be known of the customer's newest code; a used code, or another's, opens nothing."""
        state, confirmed_at = self._codes.state(mapping), registration.mobile_confirmed_at
        is_used = confirmed_at is not None and confirmed_at >= state.issued_at
        is_for_here = mapping[_code.registration_id] == registration.id and not is_used
        return state if is_for_here else state.elsewhere()

    def advance(
        self,
        connection: Connection,
        access: Access,
        fact: str,
        now: datetime,
        *conditions: ColumnElement[bool],
        new_link: bool = False,
        **values: Any,
    ) -> Registration | None:
        """Change the registration if it is open, `fact` is its turn and the conditions hold; one statement.

        `values` holds columns and the bind parameters of the conditions, by name; the conditions are built once. A new
        mailed link begins a new hour and drops every fact after the address. The language of this step is stored too.
        """
        if MOBILE_CONFIRMED in self.before(fact) and not access.is_staff:
            conditions = (*conditions, IS_SAME_BROWSER)
        if access.language is not None:
            values = {"language": access.language, **values}
        if new_link:
            values = {**self.dropped(), **self._new_link(now), **values}
        row = connection.execute(self._advancing(fact, conditions, new_link), {**binds(access, now), **values}).first()
        if row is None:
            return None
        return self._as_seen(from_row(row._mapping, None if new_link else row.link_id), access)

    def _new_link(self, now: datetime) -> dict[str, Any]:
        return {
            "link_id": randomness.opaque_id(),
            "mailed_at": now,
            "hour_ends_at": now + self._rules.lifetime,
        }

    def _as_seen(self, registration: Registration, access: Access) -> Registration:
        is_proved_here = access.is_staff or _is_of(registration, access)
        return registration if is_proved_here else replace(registration, mobile_confirmed_at=None)

    def _advance(self, fact: str, conditions: tuple[ColumnElement[bool], ...], new_link: bool) -> Update:
        """Return the statement of `advance` without the columns in its values."""
        changes: dict[str, Any] = {}
        if EMAIL_CONFIRMED in self.before(fact):
            changes[EMAIL_CONFIRMED] = func.coalesce(registrations.c.email_confirmed_at, _now)
        if new_link:
            changes["mails"] = registrations.c.mails + 1
            changes["expires_at"] = case(
                (registrations.c.closes_at < _hour_ends_at, registrations.c.closes_at), else_=_hour_ends_at
            )
            changes.update(self.dropped_answers())
        advance = update(registrations).where(*self.conditions(fact), *conditions).returning(*registrations.c)
        return advance.values(changes) if changes else advance

    def _conditions(self, fact: str | None) -> tuple[ColumnElement[bool], ...]:
        """Return what must hold of the row: it is open, and every fact that comes before `fact` is there."""
        # A newer mail ends the proof of a browser that came by an older link.
        is_newest = or_(_link_id.is_(None), registrations.c.link_id == _link_id)
        conditions = [registrations.c.id == _id, registrations.c.expires_at > _now, ~_HAS_ACCOUNT, is_newest]
        for earlier in self.before(fact) if fact else ():
            if earlier == EMAIL_CONFIRMED:
                # The proof is the link in this browser's hands, not that somebody somewhere opened it.
                conditions.append(registrations.c.link_id == _link_id)
            elif earlier in registrations.c:
                conditions.append(registrations.c[earlier].is_not(None))
            else:
                conditions.append(registrations.c.answers[earlier].as_string().is_not(None))
        return tuple(conditions)

    def before(self, fact: str) -> tuple[str, ...]:
        """Return the facts that come before `fact`."""
        return self._facts[: self._facts.index(fact)]

    def dropped(self) -> dict[str, None]:
        """Return the changes that drop every fact after the address: they came from the holder of its older link."""
        if not self.is_link_mailed:
            return {}
        return {
            **{fact: None for fact in self._after_address() if fact in registrations.c},
            "terms_opened": None,
            "notice_opened": None,
        }

    def dropped_answers(self) -> dict[str, ColumnElement[Any]]:
        """Return the change that drops the answers among those facts."""
        answers = [fact for fact in self._after_address() if fact not in registrations.c and fact != COMPLETE]
        return {"answers": without(registrations.c.answers, answers)} if answers and self.is_link_mailed else {}

    def _after_address(self) -> tuple[str, ...]:
        return self._facts[self._facts.index("email") + 1 :]

    def is_in_turn(self, seen: Registration | None, fact: str, now: datetime) -> bool:
        """Tell whether the registration is open and every fact before `fact` is there."""
        return (
            seen is not None
            and seen.expires_at > now
            and not seen.has_account
            and all(seen.has(earlier) for earlier in self.before(fact))
        )


def _is_of(registration: Registration, access: Access) -> bool:
    """Tell whether the registration has the mark of this access's browser."""
    return registration.browser is not None and registration.browser == access.browser


def why_not(seen: Registration | None, now: datetime) -> Denial:
    """Return the reason why a registration that this browser sees like this could not be changed."""
    if seen is None or seen.is_complete:
        return OutOfTurn()
    if seen.has_account:
        return DeadEnd("already_registered", kutid=seen.kutid)
    if seen.ended_at is not None:
        return DeadEnd("ended_by_staff")
    if seen.expires_at <= now:
        return DeadEnd("link_expired", at=seen.expires_at)
    return OutOfTurn()
