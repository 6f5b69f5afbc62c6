"""The contracts of a customer (P5–P7, P9; T5, B4)."""

from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, or_, select

from services.accounts import Session
from services.base import Base
from services.contracts.contract import Contract, ContractDetails, CustomerAccount, Line, Section
from services.contracts.ids import ContractIds
from services.refusal import OutOfTurn
from services.store.tables.register import advisers, customer_accounts, policies, policy_rows
from services.store.tables.staff import staff
from services.values import money

# An account of another customer is nobody's business here: then the contract stands alone.
_CONTRACTS: Select[Any] = (
    select(
        *policies.c,
        customer_accounts.c.manager,
        customer_accounts.c.intermediary,
        staff.c.name.label("adviser"),
    )
    .select_from(policies)
    .outerjoin(
        customer_accounts,
        and_(
            customer_accounts.c.account_number == policies.c.account_number,
            customer_accounts.c.kutid == policies.c.kutid,
        ),
    )
    .outerjoin(advisers, advisers.c.kutid == policies.c.kutid)
    .outerjoin(staff, and_(staff.c.adviser == advisers.c.adviser, staff.c.disabled_at.is_(None)))
)


class Portfolio:
    """Shows customers their own contracts. Another customer's raises OutOfTurn, as one that never was."""

    def __init__(self, base: Base, ids: ContractIds) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._ids = ids

    @property
    def today(self) -> date:
        """The day that it is at the insurer's."""
        return self._clock.now().astimezone(self._profile.zone).date()

    def all(self, session: Session) -> tuple[Contract, ...]:
        """Return the customer's contracts: those in force first, then the cancelled ones, the latest end first."""
        return self.of_customer(session.account.kutid)

    def of_customer(self, kutid: str) -> tuple[Contract, ...]:
        """Return the contracts of a customer whom the caller may show them to, in the same order."""
        with self._store.read() as connection:
            return self._of_customer(connection, kutid)

    def find(self, session: Session, contract_id: str, language: str) -> ContractDetails:
        """Return a contract of the customer's with what it covers, in this language if the register has it.

        Raises OutOfTurn.
        """
        with self._store.read() as connection:
            contracts = self._of_customer(connection, session.account.kutid)
            contract = next((one for one in contracts if one.id == contract_id), None)
            if contract is None:
                raise OutOfTurn
            return ContractDetails(contract, *self._sections(connection, contract.number, language))

    def _of_customer(self, connection: Connection, kutid: str) -> tuple[Contract, ...]:
        shown_from = self.today - self._profile.contracts.shown_after_end
        is_shown = or_(
            policies.c.status != "cancelled", policies.c.ended_on.is_(None), policies.c.ended_on >= shown_from
        )
        rows = connection.execute(_CONTRACTS.where(policies.c.kutid == kutid, is_shown)).all()
        return tuple(sorted((self._contract(row) for row in rows), key=_order))

    def _contract(self, row: Row[Any]) -> Contract:
        account = row.manager and CustomerAccount(row.account_number, row.manager, row.intermediary)
        is_cancelled = row.status == "cancelled"
        has_end = is_cancelled and row.ended_on is not None
        return Contract(
            id=self._ids.of(row.policy_number),
            number=row.policy_number,
            is_cancelled=is_cancelled,
            product=row.product,
            title=row.title,
            insured=row.insured,
            account=account or None,
            adviser=row.adviser,
            starts_on=row.starts_on,
            anniversary=row.anniversary,
            premium=row.premium,
            currency=row.currency or money.currency_of(self._profile.country),
            frequency=row.frequency,
            paid_until=row.paid_until,
            cover_until=row.cover_until,
            ended_on=row.ended_on,
            end_reason=row.end_reason,
            kept_until=row.ended_on + self._profile.contracts.shown_after_end if has_end else None,
        )

    def _sections(self, connection: Connection, policy_number: str, language: str) -> tuple[tuple[Section, ...], str]:
        rows = connection.execute(
            select(policy_rows)
            .where(policy_rows.c.policy_number == policy_number)
            .order_by(policy_rows.c.position, policy_rows.c.section)
        ).all()
        # In the page's language, or the insurer's, or whichever there is; what has none belongs to all of them.
        there = dict.fromkeys(row.language for row in rows if row.language)
        chosen = next((one for one in (language, *self._profile.languages, *there) if one in there), "")
        lines: dict[str, list[Line]] = {}
        for row in rows:
            if row.language in ("", chosen):
                lines.setdefault(row.section, []).append(Line(row.label, row.value))
        return tuple(Section(heading, tuple(found)) for heading, found in lines.items()), chosen


def _order(contract: Contract) -> tuple[bool, int, str]:
    ended = contract.ended_on.toordinal() if contract.is_cancelled and contract.ended_on else 0
    return contract.is_cancelled, -ended, contract.number
