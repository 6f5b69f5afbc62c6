"""The register of customers: finding one by what they know, and their phones (M7–M13, M20)."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, exists, literal, select

from services.allowances import IS_SPENT, Allowances
from services.identifiers import TaxNumber
from services.profiles import Identification
from services.refusal import Refusal
from services.store.statements import queue_for
from services.store.tables import accounts, allowances, communication_ids, customers, phones, policies


@dataclass(frozen=True)
class SecondDatum:
    """What a customer knows besides the policy number: one of the two is given."""

    birth_date: date | None = None
    tax_number: TaxNumber | None = None

    def fits(self, birth_date: date | None, tax_number: str | None) -> bool:
        """Tell whether it is the one on record; what is missing there never fits."""
        if self.birth_date is not None:
            return self.birth_date == birth_date
        if self.tax_number is None or not tax_number:
            return False
        return self.tax_number.matches(TaxNumber.parse(tax_number))


@dataclass(frozen=True)
class PolicyHolder:
    """A customer who has been identified."""

    kutid: str
    has_mobile: bool
    has_account: bool


_HAS_MOBILE = exists().where(phones.c.kutid == customers.c.kutid, phones.c.is_mobile)
_HAS_ACCOUNT = exists().where(accounts.c.kutid == customers.c.kutid)
_HAS_LIVE_POLICY = exists().where(policies.c.kutid == customers.c.kutid, policies.c.status == "live")


# One statement for the policy, its holder and the wrong tries so far. The outer join from a single row keeps the
# tries of numbers that do not exist. Built once, which takes several times as long as to run it.
_BY_POLICY = (
    select(
        customers.c.kutid,
        customers.c.birth_date,
        customers.c.tax_number,
        allowances.c.used,
        allowances.c.ends_at,
        IS_SPENT.label("is_spent"),
        _HAS_MOBILE.label("has_mobile"),
        _HAS_ACCOUNT.label("has_account"),
    )
    .select_from(select(literal(1).label("one")).subquery())
    .outerjoin(allowances, allowances.c.key == bindparam("tries"))
    .outerjoin(policies, and_(policies.c.policy_number == bindparam("policy_number"), policies.c.status == "live"))
    .outerjoin(customers, customers.c.kutid == policies.c.kutid)
)


class PolicyHolders:
    """Looks customers up; slows guessing down per policy number, wherever the guesses come from."""

    def __init__(self, rules: Identification, allowances: Allowances) -> None:
        self._rules = rules
        self._allowances = allowances

    def match(
        self, connection: Connection, policy_number: str, datum: SecondDatum, now: datetime
    ) -> PolicyHolder | Refusal:
        """Return the holder of the live policy, or why not.

        Unknown, cancelled and wrong cost the same and give the same answer. The refusal is returned, not
        raised, so that the count of the wrong try is committed.
        """
        key = self._allowances.key("identify", policy_number)
        queue_for(connection, key)
        asked = {"policy_number": policy_number, "tries": key, "limit": self._rules.wrong_tries, "now": now}
        row = connection.execute(_BY_POLICY, asked).one()
        if row.is_spent:
            return self._slowed(row.ends_at)
        if row.kutid is None or not datum.fits(row.birth_date, row.tax_number):
            return self.count_wrong_try(connection, key, now)
        if row.used:
            self._allowances.give_back(connection, key)
        return self._holder(row)

    def secret_of(
        self, connection: Connection, communication_id: str, now: datetime
    ) -> tuple[PolicyHolder, str] | Refusal | None:
        """Count a try and return the holder of the communication id with the hash of its password (M10).

        Comparing the password takes long, so it is done outside of any transaction and the try is counted
        beforehand; `forget_tries` takes it back. None when there is no such id.
        """
        key = self._allowances.key("identify", communication_id)
        refusal = self.count_wrong_try(connection, key, now)
        if refusal.reason == "slowed":
            return refusal
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

    def count_wrong_try(self, connection: Connection, key: str, now: datetime) -> Refusal:
        """Count one wrong try and return the answer to it."""
        blocked_until = self._allowances.take(
            connection, key, limit=self._rules.wrong_tries, quiet=self._rules.wait, now=now
        )
        return self._slowed(blocked_until) if blocked_until else Refusal("identify", "mismatch")

    @staticmethod
    def _slowed(until: datetime | None) -> Refusal:
        return Refusal("identify", "slowed", at=until)

    @staticmethod
    def _holder(row: Row[Any]) -> PolicyHolder:
        return PolicyHolder(row.kutid, bool(row.has_mobile), bool(row.has_account))
