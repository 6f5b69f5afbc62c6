"""Cases: one customer in front of one member of staff, and how the customer was identified (M28)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, func, insert, select, true, update

from services import audit, randomness
from services.base import Base
from services.refusal import Denial, OutOfTurn, Refusal
from services.register.conditions import is_advised_by
from services.staff.member import Actor
from services.store.tables.register import customers
from services.store.tables.staff import staff_cases

METHODS = ("call", "branch", "telecode", "callback")
"""How a member of staff may have identified a customer."""
IDENTIFIED_FOR = timedelta(hours=1)
"""A conversation is over after this time: the next call needs a new identification."""
_ANY = true()


@dataclass(frozen=True)
class Case:
    """One customer in front of one member of staff, and what they have recorded together so far."""

    id: str
    kutid: str
    is_identified: bool
    email: str | None
    email_key: str | None
    mobile: str | None
    language: str | None
    confirmed_at: datetime | None
    registration_id: str | None


class Cases:
    """The verbs of identifying a customer; each public method is one transaction, unless it takes a caller's."""

    def __init__(self, base: Base) -> None:
        self._store = base.store
        self._clock = base.clock

    def case(self, by: Actor, case_id: str) -> Case:
        """Return a case of the actor's. Raises OutOfTurn, also when the customer has left the adviser."""
        with self._store.read() as connection:
            return self.hold(connection, by, case_id, needs_identification=False)

    def identify(self, by: Actor, case_id: str, method: str) -> None:
        """Record how the customer was identified; from now on their data are shown.

        Raises Refusal ``identified_by.empty`` or OutOfTurn.
        """
        now = self._clock.now()
        try:
            with self._store.write() as connection:
                case = self.hold(connection, by, case_id, needs_identification=False)
                record_identification(connection, by, case, method, now)
        except Denial as denial:
            self.note_denied(by, "identify", denial, case_id)
            raise

    def hold(self, connection: Connection, by: Actor, case_id: str, *, needs_identification: bool = True) -> Case:
        """Return the case in a caller's transaction.

        Raises OutOfTurn unless the case and the customer are the actor's and the actor may still work.
        """
        now = self._clock.now()
        row = connection.execute(
            select(*staff_cases.c).where(staff_cases.c.id == case_id, belongs_to(by), by.lasts(now)).with_for_update()
        ).first()
        if row is None or not self.is_allowed(connection, by, row.kutid):
            raise OutOfTurn
        is_identified = is_recent(row.identified_at, now)
        if needs_identification and not is_identified:
            raise OutOfTurn
        return Case(
            row.id, row.kutid, is_identified,
            row.email, row.email_key, row.mobile, row.language, row.confirmed_at, row.registration_id,
        )  # fmt: skip

    def read(self, by: Actor, case_id: str) -> Case:
        """Return a case to the program that asks for it, and note each look in the audit trail.

        Raises OutOfTurn like `case`.
        """
        try:
            with self._store.write() as connection:
                case = self.hold(connection, by, case_id, needs_identification=False)
                audit.record(connection, "read", kutid=case.kutid, at=self._clock.now(), actor=by.actor)
        except OutOfTurn as denial:
            self.note_denied(by, "read", denial, case_id)
            raise
        return case

    def note_denied(self, by: Actor, deed: str, denial: Denial, case_id: str | None = None) -> None:
        """Write down that `deed` was refused, and why."""
        with self._store.write() as connection:
            theirs = select(staff_cases.c.kutid).where(staff_cases.c.id == case_id, belongs_to(by))
            kutid = connection.execute(theirs).scalar()
            facts = {"deed": deed, "what": str(denial)}
            audit.record(connection, "denied", kutid=kutid, at=self._clock.now(), actor=by.actor, **facts)

    def begin(
        self, connection: Connection, by: Actor, kutid: str, now: datetime, only_if: ColumnElement[bool] = _ANY
    ) -> str:
        """Return the customer's open case, or a new one, in a caller's transaction."""
        # An open case for this customer is continued: opening the page again is no second look.
        going_on = (
            select(staff_cases.c.id)
            .where(belongs_to(by), staff_cases.c.kutid == kutid, only_if)
            .where(func.coalesce(staff_cases.c.identified_at, staff_cases.c.opened_at) > now - IDENTIFIED_FOR)
            .order_by(staff_cases.c.opened_at.desc())
            .limit(1)
        )
        case_id: str | None = connection.execute(going_on).scalar()
        if case_id is None:
            case_id = randomness.opaque_id()
            connection.execute(insert(staff_cases).values(id=case_id, **by.owner, kutid=kutid, opened_at=now))
            audit.record(connection, "viewed", kutid=kutid, at=now, actor=by.actor)
        return case_id

    def is_allowed(self, connection: Connection, by: Actor, kutid: str) -> bool:
        """Tell whether the actor may work with the customer."""
        found = select(customers.c.kutid).where(customers.c.kutid == kutid, is_theirs(by))
        return connection.execute(found).first() is not None


def record_identification(connection: Connection, by: Actor, case: Case, method: str, now: datetime) -> None:
    """Record the identification in the transaction of the deed that needed it.

    Raises Refusal ``identified_by.empty`` when `method` is none of `METHODS`.
    """
    if method not in METHODS:
        raise Refusal("identified_by", "empty")
    connection.execute(
        update(staff_cases).where(staff_cases.c.id == case.id).values(identified_by=method, identified_at=now)
    )
    audit.record(connection, "identified", kutid=case.kutid, at=now, actor=by.actor, method=method)


def is_theirs(by: Actor) -> ColumnElement[bool]:
    """Return the condition that the actor may work with a customer: an adviser only with their own."""
    if by.adviser is None:
        return true()
    return is_advised_by(customers.c.kutid, by.adviser)


def is_recent(identified_at: datetime | None, now: datetime) -> bool:
    """Tell whether an identification still holds."""
    return identified_at is not None and identified_at > now - IDENTIFIED_FOR


def belongs_to(by: Actor) -> ColumnElement[bool]:
    """Return the condition that a case is the actor's."""
    return and_(*(staff_cases.c[column] == value for column, value in by.owner.items()))
