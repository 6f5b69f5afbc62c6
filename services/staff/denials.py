"""What staff asked for and were refused, on record."""

from collections.abc import Iterator
from contextlib import contextmanager

from services import audit
from services.base import Base
from services.refusal import DeadEnd, OutOfTurn, Refusal
from services.registrations.assisted import AssistedRegistrations
from services.staff.cases import Cases
from services.staff.member import Actor


class Denials:
    """Notes refusals of staff's verbs in the audit trail."""

    def __init__(self, base: Base, cases: Cases, registrations: AssistedRegistrations) -> None:
        self._store = base.store
        self._clock = base.clock
        self._cases = cases
        self._registrations = registrations

    @contextmanager
    def noting(self, by: Actor, case_id: str, deed: str, *, is_step: bool = False) -> Iterator[None]:
        """Note what was refused, after its transaction: that left nothing else behind than what it counted.

        Refusals in a step of a registration stand in the customer's timeline and in the figures.
        """
        try:
            yield
        except Refusal as refusal:
            if is_step:
                now = self._clock.now()
                with self._store.write() as connection:
                    case = self._cases.hold(connection, by, case_id, needs_identification=False)
                    self._registrations.count_refused(by.actor, refusal)
                    what = f"{refusal.field}.{refusal.reason}"
                    audit.record(connection, "refused", kutid=case.kutid, at=now, actor=by.actor, what=what)
            else:
                self._cases.note_denied(by, deed, f"{refusal.field}.{refusal.reason}", case_id)
            raise
        except DeadEnd as dead_end:
            self._cases.note_denied(by, deed, dead_end.kind, case_id)
            raise
        except OutOfTurn:
            self._cases.note_denied(by, deed, "out_of_turn", case_id)
            raise
