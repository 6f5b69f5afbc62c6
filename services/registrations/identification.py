"""The first step of a registration: who the customer is."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, exists

from services.base import Base
from services.codes.group import CodeServices
from services.passwords import Hasher
from services.refusal import DeadEnd, Refusal
from services.register.policyholders import PolicyHolder, PolicyHolders, SecondDatum
from services.registrations.code_orders import code_order
from services.registrations.registration import Registration
from services.registrations.rows import IS_CODE_UNUSED, IS_SAME_BROWSER, Rows
from services.store.tables.codes import one_time_codes
from services.store.tables.registrations import registrations

_code = one_time_codes.c
_IS_CODE_OF_BROWSER = (
    exists()
    .where(registrations.c.id == _code.registration_id, IS_SAME_BROWSER, IS_CODE_UNUSED)
    .correlate(one_time_codes)
)


class Identification:
    """Begins registrations. Each public method is one transaction, except around the password's hash."""

    def __init__(
        self, base: Base, rows: Rows, *, policyholders: PolicyHolders, codes: CodeServices, hasher: Hasher
    ) -> None:
        self._store = base.store
        self._clock = base.clock
        self._rows = rows
        self._policyholders = policyholders
        self._codes = codes.one_time_codes
        self._code_sender = codes.sender
        self._hasher = hasher

    def identify(
        self,
        number: str,
        datum: SecondDatum,
        language: str,
        kind: str = "policy_number",
        *,
        browser: str | None = None,
        source: str = "",
    ) -> Registration:
        """Begin a registration for a customer with a live policy (M7, M8, T1, A1).

        `kind` is the kind of `number`, `source` the network address that the request comes from. Where the first
        step asks for the mobile, the code leaves at once, except within the wait after an earlier code. The earlier
        code counts here only if this `browser` asked for it.
        Raises Refusal ``identify.mismatch``, ``identify.slowed``, ``identify.wait`` with `at` for a network with too
        many wrong tries, ``identify.no_mobile`` (M12), ``account_number.old``, ``account_number.managed`` or
        ``sms.paused``, DeadEnd ``already_registered`` or ``codes_used_up``.
        """
        now = self._clock.now()
        with self._store.write() as connection:
            found = self._policyholders.match(connection, number, datum, now, kind=kind, source=source)
            return self._begin(connection, found, number, language, now, mobile=datum.mobile, browser=browser)

    def identify_by_communication_id(
        self, communication_id: str, password: str, language: str, *, source: str = ""
    ) -> Registration:
        """Begin a registration by a communication id and its password (M10).

        Raises as `identify`, ``identify.slowed`` with `with_id`; Overloaded where the password cannot be compared now:
        the try is not counted.
        """
        self._hasher.refuse_overload()
        now = self._clock.now()
        with self._store.write() as connection:
            found = self._policyholders.secret_of(connection, communication_id, now, source=source)
        holder, hashed = found or (None, None)
        if not self._hasher.is_password(password, hashed) or holder is None:
            with self._store.write() as connection:
                self._policyholders.turn_away(connection, source, self._clock.now())
                raise Refusal("identify", "mismatch").counted()
        with self._store.write() as connection:
            self._policyholders.forget_tries(connection, communication_id)
            return self._begin(connection, holder, communication_id, language, now)

    def _begin(
        self,
        connection: Connection,
        found: PolicyHolder,
        identifier: str,
        language: str,
        now: datetime,
        *,
        mobile: str | None = None,
        browser: str | None = None,
    ) -> Registration:
        # The data were right in each of these cases, so earlier wrong tries stay forgotten.
        if found.has_account:
            raise DeadEnd("already_registered", kutid=found.kutid).counted()
        if not found.has_mobile:
            raise Refusal("identify", "no_mobile", kutid=found.kutid).counted()
        if mobile is not None and self._codes.is_paused():
            raise Refusal("sms", "paused").counted()
        begun = self._rows.begin(connection, found, identifier, language, now, mobile=mobile, browser=browser)
        return begun if mobile is None else self._send_first_code(connection, begun, mobile, now)

    def _send_first_code(self, connection: Connection, begun: Registration, mobile: str, now: datetime) -> Registration:
        try:
            return replace(begun, code=self._code_sender.send(connection, code_order(begun), now))
        except Refusal:  # a code has just left: it is good for this registration if this browser asked for it
            code = self._codes.hand_over(
                connection,
                kutid=begun.kutid,
                registration_id=begun.id,
                mobile=mobile,
                only_if=_IS_CODE_OF_BROWSER,
                values={"visit_browser": begun.browser},
            )
            return replace(begun, code=code)
