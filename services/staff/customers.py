"""What staff see of a customer: the register's data, the account, and the way of the registrations in time."""

from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from services.accounts.conditions import account_of
from services.base import Base
from services.codes import one_time_codes
from services.codes.one_time_codes import CodeState, OneTimeCodes
from services.codes.sending import READ_BACK
from services.figures.observations import CUSTOMER
from services.register.conditions import learnt
from services.registrations.assisted import AssistedRegistrations, Progress
from services.staff.cases import Case
from services.store.tables.audit import audit
from services.store.tables.clients import api_keys
from services.store.tables.codes import one_time_codes as one_time_codes_table
from services.store.tables.messages import ENDED, outbox
from services.store.tables.references import reference_codes
from services.store.tables.register import customers
from services.store.tables.register import phones as phones_table
from services.store.tables.register import policies as policies_table
from services.store.tables.staff import staff
from services.store.tables.worklists import invitations
from services.values import masking

_MOST_EVENTS = 40
_DEEDS = {
    "viewed": "viewed",
    "identified": "identified_by",
    "email_recorded": "email_changed",
    "mobile_recorded": "mobile_changed",
    "mailed_again": "mailed_again",
    "ended": "ended",
    "account_ended": "account_ended",
    "active_account_ended": "active_account_ended",
    "budget_renewed": "budget_renewed",
    "reset_asked": "forgot_started",
    "refused": "refused",
    "invited": "invited",
    "reminded": "reminded",
    "case_closed": "case_closed",
    # What customers do by themselves, in their account.
    "account_activated": "own.activated",
    "email_change_asked": "own.email_asked",
    "email_changed": "own.email",
    "mobile_changed": "own.mobile",
    "password_changed": "own.password",
    "password_reset": "own.reset",
    "passkey_added": "own.passkey_added",
    "passkey_removed": "own.passkey_removed",
    "account_closed": "own.closed",
    "invitations_declined": "own.declined",
}
"""What of the audit trail stands in the timeline, and by which text, ``staff.event.…``."""
_BAD = ("refused", "ended", "account_ended", "active_account_ended")
_STAFF = "staff"
"""Whose doing an event is where nothing says which of them."""
_MET = {"no_mobile": "no_mobile", "codes_used_up": "codes_used_up"}


@dataclass(frozen=True)
class Policy:
    """A contract, and the numbers on it."""

    number: str
    status: str
    product: str | None
    ended_on: date | None
    phones: tuple[str, ...]


@dataclass(frozen=True)
class Event:
    """Something that happened; its text is ``staff.event.<what>``, filled with `facts`. `tone` repeats what it says."""

    at: datetime
    what: str
    tone: str = "told"
    facts: dict[str, str] = field(default_factory=dict)
    by: str = CUSTOMER
    """Whose doing it is, as the audit trail knows them."""


@dataclass(frozen=True)
class CustomerFile:
    """A customer as the member of staff may see them who has identified them."""

    kutid: str
    name: str
    holder_type: str
    policies: tuple[Policy, ...]
    phones: tuple[str, ...]
    """All numbers, mobiles first, with what staff have recorded."""
    account_since: datetime | None
    account_email: str | None
    awaits_activation: bool
    """Whether the account waits for the code that was mailed: its address is not proved."""
    email: str | None
    """On record, or as staff have recorded it since."""
    invited_at: datetime | None
    deadline_at: datetime | None
    account_registration_id: str | None
    """By which registration the account was opened."""
    registrations: tuple[Progress, ...]
    """Those that are kept, open or over, the newest first."""
    code: CodeState | None
    """What is left of the customer's allowance, whichever registration spent it."""
    events: tuple[Event, ...]

    @property
    def registration(self) -> Progress | None:
        """The newest one that is kept."""
        return self.registrations[0] if self.registrations else None

    @property
    def is_live(self) -> bool:
        """Whether a contract is in force, without which nobody registers (M7)."""
        return any(policy.status == "live" for policy in self.policies)


class CustomerFiles:
    """Reads what staff see; changes nothing."""

    def __init__(self, base: Base, registrations: AssistedRegistrations, codes: OneTimeCodes) -> None:
        self._store = base.store
        self._clock = base.clock
        self._registrations = registrations
        self._codes = codes

    def of(self, case: Case, *, events_of: Collection[str] | None = None) -> CustomerFile:
        """Return the customer's file; what of it may be shown, the case says.

        The timeline holds the doings of `events_of`, actors as the audit trail knows them, or of everybody.
        """
        now = self._clock.now()
        with self._store.read() as connection:
            person = connection.execute(
                select(customers.c.kutid, customers.c.name, customers.c.holder_type, customers.c.email).where(
                    customers.c.kutid == case.kutid
                )
            ).one()
            invitation = connection.execute(select(*invitations.c).where(invitations.c.kutid == case.kutid)).first()
            account = connection.execute(account_of(case.kutid)).first()
            registrations = self._registrations.of_customer(connection, case.kutid)
            code = connection.execute(
                select(one_time_codes_table).where(one_time_codes_table.c.kutid == case.kutid)
            ).first()
            events = [
                event
                for event in _events(connection, case.kutid, account, registrations, now, events_of=events_of)
                if events_of is None or event.by in events_of
            ]
            return CustomerFile(
                kutid=person.kutid,
                name=person.name,
                holder_type=person.holder_type,
                policies=tuple(_policies(connection, case.kutid)),
                phones=tuple(_phones(connection, case.kutid)),
                account_since=account.created_at if account else None,
                account_email=account.email if account else None,
                awaits_activation=account is not None and bool(account.is_waiting),
                email=_email(connection, case.kutid) or person.email,
                invited_at=invitation.invited_at if invitation else None,
                deadline_at=invitation.deadline_at if invitation else None,
                account_registration_id=account.registration_id if account else None,
                registrations=tuple(registrations),
                code=self._codes.state(code._mapping) if code else None,
                events=tuple(sorted(events, key=lambda event: event.at, reverse=True)[:_MOST_EVENTS]),
            )


def _policies(connection: Connection, kutid: str) -> Iterator[Policy]:
    numbers: dict[str, list[str]] = {}
    for row in connection.execute(
        select(phones_table.c.policy_number, phones_table.c.number)
        .where(phones_table.c.kutid == kutid)
        .order_by(phones_table.c.number)
    ):
        numbers.setdefault(row.policy_number, []).append(row.number)
    rows = connection.execute(
        select(*policies_table.c)
        .where(policies_table.c.kutid == kutid)
        .order_by(policies_table.c.status.desc(), policies_table.c.policy_number)
    )
    for row in rows:
        phones = tuple(numbers.get(row.policy_number, ()))
        yield Policy(row.policy_number, row.status, row.product, row.ended_on, phones)


def _phones(connection: Connection, kutid: str) -> list[str]:
    held = (
        select(phones_table.c.number)
        .where(phones_table.c.kutid == kutid)
        .order_by(phones_table.c.is_mobile.desc(), phones_table.c.policy_number, phones_table.c.number)
    )
    return list(
        dict.fromkeys(
            [
                *connection.execute(learnt(kutid, "mobile")).scalars(),
                *connection.execute(held).scalars(),
            ]
        )
    )


def _email(connection: Connection, kutid: str) -> str | None:
    return connection.execute(learnt(kutid, "email").limit(1)).scalar()


def _events(
    connection: Connection,
    kutid: str,
    account: Row[Any] | None,
    registrations: list[Progress],
    now: datetime,
    *,
    events_of: Collection[str] | None,
) -> Iterator[Event]:
    names = {
        row.id: row.name for kind in (staff.c, api_keys.c) for row in connection.execute(select(kind.id, kind.name))
    }
    for one in registrations:
        is_complete = account is not None and account.registration_id == one.id
        yield from _steps(one, names, now, is_complete=is_complete)
    if account is not None:
        yield Event(account.created_at, "completed", "ok")
    mailed = {f"confirm:{one.id}": one.begun_by for one in registrations}
    if account is not None:
        mailed |= {f"reset:{account.id}": CUSTOMER, f"activation:{account.id}": CUSTOMER}
    yield from _messages(connection, kutid, mailed)
    yield from _deeds(connection, kutid, names, events_of)
    met = reference_codes.c
    ids = [one.id for one in registrations]
    mine = select(*met).where(or_(met.kutid == kutid, met.registration_id.in_(ids)), met.kind.in_(_MET))
    for row in connection.execute(mine):
        yield Event(row.created_at, _MET[row.kind], "bad", {"reference": row.code})


def _steps(one: Progress, names: dict[str, str], now: datetime, *, is_complete: bool) -> Iterator[Event]:
    yield Event(one.created_at, "started", facts={"by": names.get(one.begun_by, one.begun_by)}, by=one.begun_by)
    if one.begun_by == CUSTOMER:
        yield Event(one.created_at, "identified", "ok")
    if one.email_confirmed_at:
        yield Event(one.email_confirmed_at, "link_opened", "ok")
    if one.mobile_confirmed_at:
        yield Event(one.mobile_confirmed_at, "code_confirmed", "ok")
    if one.terms_accepted_at:
        yield Event(one.terms_accepted_at, "terms_accepted", "ok", {"version": one.terms_version or ""})
    if not (one.is_open(now) or one.ended_at or is_complete):
        yield Event(one.expires_at, "expired", "bad", by=one.begun_by)


def _messages(connection: Connection, kutid: str, mailed: dict[str, str]) -> Iterator[Event]:
    """Yield what became of the messages; `mailed` tells whose doing a topic's mails are."""
    links = connection.execute(select(invitations.c.link_id).where(invitations.c.kutid == kutid)).scalars()
    codes = one_time_codes.topic(kutid)
    topics = {codes: CUSTOMER, **mailed, **{f"invitation:{link}": _STAFF for link in links}}
    trail = audit.c
    ordered = select(trail.at, trail.actor).where(trail.kutid == kutid, trail.action == "code_sent").order_by(trail.id)
    orders = connection.execute(ordered).all()
    for row in connection.execute(select(*outbox.c).where(outbox.c.topic.in_(topics))):
        by = topics[row.topic]
        if row.message == READ_BACK:
            # The outbox does not say who ordered a code: the last one to have done so before it was written.
            before = bisect_right(orders, row.created_at, key=lambda order: order.at)
            by = orders[before - 1].actor if before else _STAFF
        masked = {f"{'email' if row.kind == 'email' else 'mobile'}_masked": masking.recipient(row.kind, row.recipient)}
        kind = "mail" if row.kind == "email" else "sms"
        if row.state == "sent":
            yield Event(row.sent_at, f"{kind}_sent", "ok", masked, by)
        elif row.state in ("given_up", "expired"):
            yield Event(row.due_at, f"{kind}_failed", "bad", masked, by)
        elif row.state not in ENDED:
            yield Event(row.created_at, f"{kind}_waiting", "wait", masked, by)


def _deeds(
    connection: Connection, kutid: str, names: dict[str, str], events_of: Collection[str] | None
) -> Iterator[Event]:
    trail = audit.c
    mine = select(*trail).where(trail.kutid == kutid, trail.action.in_(_DEEDS)).order_by(trail.id.desc())
    if events_of is not None:  # before the newest are taken
        mine = mine.where(trail.actor.in_(events_of))
    for row in connection.execute(mine.limit(_MOST_EVENTS)):
        facts: dict[str, Any] = {"staff": names.get(row.actor, row.actor), **row.facts}
        tone = "bad" if row.action in _BAD else "told"
        what = _DEEDS[row.action] if row.actor != "system" else f"{_DEEDS[row.action]}_by_itself"
        yield Event(row.at, what, tone, facts, row.actor)
