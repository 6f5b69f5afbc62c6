"""A supervisor lets more text messages leave than the month's budget allows."""

from services import audit
from services.base import Base
from services.messages.sms_budget import SmsBudget
from services.refusal import OutOfTurn, Refusal
from services.staff.member import StaffSession
from services.staff.reasons import refuse_reason

MOST = 1_000_000


class SmsReleases:
    """The verb of releasing text messages that were stopped."""

    def __init__(self, base: Base, sms_budget: SmsBudget) -> None:
        self._store = base.store
        self._clock = base.clock
        self._postage = sms_budget

    def release(self, session: StaffSession, parts: int | None, reason: str, *, seen: int) -> None:
        """Allow `parts` more segments of text messages this month; they need not have been stopped yet.

        `seen` is how much had been allowed besides the budget when the form was made: of two clicks one counts.
        Raises Refusal ``more.malformed`` or ``reason.…``, among them ``not_supervisor``, or OutOfTurn.
        """
        if not session.member.is_supervisor:
            raise Refusal("reason", "not_supervisor")
        if not self._postage.has_budget:
            raise OutOfTurn
        if parts is None or not 1 <= parts <= MOST:
            raise Refusal("more", "malformed", count=MOST)
        refuse_reason(reason)
        now = self._clock.now()
        with self._store.write() as connection:
            self._postage.allow_more(connection, parts, seen=seen)
            audit.record(
                connection, "sms_released", kutid=None, at=now, actor=session.member.id, more=str(parts), reason=reason
            )
        self._postage.budget()
