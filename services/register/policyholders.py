"""The register of customers: finding one by what they know, and their phones (M7–M13, M20, T1, A1, B1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, String, and_, bindparam, exists, literal, or_, select

from services.limits.allowances import IS_SPENT, Allowances
from services.limits.waits import FailedAttempts, waits
from services.profiles import Identification
from services.refusal import Refusal
from services.register.conditions import has_live_policy, has_mobile
from services.store.statements import queue_for
from services.store.tables.accounts import accounts
from services.store.tables.limits import allowances, sign_in_tries
from services.store.tables.register import (
    communication_ids,
    customer_accounts,
    customers,
    phones,
    policies,
)
from services.values.identifiers import TaxNumber

OLD_NUMBER = "old customer account number"
"""The purpose under which it is counted that a customer came with theirs."""
_NETWORK = "identify source"
_ANY = 1_000_000


@dataclass(frozen=True)
class SecondDatum:
    """What a customer knows besides the number; all that is given must fit."""

    birth_date: date | None = None
    tax_number: TaxNumber | None = None
    birth_number: str | None = None
    postal_code: str | None = None
    mobile: str | None = None

    def fits(self, record: Row[Any]) -> bool:
        """Tell whether it is what is on record; what is missing there never fits, and nothing given fits nothing."""
        stored = record.tax_number
        verdicts = [
            given == on_record
            for given, on_record in (
                (self.birth_date, record.birth_date),
                (self.birth_number, record.birth_number),
                (self.postal_code, record.postal_code),
                (None if self.mobile is None else True, bool(record.is_default_mobile)),
            )
            if given is not None
        ]
        if self.tax_number is not None:
            verdicts.append(bool(stored) and self.tax_number.matches(TaxNumber.parse(stored)))
        return bool(verdicts) and all(verdicts)


@dataclass(frozen=True)
class PolicyHolder:
    """A customer who has been identified."""

    kutid: str
    has_mobile: bool
    has_account: bool


_HAS_MOBILE = has_mobile(customers.c.kutid)
# Accounts are built on the register: this package may import nothing of theirs but the table.
_HAS_ACCOUNT = exists().where(accounts.c.kutid == customers.c.kutid)
_HAS_LIVE_POLICY = has_live_policy(customers.c.kutid)

# One statement for the number, its holder, and the wrong tries so far at the number and from the network. The outer
# joins from a single row keep the tries of numbers that do not exist. Built once, which takes several times as long as
# to run it.
_NUMBER = bindparam("number", type_=String)
_FOUND = (
    select(
        customers.c.kutid,
        customers.c.birth_date,
        customers.c.tax_number,
        customers.c.birth_number,
        customers.c.postal_code,
        exists()
        .where(
            phones.c.kutid == customers.c.kutid,
            phones.c.number == bindparam("mobile", type_=String),
            phones.c.is_mobile,
            phones.c.is_default,
        )
        .label("is_default_mobile"),
        allowances.c.used,
        allowances.c.ends_at,
        IS_SPENT.label("is_spent"),
        sign_in_tries.c.wait_until,
        _HAS_MOBILE.label("has_mobile"),
        _HAS_ACCOUNT.label("has_account"),
    )
    .select_from(select(literal(1).label("one")).subquery())
    .outerjoin(allowances, allowances.c.key == bindparam("tries"))
    .outerjoin(sign_in_tries, waits(bindparam("network", type_=String)))
)
_account = customer_accounts.c
_BY: Mapping[str, Select[Any]] = {
    "policy_number": _FOUND.outerjoin(
        policies, and_(policies.c.policy_number == _NUMBER, policies.c.status == "live")
    ).outerjoin(customers, customers.c.kutid == policies.c.kutid),
    "account_number": _FOUND.add_columns(
        (_account.account_number != _NUMBER).label("is_old"), _account.manager, _account.intermediary
    )
    .outerjoin(customer_accounts, or_(_account.account_number == _NUMBER, _account.old_number == _NUMBER))
    .outerjoin(customers, and_(customers.c.kutid == _account.kutid, _HAS_LIVE_POLICY)),
    "customer_number": _FOUND.outerjoin(customers, and_(customers.c.customer_number == _NUMBER, _HAS_LIVE_POLICY)),
}
"""How the register is searched by each kind of number."""


class PolicyHolders:
    """Looks customers up; slows guessing down per number, wherever the guesses come from, and per network.

    The network's count comes first and follows the rules of failed sign-ins: one birth date tried at many numbers
    makes the network wait, and a network that waits uses up no more numbers.
    """

    def __init__(self, rules: Identification, allowances: Allowances, tries: FailedAttempts) -> None:
        self._rules = rules
        self._allowances = allowances
        self._failed_attempts = tries

    def match(
        self,
        connection: Connection,
        number: str,
        datum: SecondDatum,
        now: datetime,
        *,
        kind: str = "policy_number",
        source: str = "",
    ) -> PolicyHolder:
        """Return the customer with a live policy whom `number`, a number of this kind, names.

        `source` is the network address that the request comes from. Raises Refusal ``identify.wait`` with `at` for
        a network that must wait, ``identify.slowed`` with `at` for such a number, ``identify.mismatch``, or
        ``account_number.old`` and ``account_number.managed`` where the data are right. Unknown, cancelled and wrong
        cost the same and give the same answer.
        """
        key = self._allowances.key("identify", f"{kind}:{number}")
        queue_for(connection, key)
        network = self._failed_attempts.source_key(source, _NETWORK)
        asked = {"number": number, "mobile": datum.mobile, "tries": key, "network": network}
        rows = connection.execute(_BY[kind], {**asked, "limit": self._rules.wrong_tries, "now": now}).all()
        row = rows[0]
        if row.wait_until is not None:
            raise Refusal("identify", "wait", at=row.wait_until)
        if row.is_spent:
            raise _slowed(row.ends_at)
        # A number that names two customers names nobody.
        if len(rows) > 1 or row.kutid is None or not datum.fits(row):
            kutid = row.kutid if len(rows) == 1 else None
            self.turn_away(connection, source, now)
            blocked_until = self._count_try(connection, key, now, kutid=kutid)
            raise (_slowed(blocked_until) if blocked_until else Refusal("identify", "mismatch")).counted()
        if row.used:
            self._allowances.give_back(connection, key)
        self._refuse_other_numbers(connection, row, now)
        return self._holder(row)

    def secret_of(
        self, connection: Connection, communication_id: str, now: datetime, *, source: str = ""
    ) -> tuple[PolicyHolder, str] | None:
        """Count a try and return the holder of the communication id with the hash of its password (M10).

        Comparing the password takes long, so it is done outside of any transaction and the try is counted
        beforehand; `forget_tries` takes it back. None when there is no such id. Raises Refusal ``identify.wait`` or
        ``identify.slowed``, as `match`.
        """
        wait = self._failed_attempts.waits_until(connection, self._failed_attempts.source_key(source, _NETWORK), now)
        if wait is not None:
            raise Refusal("identify", "wait", at=wait)
        blocked_until = self._count_try(connection, self._allowances.key("identify", communication_id), now)
        if blocked_until is not None:
            raise Refusal("identify", "slowed", at=blocked_until, with_id=True)
        row = connection.execute(
            select(
                customers.c.kutid,
                communication_ids.c.password_hash,
                _HAS_MOBILE.label("has_mobile"),
                _HAS_ACCOUNT.label("has_account"),
            )
            .join_from(communication_ids, customers)
            .where(communication_ids.c.communication_id == communication_id, _HAS_LIVE_POLICY)
        ).first()
        return None if row is None else (self._holder(row), row.password_hash)

    def forget_tries(self, connection: Connection, identifier: str) -> None:
        """After a match: earlier slips no longer count."""
        self._allowances.give_back(connection, self._allowances.key("identify", identifier))

    def turn_away(self, connection: Connection, source: str, now: datetime) -> None:
        """Count a wrong try for the network of `source`. Raises Refusal ``identify.wait`` if it must wait already."""
        wait = self._failed_attempts.count_source(connection, source, now, _NETWORK)
        if wait is not None:
            raise Refusal("identify", "wait", at=wait)

    def _count_try(
        self, connection: Connection, key: str, now: datetime, *, kutid: str | None = None
    ) -> datetime | None:
        """Count a try, at the number of `kutid` if there is one. Return until when the number rests, if it does."""
        return self._allowances.take(
            connection, key, limit=self._rules.wrong_tries, quiet=self._rules.wait, now=now, kutid=kutid
        )

    def _refuse_other_numbers(self, connection: Connection, row: Row[Any], now: datetime) -> None:
        """Refuse right data with an old number, or with an account that somebody else manages (A2, B1)."""
        account = row._mapping
        if account.get("is_old"):
            # Nothing else is kept of it, and somebody should tell the customer the new number.
            used = self._allowances.key(OLD_NUMBER, row.kutid)
            self._allowances.take(connection, used, limit=_ANY, quiet=self._rules.wait, now=now, kutid=row.kutid)
            raise Refusal("account_number", "old").counted()
        if account.get("manager") == "intermediary":
            raise Refusal("account_number", "managed", adviser=account["intermediary"]).counted()

    @staticmethod
    def _holder(row: Row[Any]) -> PolicyHolder:
        return PolicyHolder(row.kutid, bool(row.has_mobile), bool(row.has_account))


def _slowed(until: datetime) -> Refusal:
    return Refusal("identify", "slowed", at=until)
