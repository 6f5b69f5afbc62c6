"""One-time codes: sent by SMS, tried a few times, paid for from one budget a customer (M21, M22)."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    RowMapping,
    and_,
    bindparam,
    case,
    or_,
    select,
    true,
    update,
)

from services import randomness
from services.profiles import OneTimeCode as Rules
from services.refusal import DeadEnd, Denial, Refusal
from services.store.statements import insert_in
from services.store.tables.codes import TOPIC
from services.store.tables.codes import one_time_codes as table


def topic(kutid: str) -> str:
    """Return the topic of the messages that bring a customer's codes: a newer one replaces those that wait."""
    return f"{TOPIC}{kutid}"


def whose(topic: str) -> str | None:
    """Return the customer whose code a message of this topic brings, or None if it brings none."""
    return topic.removeprefix(TOPIC) if topic.startswith(TOPIC) else None


@dataclass(frozen=True)
class CodeState:
    """What a customer may know of the code last sent to them."""

    mobile: str
    issued_at: datetime
    expires_at: datetime
    tries_left: int
    codes_of_budget: int
    codes_used: int
    again_at: datetime
    budget_ends_at: datetime
    is_undelivered: bool
    is_budget_spent: bool
    is_elsewhere: bool = False
    """Whether it was asked for elsewhere, or has been used: only when there can be another one is of interest."""

    def elsewhere(self) -> "CodeState":
        """Return the state of this code in the eyes of those for whom it opens nothing."""
        return replace(self, tries_left=0, is_undelivered=False, is_elsewhere=True)

    def is_usable(self, now: datetime) -> bool:
        """Tell whether this code can still be typed in."""
        return self.tries_left > 0 and self.expires_at > now and not self.is_budget_spent

    def codes_left(self, now: datetime) -> int:
        """Return how many codes can still be asked for: where the budget is over, those of the next."""
        return max(self.codes_of_budget - (self.codes_used if self.budget_ends_at > now else 0), 0)

    def is_dead_end(self, now: datetime) -> bool:
        """Tell whether there is neither a code to type in nor a new one to ask for (M22)."""
        if self.budget_ends_at <= now:
            return False
        return self.is_budget_spent or (self.codes_left(now) == 0 and not self.is_usable(now))


@dataclass(frozen=True)
class Issued:
    """A code that was made just now; `code` goes into the message and nowhere else."""

    code: str
    is_first: bool
    state: CodeState


class CodeGenerator:
    """Makes codes and recognises them: keyed hashes are kept, of the whole code and of the part that is typed."""

    def __init__(self, rules: Rules, keys: tuple[str, ...]) -> None:
        self._rules = rules
        self._keys = [key.encode() for key in keys]

    def new(self) -> tuple[str, dict[str, str | None]]:
        """Return a new code, and the columns by which it is recognised."""
        code, serial = randomness.digits(self._rules.length), randomness.opaque_id()
        tail = self._mac(self._keys[0], serial, code[-self._rules.typed :]) if self._rules.takes_tail else None
        return code, {"serial": serial, "code_mac": self._mac(self._keys[0], serial, code), "tail_mac": tail}

    def fits(self, code: str, row: Row[Any]) -> bool:
        """Tell whether `code` is the one that `row` keeps, or its last characters where those are enough."""
        kept = row.code_mac if len(code) == self._rules.length else row.tail_mac or ""
        return any(hmac.compare_digest(self._mac(key, row.serial, code), kept) for key in self._keys)

    @staticmethod
    def _mac(key: bytes, serial: str, code: str) -> str:
        return hmac.new(key, f"code:{serial}:{code}".encode(), hashlib.sha256).hexdigest()


class OneTimeCodes:
    """Makes and checks codes.

    Each customer has one row: a new code replaces the older one, whatever browser or registration asked,
    and codes and guesses are counted over the budget's time, so that starting again gives no new guesses. That time
    starts again with each of them: counted from the first alone, two budgets could follow within minutes.
    """

    def __init__(self, rules: Rules, keys: tuple[str, ...], is_paused: Callable[[], bool] = lambda: False) -> None:
        """`is_paused` tells, without asking the database, whether text messages are stopped."""
        self._rules = rules
        self._code_generator = CodeGenerator(rules, keys)
        self.is_paused = is_paused

    def issue(self, connection: Connection, *, kutid: str, registration_id: str, mobile: str,
              now: datetime, ends_at: datetime) -> Issued:  # fmt: skip
        """Make a new code for `mobile`, dead at `ends_at` at the latest.

        One statement decides, so of requests at once only one makes a code. Raises Refusal ``sms.paused`` or
        ``sms_resend.too_early``, or DeadEnd ``codes_used_up``.
        """
        if self.is_paused():
            raise Refusal("sms", "paused")  # before anything of the customer's allowance is spent
        code, seal = self._code_generator.new()
        fresh = {
            **seal,
            "registration_id": registration_id,
            "mobile": mobile,
            "issued_at": now,
            "expires_at": min(now + self._rules.lifetime, ends_at),
            "tries_left": self._rules.tries,
            "is_undelivered": False,
        }
        budget = {"codes_used": 1, "guesses_used": 0, "budget_ends_at": now + self._rules.budget}
        limits = {"again_before": now - self._rules.again, "codes": self._rules.codes, "guesses": self._rules.guesses}
        issue = _issuing(connection.dialect.name)
        row = connection.execute(issue, {"kutid": kutid, **fresh, **budget, **limits}).first()
        if row is None:
            raise self._why_not(connection, kutid, now)
        return Issued(code, row.codes_used == 1, self.state(row._mapping))

    def redeem(
        self,
        connection: Connection,
        code: str,
        *,
        registration_id: str,
        now: datetime,
        only_if: ColumnElement[bool],
        values: Mapping[str, Any] | None = None,
    ) -> bool:
        """Count one try and tell whether `code` is the one sent last for this registration.

        The try is counted by one conditional statement before the comparison: of guesses at once at most
        those left are looked at. Nothing is counted unless `only_if` holds, a condition that is built once, with
        `values` for its bind parameters.

        Raises Refusal ``sms_code.expired``, ``sms_code.none_sent`` or ``sms_code.wrong`` (with no tries), or DeadEnd
        ``codes_used_up``, when nothing was left to try.
        """
        asked = {
            "of_registration": registration_id,
            "now": now,
            "guesses": self._rules.guesses,
            "counts_until": now + self._rules.budget,
            **(values or {}),
        }
        row = connection.execute(_trying(only_if), asked).first()
        if row is None:
            raise self._nothing_to_try(connection, registration_id, now)
        return self._code_generator.fits(code, row)

    def check(self, connection: Connection, code: str, *, kutid: str, registration_id: str, now: datetime) -> None:
        """Count one try; return if `code` is right.

        Raises as `redeem`, and for a wrong code Refusal ``sms_code.wrong`` with `tries` or DeadEnd ``codes_used_up``.
        """
        if self.redeem(connection, code, registration_id=registration_id, now=now, only_if=true()):
            return
        state = self.sent_for(connection, kutid, registration_id)
        if state is None or state.is_dead_end(now):
            again_at = state.budget_ends_at if state else now
            raise DeadEnd("codes_used_up", kutid=kutid, again_at=again_at).counted()
        raise Refusal("sms_code", "wrong", tries=state.tries_left).counted()

    def sent_for(self, connection: Connection, kutid: str, registration_id: str) -> CodeState | None:
        """Return what may be known of the code that was sent last, if it was for this registration, case or change."""
        own = select(table).where(table.c.kutid == kutid, table.c.registration_id == registration_id)
        row = connection.execute(own).first()
        return self.state(row._mapping) if row else None

    def hand_over(
        self,
        connection: Connection,
        *,
        kutid: str,
        registration_id: str,
        mobile: str,
        only_if: ColumnElement[bool],
        values: Mapping[str, Any],
    ) -> CodeState | None:
        """Let the code that was sent to this customer's `mobile` just now count for another registration of theirs.

        So that whoever begins twice, or whose browser repeats the request, can use the code in their hands. `only_if`,
        with `values`, says that it is theirs and unused (ASVS 6.6.2). Returns how the newest code stands for them.
        """
        own = update(table).where(table.c.kutid == kutid, table.c.mobile == mobile, only_if)
        handed = own.values(registration_id=registration_id).returning(*table.c)
        row = connection.execute(handed, dict(values)).first()
        if row is not None:
            return self.state(row._mapping)
        others = connection.execute(select(table).where(table.c.kutid == kutid)).first()
        return self.state(others._mapping).elsewhere() if others else None

    def give_back(self, connection: Connection, kutid: str, *, may_have_arrived: bool = False) -> None:
        """The customer's newest code was not delivered, as far as is known: a new one can be asked for at once.

        It does not count if it certainly never left. One that may have arrived does: else a gateway that takes messages
        and breaks off would send without end (at most 9 SMS per customer and hour).
        """
        given_back = 0 if may_have_arrived else 1
        connection.execute(
            update(table)
            .where(table.c.kutid == kutid, ~table.c.is_undelivered)
            .values(is_undelivered=True, codes_used=table.c.codes_used - given_back)
        )

    def uncount(self, connection: Connection, kutid: str) -> CodeState:
        """The code before the newest one never left, so it does not count; return how the newest one stands then."""
        uncounted = update(table).where(table.c.kutid == kutid).values(codes_used=table.c.codes_used - 1)
        return self.state(connection.execute(uncounted.returning(*table.c)).one()._mapping)

    def spend(self, connection: Connection, kutid: str, now: datetime) -> None:
        """The customer's newest code has done its work for staff: it opens nothing more, and the next need not wait."""
        used = {"tries_left": 0, "expires_at": now, "issued_at": now - self._rules.again}
        connection.execute(update(table).where(table.c.kutid == kutid).values(used))

    def renew_budget(self, connection: Connection, kutid: str, now: datetime) -> bool:
        """End the time of the customer's budget, so that a new one begins with the next code; tell if one was open."""
        ended = update(table).where(table.c.kutid == kutid, table.c.budget_ends_at > now).values(budget_ends_at=now)
        return connection.execute(ended.returning(table.c.kutid)).first() is not None

    def state(self, row: RowMapping) -> CodeState:
        """Return what the customer may know of a row of the table."""
        c = table.c
        return CodeState(
            mobile=row[c.mobile],
            issued_at=row[c.issued_at],
            expires_at=row[c.expires_at],
            tries_left=row[c.tries_left],
            codes_of_budget=self._rules.codes,
            codes_used=row[c.codes_used],
            again_at=row[c.issued_at] + (timedelta() if row[c.is_undelivered] else self._rules.again),
            budget_ends_at=row[c.budget_ends_at],
            is_undelivered=row[c.is_undelivered],
            is_budget_spent=row[c.guesses_used] >= self._rules.guesses,
        )

    def _why_not(self, connection: Connection, kutid: str, now: datetime) -> Denial:
        state = self.state(connection.execute(select(table).where(table.c.kutid == kutid)).mappings().one())
        if state.budget_ends_at > now and (state.is_budget_spent or state.codes_left(now) == 0):
            return DeadEnd("codes_used_up", kutid=kutid, again_at=state.budget_ends_at)
        return Refusal("sms_resend", "too_early", seconds=_seconds(state.again_at, now))

    def _nothing_to_try(self, connection: Connection, registration_id: str, now: datetime) -> Denial:
        row = connection.execute(select(table).where(table.c.registration_id == registration_id)).first()
        if row is None:
            return Refusal("sms_code", "none_sent")
        state = self.state(row._mapping)
        if state.is_dead_end(now):
            return DeadEnd("codes_used_up", again_at=state.budget_ends_at)
        if state.expires_at <= now:
            return Refusal("sms_code", "expired", at=state.expires_at)
        return Refusal("sms_code", "wrong", tries=0)


# Statements that every registration runs are built once: that costs more than running them.
_guesses = bindparam("guesses", type_=Integer)


@cache
def _issuing(dialect: str) -> Any:
    issue = insert_in(dialect, table)
    new = issue.excluded
    is_over = table.c.budget_ends_at <= new.issued_at
    is_left = and_(table.c.codes_used < bindparam("codes", type_=Integer), table.c.guesses_used < _guesses)
    may_again = table.c.issued_at <= bindparam("again_before", type_=table.c.issued_at.type)
    return issue.on_conflict_do_update(
        index_elements=[table.c.kutid],
        set_={
            **{column.name: new[column.name] for column in table.c if not column.primary_key},
            "codes_used": case((is_over, new.codes_used), else_=table.c.codes_used + 1),
            "guesses_used": case((is_over, new.guesses_used), else_=table.c.guesses_used),
            "budget_ends_at": _later(new.budget_ends_at),  # a clock that steps back shortens nothing
        },
        where=and_(or_(may_again, table.c.is_undelivered), or_(is_over, is_left)),
    ).returning(*table.c)


def _later(moment: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the later of a moment and the budget's end."""
    return case((table.c.budget_ends_at > moment, table.c.budget_ends_at), else_=moment)


@cache
def _trying(only_if: ColumnElement[bool]) -> Any:
    now = bindparam("now", type_=table.c.expires_at.type)
    counts_until = bindparam("counts_until", type_=table.c.budget_ends_at.type)
    # A budget that staff have ended stays at its end, though the last code of it can still be tried.
    ends_at = case((table.c.budget_ends_at > now, _later(counts_until)), else_=table.c.budget_ends_at)
    return (
        update(table)
        .where(
            table.c.registration_id == bindparam("of_registration"),
            table.c.tries_left > 0,
            table.c.expires_at > now,
            table.c.guesses_used < _guesses,
            only_if,
        )
        .values(tries_left=table.c.tries_left - 1, guesses_used=table.c.guesses_used + 1, budget_ends_at=ends_at)
        .returning(table.c.serial, table.c.code_mac, table.c.tail_mac)
    )


def _seconds(until: datetime, now: datetime) -> int:
    return max(1, -int(-(until - now).total_seconds() // 1))
