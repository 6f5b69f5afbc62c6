"""Erases what is over: each kind of data after its time, a little at a time, beside whatever else goes on.

(GDPR, article 5 (1) e.) What an account holds stays as long as the account; what is written here is what leads to one,
what is left of a visit, and what was sent.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Date, and_, case, delete, exists, func, or_, select, update

from services import audit
from services.accounts.closing import erase
from services.base import Base
from services.crash_points import reach
from services.limits.allowances import Allowances
from services.messages.outbox import ENDED, Outbox
from services.profiles import Profile
from services.store.tables.accounts import account_changes, accounts, activations, password_resets, sessions
from services.store.tables.audit import audit as audit_table
from services.store.tables.clients import api_answers
from services.store.tables.codes import one_time_codes
from services.store.tables.figures import figures
from services.store.tables.limits import allowances as allowances_table
from services.store.tables.limits import sign_in_tries
from services.store.tables.messages import demo_messages, message_figures, outbox, sms_months
from services.store.tables.references import reference_codes
from services.store.tables.register import contact_changes
from services.store.tables.registrations import registrations
from services.store.tables.staff import staff_cases, staff_sessions
from services.store.tables.worklists import batches, invitations, quality_cases
from services.store.version import note_time
from services.worklists.quality import OF_TRIES

_log = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
BATCH = 250
"""So many rows are erased in one transaction: on SQLite all other writers wait for it."""
PAUSE_SECONDS = 0.1
"""Between two transactions, so that those who waited have their turn."""
_LOOK_SECONDS = 20.0
_DAY = timedelta(days=1)

_registrations, _references, _codes = registrations.c, reference_codes.c, one_time_codes.c
_allowances, _tries, _audit = allowances_table.c, sign_in_tries.c, audit_table.c
_resets, _changes, _sessions = password_resets.c, account_changes.c, sessions.c
_cases, _staff_sessions, _learnt = staff_cases.c, staff_sessions.c, contact_changes.c
_answers = api_answers.c
_activations = activations.c
_outbox, _inbox = outbox.c, demo_messages.c
_invitations, _batches, _quality = invitations.c, batches.c, quality_cases.c
_GUARD = "tidy"
"""A key of the allowances: of all processes, one at a time has used it."""


@dataclass(frozen=True)
class Tidied:
    """What was erased of one kind, or would be: `kept_for` says from which age on."""

    kind: str
    kept_for: timedelta
    count: int


@dataclass(frozen=True)
class _Rule:
    """Rows of one kind whose moment is longer ago than `kept_for`.

    With `emptied`, that column alone is erased; with `is_account`, the account that `key` names, and all of it.
    """

    kind: str
    key: Column[Any]
    moment: Column[Any]
    kept_for: timedelta
    only_if: ColumnElement[bool] | None = None
    emptied: Column[Any] | None = None
    is_account: bool = False

    def is_over(self, now: datetime) -> ColumnElement[bool]:
        """Return the condition that a row is to be erased."""
        until = now - self.kept_for
        is_past = self.moment <= (until.date() if isinstance(self.moment.type, Date) else until)
        return is_past if self.only_if is None else and_(is_past, self.only_if)


class Tidying:
    """Erases what the profile's `retention` no longer keeps.

    Every batch is a transaction by itself and decides anew what is over: killed or stopped between any two, the rest
    is erased the next time. It waits for no row that another transaction holds, so it can be in no deadlock. Where
    `may_erase` says no, because the time is in doubt, nothing is.
    """

    def __init__(
        self,
        base: Base,
        allowances: Allowances,
        may_erase: Callable[[], bool] = lambda: True,
    ) -> None:
        self._may_erase = may_erase
        self._store = base.store
        self._clock = base.clock
        self._rules = _rules(base.profile)
        self._allowances = allowances
        self._outbox = Outbox(base)

    def run(self, stop: threading.Event) -> None:
        """Tidy once an hour by the application's clock until `stop` is set; what fails is tried again.

        Each look, and the end, is noted as a moment that has been: see `services.clock`.
        """
        is_over = False
        while not is_over:
            is_over = stop.wait(_LOOK_SECONDS)
            try:
                note_time(self._store, self._clock.now())
                if not is_over:
                    self.tidy_if_due(stop)
            except Exception as error:  # the thread outlives whatever fails, such as an outage of the database
                # Only the class: a database error's text would hold the statement's parameters.
                _log.warning("tidying failed, will be tried again: %s", type(error).__name__)

    def tidy_if_due(self, stop: threading.Event | None = None) -> list[Tidied] | None:
        """Tidy unless any process has begun to within the hour; return what was erased, None if it was not due."""
        now = self._clock.now()
        with self._store.read() as connection:
            until = self._allowances.blocked_until(connection, _GUARD, limit=1, now=now)
        is_absurd = until is not None and until > now + EVERY  # from a clock that was wrong then
        if until is not None and not is_absurd:
            return None
        with self._store.write() as connection:
            if is_absurd:
                self._allowances.give_back(connection, _GUARD)
            if self._allowances.take(connection, _GUARD, limit=1, quiet=EVERY, now=now):
                return None
        reach("retention.begun")
        tidied = self.tidy(stop)
        if erased := [f"{one.count} {one.kind}" for one in tidied if one.count]:
            _log.info("erased %s", ", ".join(erased))
        return tidied

    def tidy(self, stop: threading.Event | None = None) -> list[Tidied]:
        """Erase all that is over, or as much as there is time for until `stop` is set; return what was erased."""
        stop = stop or threading.Event()
        return [Tidied(rule.kind, rule.kept_for, sum(self._erase(rule, stop))) for rule in self._rules]

    def count(self) -> list[Tidied]:
        """Return what would be erased now; changes nothing."""
        now = self._clock.now()
        with self._store.read() as connection:
            return [
                Tidied(
                    rule.kind,
                    rule.kept_for,
                    connection.execute(select(func.count()).where(rule.is_over(now))).scalar_one(),
                )
                for rule in self._rules
            ]

    def last_begun(self) -> datetime | None:
        """Return when `tidy_if_due` last began, None when it never has."""
        with self._store.read() as connection:
            rests_until: datetime | None = connection.execute(
                select(_allowances.ends_at).where(_allowances.key == _GUARD)
            ).scalar()
        return rests_until - EVERY if rests_until else None

    # --- Inside ------------------------------------------------------------------------------------------------

    def _erase(self, rule: _Rule, stop: threading.Event) -> Iterator[int]:
        while not stop.is_set() and self._may_erase():
            found, erased = self._erase_some(rule)
            yield erased
            # Rows that somebody holds at this moment are left for the next time.
            if found < BATCH or not erased:
                return
            stop.wait(PAUSE_SECONDS)

    def _erase_some(self, rule: _Rule) -> tuple[int, int]:
        is_over = rule.is_over(self._clock.now())
        # Looked for without the lock that writers on SQLite share, and looked at again with it.
        with self._store.read() as connection:
            keys = connection.execute(select(rule.key).where(is_over).limit(BATCH)).scalars().all()
        if not keys:
            return 0, 0
        if rule.is_account:
            return len(keys), sum(self._end_account(key, is_over) for key in keys)
        # As a CASE it cannot be searched for: the rows are found by their keys, not by an index of all that is over.
        is_still_over = case((is_over, 1), else_=0) == 1
        found = select(rule.key).where(rule.key.in_(keys), is_still_over).with_for_update(skip_locked=True)
        table = rule.key.table
        erase = delete(table) if rule.emptied is None else update(table).values({rule.emptied: None})
        with self._store.write() as connection:
            erased = connection.execute(erase.where(rule.key.in_(found))).rowcount
            reach(f"retention.erasing.{rule.kind}")
        reach(f"retention.erased.{rule.kind}")
        return len(keys), erased

    def _end_account(self, account_id: str, is_over: ColumnElement[bool]) -> int:
        """End an account whose activation is over, unless it is activated, or given a new code, at this moment."""
        account, waiting = accounts.c, activations
        held = select(account.kutid).where(account.id == account_id).with_for_update(skip_locked=True)
        ended = delete(waiting).where(_activations.account_id == account_id, is_over).returning(_activations.account_id)
        with self._store.write() as connection:
            # Its row first, as by all who change an account; only then is it certain that nobody gives the code.
            kutid = connection.execute(held).scalar()
            if kutid is None or connection.execute(ended).first() is None:
                return 0
            erase(connection, self._outbox, account_id, kutid)
            audit.record(connection, "account_ended", kutid=kutid, at=self._clock.now(), actor="system")
        return 1


def _rules(profile: Profile) -> tuple[_Rule, ...]:
    kept = profile.retention
    return (
        # Complete or not: what is needed of a complete one stands in the account.
        _Rule("registrations", _registrations.id, _registrations.expires_at, kept.registrations),
        _Rule("reference_codes", _references.code, _references.created_at, kept.registrations),
        # No registration that could still show its code began after the budget did.
        _Rule("one_time_codes", _codes.kutid, _codes.budget_ends_at, max(_DAY, profile.registration.longest)),
        _Rule(
            "unactivated_accounts", _activations.account_id, _activations.mailed_at, kept.unactivated, is_account=True,
        ),
        # A day after their end, so that machines whose clocks differ agree that they are over.
        _Rule("allowances", _allowances.key, _allowances.ends_at, _DAY),
        _Rule("sign_in_tries", _tries.key, _tries.ends_at, _DAY),
        _Rule("password_resets", _resets.account_id, _resets.expires_at, _DAY),
        _Rule("account_changes", _changes.id, _changes.expires_at, _DAY),
        # From the last try on; one that was never tried was due when it was written.
        _Rule("messages", _outbox.id, _outbox.due_at, kept.messages, only_if=_outbox.state.in_(ENDED)),
        _Rule("demo_messages", _inbox.id, _inbox.created_at, kept.messages),
        # From the sign-in on: no session lasts longer than a day (`SignIn.hours`).
        _Rule("sessions", _sessions.id, _sessions.created_at, kept.sessions),
        _Rule(
            "typed_before_sign_in", _sessions.id, _sessions.created_at, _DAY,
            only_if=_sessions.kept.is_not(None), emptied=_sessions.kept,
        ),
        # Whom staff looked at, and what they were about to record: no longer than a registration that comes of it.
        _Rule("staff_cases", _cases.id, _cases.opened_at, kept.registrations),
        _Rule(
            "staff_sessions", _staff_sessions.id, _staff_sessions.created_at, kept.sessions,
            only_if=~exists().where(_cases.session_id == _staff_sessions.id),
        ),
        # Who has declined stays known: a row that is gone would be invited again.
        _Rule(
            "invitations", _invitations.kutid, _invitations.deadline_at, kept.worklists,
            only_if=_invitations.declined_at.is_(None),
        ),
        _Rule(
            "invitation_batches", _batches.id, _batches.created_at, kept.worklists,
            only_if=_batches.ended_at.is_not(None),
        ),
        # A case that is closed and still so keeps its row, or it would open again; what was written about it goes.
        _Rule(
            "quality_cases", _quality.id, _quality.closed_at, kept.worklists,
            only_if=or_(_quality.evidence.is_(None), _quality.kind.in_(OF_TRIES)),
        ),
        _Rule(
            "quality_notes", _quality.id, _quality.closed_at, kept.worklists,
            only_if=_quality.note.is_not(None), emptied=_quality.note,
        ),
        # What the API's clients were answered, so that a repeated request does nothing twice.
        _Rule("api_answers", _answers.id, _answers.begun_at, _DAY),
        # What the register has; an address also where it has none.
        _Rule(
            "contact_changes", _learnt.id, _learnt.at, kept.audit,
            only_if=or_(_learnt.settled_at.is_not(None), _learnt.kind == "email"),
        ),
        _Rule("audit", _audit.id, _audit.at, kept.audit),
        # A day at a time.
        _Rule("figures", figures.c.day, figures.c.day, kept.figures),
        _Rule("message_figures", message_figures.c.day, message_figures.c.day, kept.figures),
        _Rule("sms_months", sms_months.c.month, sms_months.c.month, kept.figures),
    )  # fmt: skip
