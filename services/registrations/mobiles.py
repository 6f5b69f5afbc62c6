"""The mobile of a registration, and the code that proves it."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, exists, literal

from services.base import Base
from services.codes.group import CodeServices
from services.limits.allowances import Allowances, is_spent
from services.refusal import DeadEnd, Denial, Refusal
from services.register.conditions import has_mobile
from services.registrations.code_orders import code_order
from services.registrations.registration import MOBILE_CONFIRMED, Access, Registration
from services.registrations.rows import IS_CODE_UNUSED, IS_UNPROVED_HERE, Rows, binds, why_not
from services.store.tables.codes import one_time_codes
from services.store.tables.registrations import registrations

_NUMBER = bindparam("new_number", type_=registrations.c.mobile.type)
_IS_ON_RECORD = has_mobile(registrations.c.kutid, _NUMBER)
_NUMBERS = "numbers not on record "
"""With the customer's id, the key of the allowance of them: no keyed hash, which a condition could not make."""
_MAY_GIVE_NUMBER = ~is_spent(literal(_NUMBERS) + registrations.c.kutid)
_IS_ANOTHER = registrations.c.mobile.is_distinct_from(_NUMBER)
_code = one_time_codes.c
_HAS_UNUSED_CODE = exists().where(_code.registration_id == registrations.c.id, IS_CODE_UNUSED).correlate(registrations)


class MobileSteps:
    """Takes a mobile and checks its codes. Each public method is one transaction, with the message it causes."""

    def __init__(self, base: Base, rows: Rows, *, codes: CodeServices, allowances: Allowances) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._rows = rows
        self._codes = codes.one_time_codes
        self._code_sender = codes.sender
        self._allowances = allowances
        may_try = exists().where(IS_CODE_UNUSED, IS_UNPROVED_HERE, *rows.conditions(MOBILE_CONFIRMED))
        self._may_try = may_try.correlate(one_time_codes)

    def choose_mobile(self, access: Access, mobile: str) -> Registration:
        """Take a mobile that the register holds for this customer and send a code to it (M20, M21).

        The same number again within the wait changes nothing. After a few numbers that are not on record, none is
        looked up for a while: the answers would show which numbers are. Raises Refusal ``mobile.not_on_record``,
        ``mobile.wait`` with `at`, ``sms.paused`` or ``sms_resend.too_early``, DeadEnd or OutOfTurn.
        """
        now = self._clock.now()
        with self._store.write() as connection:
            changed = self._rows.advance(
                connection, access, "mobile", now,
                _IS_ON_RECORD, _IS_ANOTHER, _MAY_GIVE_NUMBER,
                new_number=mobile,
                limit=self._profile.one_time_code.numbers,
                mobile=mobile,
                mobile_confirmed_at=None,
            )  # fmt: skip
            if changed is not None:
                return self._send_code(connection, changed, now)
            seen = self._rows.see(connection, access)
            if seen is None or not self._rows.is_in_turn(seen, "mobile", now):
                raise why_not(seen, now)
            if seen.mobile != mobile:
                raise self._not_on_record(connection, seen.kutid, now)
            return seen if _has_code(seen, now) else self._send_code(connection, seen, now)

    def _not_on_record(self, connection: Connection, kutid: str, now: datetime) -> Refusal:
        """Count a number that the register does not hold, and return its refusal."""
        rules, key = self._profile.one_time_code, f"{_NUMBERS}{kutid}"
        until = self._allowances.take(connection, key, limit=rules.numbers, quiet=rules.budget, now=now)
        return Refusal("mobile", "wait", at=until) if until else Refusal("mobile", "not_on_record").counted()

    def resend_code(self, access: Access) -> Registration:
        """Send a new code to the mobile given; the older one dies (M21).

        Raises Refusal ``sms_resend.too_early`` or ``sms_resend.used_up``, DeadEnd ``codes_used_up`` or another,
        OutOfTurn.
        """
        now = self._clock.now()
        with self._store.write() as connection:
            seen = self._rows.see(connection, access)
            if seen is None or seen.mobile_confirmed_at or not self._rows.is_in_turn(seen, MOBILE_CONFIRMED, now):
                raise why_not(seen, now)
            return replace(seen, code=self._code_sender.send_again(connection, code_order(seen), seen.code, now))

    def confirm_mobile(self, access: Access, code: str) -> Registration:
        """Check the code from the SMS (M21). Raises Refusal ``sms_code.wrong`` and others, DeadEnd or OutOfTurn.

        A code proves the mobile once, in one browser: the same one may send it again.
        """
        now = self._clock.now()
        with self._store.write() as connection:
            try:
                return self._prove_mobile(connection, access, code, now)
            except (Refusal, DeadEnd) as refusal:
                seen = self._rows.see(connection, access)
                if seen is None or seen.mobile_confirmed_at or not self._rows.is_in_turn(seen, MOBILE_CONFIRMED, now):
                    raise why_not(seen, now).counted() from None
                raise _with_tries(refusal, seen, now).counted() from None

    def _prove_mobile(self, connection: Connection, access: Access, code: str, now: datetime) -> Registration:
        is_right = self._codes.redeem(
            connection,
            code,
            registration_id=access.registration_id,
            now=now,
            only_if=self._may_try,
            values=binds(access),
        )
        if not is_right:
            raise Refusal("sms_code", "wrong")
        # Asked again: another browser may have used the code meanwhile.
        changed = self._rows.advance(
            connection, access, MOBILE_CONFIRMED, now,
            _HAS_UNUSED_CODE,
            mobile_confirmed_at=now,
            browser=access.browser,
        )  # fmt: skip
        if changed is None:
            raise Refusal("sms_code", "used")
        return changed

    def _send_code(self, connection: Connection, registration: Registration, now: datetime) -> Registration:
        return replace(registration, code=self._code_sender.send(connection, code_order(registration), now))


def _with_tries(refusal: Denial, seen: Registration, now: datetime) -> Denial:
    if isinstance(refusal, Refusal) and refusal.reason == "wrong" and seen.code is not None:
        if seen.code.is_dead_end(now):
            return DeadEnd("codes_used_up", again_at=seen.code.budget_ends_at)
        if seen.code.is_elsewhere:
            return Refusal("sms_code", "used")
        return Refusal("sms_code", "wrong", tries=seen.code.tries_left)
    return refusal


def _has_code(seen: Registration, now: datetime) -> bool:
    """Tell whether the mobile needs no new code.

    It waits for a code that has just left, and does not give up a good code when no new one can be sent.
    """
    code = seen.code if seen.code and seen.code.is_usable(now) else None
    has_good = code is not None and (code.again_at > now or code.codes_left(now) == 0)
    return seen.mobile_confirmed_at is not None or has_good
