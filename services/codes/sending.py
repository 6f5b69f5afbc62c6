"""Sends one-time codes by SMS, within what a customer, a number and an asker may use up."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from services.codes import one_time_codes
from services.codes.one_time_codes import CodeState, Issued, OneTimeCodes
from services.crash_points import reach
from services.limits.allowances import Allowances
from services.messages.outbox import Outbox
from services.profiles import OneTimeCode as Rules
from services.refusal import DeadEnd, Refusal

READ_BACK = "read_back"
"""The message of a code that the customer reads back to staff."""


@dataclass(frozen=True)
class CodeOrder:
    """A code's customer, its recipient, and the registration or change that it confirms."""

    kutid: str
    registration_id: str
    """Of the registration, the case or the change that the code belongs to."""
    mobile: str
    language: str
    ends_at: datetime
    """When the code is dead at the latest."""
    message: str = "code"
    is_on_record: bool = False
    """Whether the insurer has the number on record, so that the customer's own allowance is limit enough."""
    by: str | None = None
    """The member of staff, or the client of the API, who asked."""


class CodeSender:
    """Makes codes and puts them into the outbox.

    A customer's own allowance does not see an asker who goes through many customers: whoever works with all of them
    could flood one number, or use up the month's text messages. So numbers that need not be on record, and those who
    ask for others, have allowances of their own.
    """

    def __init__(self, rules: Rules, codes: OneTimeCodes, allowances: Allowances, outbox: Outbox) -> None:
        self._rules = rules
        self._codes = codes
        self._allowances = allowances
        self._outbox = outbox

    def send(
        self, connection: Connection, order: CodeOrder, now: datetime, *, last: CodeState | None = None
    ) -> CodeState:
        """Send a new code, from the customer's one budget; the older one dies, and does not count if it has not left.

        In place of `last`, sent to the same number, one that did not reach it is not counted again for it and the asker
        (M21). Raises as `OneTimeCodes.issue`, or Refusal ``mobile.too_many`` or ``sms.share_used``.
        """
        issued, has_not_left = self._make(connection, order, last, now)
        reach("codes.texting")
        self._outbox.put(
            connection,
            kind="sms",
            recipient=order.mobile,
            message=order.message,
            language=order.language,
            topic=one_time_codes.topic(order.kutid),
            expires_at=issued.state.expires_at,
            facts={"code": issued.code},
        )
        is_instead = last is not None and (has_not_left or last.is_undelivered)
        if not (order.is_on_record or is_instead):
            self._count(connection, order, now)
        return issued.state

    def send_again(self, connection: Connection, order: CodeOrder, last: CodeState | None, now: datetime) -> CodeState:
        """Send a new code for which `last` was sent before.

        Raises as `send`, or Refusal ``sms_resend.used_up`` while the last code of the budget is still good.
        """
        if last and last.is_usable(now) and last.codes_left(now) == 0:
            # A second click on the button of the last code must not look like the end.
            raise Refusal("sms_resend", "used_up", at=last.expires_at)
        return self.send(connection, order, now, last=last)

    def _make(
        self, connection: Connection, order: CodeOrder, last: CodeState | None, now: datetime
    ) -> tuple[Issued, bool]:
        """Make a code in place of an older one; tell whether that one had not left the outbox."""
        topic = one_time_codes.topic(order.kutid)
        # What waits is looked up only after another code was made: most are a customer's first.
        try:
            issued = self._issue(connection, order, now)
        except (Refusal, DeadEnd):
            # The owner of the waiting code may replace it at once; another registration would take it away.
            is_own = self._codes.sent_for(connection, order.kutid, order.registration_id) is not None
            if not (is_own and self._outbox.replace(connection, topic)):
                raise
            self._codes.give_back(connection, order.kutid)
            return self._issue(connection, order, now), True
        # Beside the first code of a budget that staff have renewed an older one may still wait.
        if issued.is_first and last is None and order.is_on_record:
            return issued, False
        has_not_left = self._outbox.replace(connection, topic)
        if has_not_left and not issued.is_first:
            issued = replace(issued, state=self._codes.uncount(connection, order.kutid))
        return issued, has_not_left

    def _issue(self, connection: Connection, order: CodeOrder, now: datetime) -> Issued:
        return self._codes.issue(
            connection,
            kutid=order.kutid,
            registration_id=order.registration_id,
            mobile=order.mobile,
            now=now,
            ends_at=order.ends_at,
        )

    def _count(self, connection: Connection, order: CodeOrder, now: datetime) -> None:
        blocked_until = self._allowances.take_within(
            connection, "code", order.mobile, limit=self._rules.an_hour_to_a_number, window=timedelta(hours=1), now=now
        )
        if blocked_until:
            raise Refusal("mobile", "too_many", at=blocked_until)
        if order.by is None:
            return
        asker, a_day = self._allowances.key("codes by", order.by), timedelta(days=1)
        blocked_until = self._allowances.take_of_window(
            connection, asker, limit=self._rules.a_day_by_one, window=a_day, now=now
        )
        if blocked_until:
            raise Refusal("sms", "share_used", at=blocked_until)
