"""A customer's timeline: the steps of the registrations, the messages, and what was done with the customer."""

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from services.codes import one_time_codes
from services.codes.sending import READ_BACK
from services.figures.observations import CUSTOMER
from services.registrations.assisted import Progress
from services.store.tables.audit import audit
from services.store.tables.clients import api_keys
from services.store.tables.messages import ENDED, outbox
from services.store.tables.payments import invoices, payments
from services.store.tables.references import reference_codes
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
    "letter_notified": "letter.notified",
    "payment_refunded": "payment.refunded",
    "transfer_assigned": "payment.assigned",
    "letter_withdrawn": "letter.withdrawn",
    "letter_read": "letter.read",
    "staff_password_sent": "letter_password.sent",
    "staff_password_reset": "letter_password.reset",
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
    "letter_password_set": "letter_password.own",
}
"""The actions of the audit trail that the timeline shows, and the text of each, ``staff.event.…``."""
_BAD = ("refused", "ended", "account_ended", "active_account_ended")
_STAFF = "staff"
"""Whose doing an event is where nothing says which of them."""
_MET = {"no_mobile": "no_mobile", "codes_used_up": "codes_used_up"}


@dataclass(frozen=True)
class Event:
    """Something that happened; its text is ``staff.event.<what>``, filled with `facts`. `tone` repeats what it says."""

    at: datetime
    what: str
    tone: str = "told"
    facts: dict[str, str] = field(default_factory=dict)
    by: str = CUSTOMER
    """Whose doing it is, as the audit trail knows them."""


class Timeline:
    """Reads one customer's events in a caller's transaction."""

    def __init__(
        self, connection: Connection, kutid: str, account: Row[Any] | None, registrations: list[Progress]
    ) -> None:
        self._connection = connection
        self._kutid = kutid
        self._account = account
        self._registrations = registrations

    def events(self, now: datetime, of: Collection[str] | None = None) -> list[Event]:
        """Return the newest events first: the doings of these actors, as the audit trail knows them, or everybody's."""
        found = (*self._steps(now), *self._messages(), *self._deeds(of), *self._dead_ends(), *self._too_much())
        chosen = [event for event in found if of is None or event.by in of]
        return sorted(chosen, key=lambda event: event.at, reverse=True)[:_MOST_EVENTS]

    @cached_property
    def _names(self) -> dict[str, str]:
        """The names of members of staff and of clients of the API, by their ids."""
        both = (select(table.c.id, table.c.name) for table in (staff, api_keys))
        return {row.id: row.name for query in both for row in self._connection.execute(query)}

    def _steps(self, now: datetime) -> Iterator[Event]:
        for one in self._registrations:
            is_complete = self._account is not None and self._account.registration_id == one.id
            yield from _steps_of(one, self._names.get(one.begun_by, one.begun_by), now, is_complete=is_complete)
        if self._account is not None:
            yield Event(self._account.created_at, "completed", "ok")

    def _messages(self) -> Iterator[Event]:
        """Yield what became of the messages."""
        topics, orders = self._topics(), self._orders()
        for row in self._connection.execute(select(*outbox.c).where(outbox.c.topic.in_(topics))):
            by = topics[row.topic]
            if row.message == READ_BACK:
                # The outbox does not say who ordered a code: the last one to have done so before it was written.
                before = bisect_right(orders, row.created_at, key=lambda order: order.at)
                by = orders[before - 1].actor if before else _STAFF
            yield from _message(row, by)

    def _topics(self) -> dict[str, str]:
        """Return the topics of the customer's messages, and whose doing each is."""
        topics = {one_time_codes.topic(self._kutid): CUSTOMER}
        topics |= {f"confirm:{one.id}": one.begun_by for one in self._registrations}
        if self._account is not None:
            topics |= {f"reset:{self._account.id}": CUSTOMER, f"activation:{self._account.id}": CUSTOMER}
        links = select(invitations.c.link_id).where(invitations.c.kutid == self._kutid)
        return topics | {f"invitation:{link}": _STAFF for link in self._connection.execute(links).scalars()}

    def _orders(self) -> Sequence[Any]:
        """Return when codes were ordered, and by whom."""
        ordered = select(audit.c.at, audit.c.actor).where(audit.c.kutid == self._kutid, audit.c.action == "code_sent")
        return self._connection.execute(ordered.order_by(audit.c.id)).all()

    def _deeds(self, of: Collection[str] | None) -> Iterator[Event]:
        mine = select(*audit.c).where(audit.c.kutid == self._kutid, audit.c.action.in_(_DEEDS))
        if of is not None:  # before the newest are taken
            mine = mine.where(audit.c.actor.in_(of))
        for row in self._connection.execute(mine.order_by(audit.c.id.desc()).limit(_MOST_EVENTS)):
            facts: dict[str, Any] = {"staff": self._names.get(row.actor, row.actor), **row.facts}
            tone = "bad" if row.action in _BAD else "told"
            what = _DEEDS[row.action] if row.actor != "system" else f"{_DEEDS[row.action]}_by_itself"
            yield Event(row.at, what, tone, facts, row.actor)

    def _too_much(self) -> Iterator[Event]:
        """Yield the money that came in for what was paid already (P50)."""
        came_in = select(payments.c.doubled_at, payments.c.refunded_at, invoices.c.number)
        mine = came_in.join(invoices, invoices.c.id == payments.c.invoice_id).where(invoices.c.kutid == self._kutid)
        for row in self._connection.execute(mine.where(payments.c.doubled_at.is_not(None))):
            tone = "bad" if row.refunded_at is None else "told"
            yield Event(row.doubled_at, "payment.doubled", tone, {"invoice": row.number})

    def _dead_ends(self) -> Iterator[Event]:
        met, ids = reference_codes.c, [one.id for one in self._registrations]
        mine = select(*met).where(or_(met.kutid == self._kutid, met.registration_id.in_(ids)), met.kind.in_(_MET))
        for row in self._connection.execute(mine):
            yield Event(row.created_at, _MET[row.kind], "bad", {"reference": row.code})


def _steps_of(one: Progress, beginner: str, now: datetime, *, is_complete: bool) -> Iterator[Event]:
    yield Event(one.created_at, "started", facts={"by": beginner}, by=one.begun_by)
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


def _message(row: Row[Any], by: str) -> Iterator[Event]:
    masked = {f"{'email' if row.kind == 'email' else 'mobile'}_masked": masking.recipient(row.kind, row.recipient)}
    kind = "mail" if row.kind == "email" else "sms"
    if row.state == "sent":
        yield Event(row.sent_at, f"{kind}_sent", "ok", masked, by)
    elif row.state in ("given_up", "expired"):
        yield Event(row.due_at, f"{kind}_failed", "bad", masked, by)
    elif row.state not in ENDED:
        yield Event(row.created_at, f"{kind}_waiting", "wait", masked, by)
