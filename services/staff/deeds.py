"""What staff do with a customer: each deed is one transaction with its audit row. Refused deeds are recorded too."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from services import audit
from services.base import Base
from services.refusal import Denial, Refusal
from services.registrations.assisted import AssistedRegistrations
from services.staff.cases import Case, Cases, record_identification
from services.staff.member import Actor
from services.staff.reasons import refuse_reason


@dataclass(frozen=True)
class Deed:
    """One deed in progress: its transaction, its actor and its customer."""

    connection: Connection
    by: Actor
    case: Case
    now: datetime
    reason: str | None
    identified_by: str | None

    def record(self, action: str) -> None:
        """Write it down in the audit trail, with its reason if it has one."""
        facts = {} if self.reason is None else {"reason": self.reason}
        audit.record(self.connection, action, kutid=self.case.kutid, at=self.now, actor=self.by.actor, **facts)

    def identify(self) -> None:
        """Record how the customer was identified for this deed, if so. Raises Refusal ``identified_by.empty``."""
        if self.identified_by is not None:
            record_identification(self.connection, self.by, self.case, self.identified_by, self.now)


class Deeds:
    """Begins deeds, and notes in the audit trail which of them were refused."""

    def __init__(self, base: Base, cases: Cases, registrations: AssistedRegistrations) -> None:
        self._store = base.store
        self._clock = base.clock
        self._cases = cases
        self._registrations = registrations

    @contextmanager
    def doing(
        self,
        by: Actor,
        case_id: str,
        name: str,
        *,
        reason: str | None = None,
        is_for_supervisors: bool = False,
        identified_by: str | None = None,
        is_step: bool = False,
    ) -> Iterator[Deed]:
        """Yield a deed in its transaction. A refused deed keeps only what it counted, and is noted afterwards.

        `identified_by` is one of `cases.METHODS`, for `Deed.identify`; None means that the customer was identified
        before. `is_step` marks a registration's step: the customer's timeline and the figures show its refusals. Raises
        Refusal ``reason.…``, also ``reason.not_supervisor``, or OutOfTurn when the case is not the actor's or the
        customer was not identified.
        """
        now = self._clock.now()
        try:
            with self._store.write() as connection:
                if is_for_supervisors and not by.is_supervisor:
                    raise Refusal("reason", "not_supervisor")
                if reason is not None:
                    refuse_reason(reason)
                case = self._cases.hold(connection, by, case_id, needs_identification=identified_by is None)
                yield Deed(connection, by, case, now, reason, identified_by)
        except Denial as denial:
            if is_step and isinstance(denial, Refusal):
                self._count_refused(by, case_id, denial)
            else:
                self._cases.note_denied(by, name, denial, case_id)
            raise

    def _count_refused(self, by: Actor, case_id: str, refusal: Refusal) -> None:
        now = self._clock.now()
        with self._store.write() as connection:
            case = self._cases.hold(connection, by, case_id, needs_identification=False)
            self._registrations.count_refused(by.actor, refusal)
            audit.record(connection, "refused", kutid=case.kutid, at=now, actor=by.actor, what=str(refusal))
