"""The customer accounts that an intermediary manages in the customer's place (P7, P55). Every look is on record."""

from dataclasses import dataclass

from sqlalchemy import select

from services.base import Base
from services.contracts.contract import Contract
from services.contracts.portfolio import Portfolio
from services.grants.grants import Grants
from services.letters import rows as letter_rows
from services.letters.letter import Letter
from services.payments import rows as payment_rows
from services.payments.payment import Invoice
from services.refusal import OutOfTurn
from services.requests.applicant import Applicant
from services.staff.cases import Cases
from services.staff.member import StaffSession
from services.store.tables.letters import letters
from services.store.tables.payments import invoices
from services.store.tables.register import customers

_MOST = 50
"""Letters in the list, the newest, and invoices."""


@dataclass(frozen=True)
class Managed:
    """A customer whose customer account the intermediary manages, and what belongs to that account."""

    kutid: str
    customer: str
    contracts: tuple[Contract, ...]
    applicant: Applicant
    """The intermediary in the customer's place."""


@dataclass(frozen=True)
class ManagedPapers:
    """The invoices and letters of a managed account, the newest first."""

    invoices: tuple[Invoice, ...]
    letters: tuple[Letter, ...]


class ManagedAccounts:
    """What an intermediary does for a customer: of the managed account alone, and of their own customers alone."""

    def __init__(self, base: Base, *, cases: Cases, grants: Grants, portfolio: Portfolio) -> None:
        self._store = base.store
        self._cases = cases
        self._grants = grants
        self._portfolio = portfolio

    def look(self, by: StaffSession, case_id: str) -> Managed:
        """Return the customer of a case, with the managed contracts, and note the look.

        The audit trail and the customer have it (P53). Raises OutOfTurn where nothing is managed.
        """
        found = self._find(by, case_id)
        with self._store.write() as connection:
            self._grants.note_look(connection, found.kutid, by.actor)
        return found

    def papers(self, managed: Managed) -> ManagedPapers:
        """Return the invoices and letters of a managed account; `look` has noted who sees them."""
        numbers = managed.applicant.policies or ()
        of_account = invoices.c.kutid == managed.kutid, invoices.c.policy_number.in_(numbers)
        bills = payment_rows.INVOICE.where(*of_account).order_by(invoices.c.due_on.desc(), invoices.c.id).limit(_MOST)
        is_letter = letters.c.kutid == managed.kutid, letters.c.policy_number.in_(numbers)
        newest = letter_rows.LETTER.where(*is_letter).order_by(letters.c.published_at.desc(), letters.c.id).limit(_MOST)
        with self._store.read() as connection:
            found = [Letter(**row._mapping) for row in connection.execute(newest)]
            return ManagedPapers(
                tuple(payment_rows.as_invoice(row, self._portfolio.today) for row in connection.execute(bills)),
                tuple(one for one in found if not one.is_withdrawn),
            )

    def is_manager(self, by: StaffSession, case_id: str) -> bool:
        """Tell whether the intermediary manages something of the customer's."""
        try:
            self._find(by, case_id)
        except OutOfTurn:
            return False
        return True

    def _find(self, by: StaffSession, case_id: str) -> Managed:
        if by.adviser is None:
            raise OutOfTurn
        with self._store.read() as connection:
            kutid = self._cases.hold(connection, by, case_id, needs_identification=False).kutid
            name = connection.execute(select(customers.c.name).where(customers.c.kutid == kutid)).scalar_one()
        contracts = tuple(
            one for one in self._portfolio.of_customer(kutid) if one.account is not None and not one.account.is_own
        )
        if not contracts:
            raise OutOfTurn
        applicant = Applicant(
            kutid,
            asker=f"{by.actor}:{kutid}",
            actor=by.actor,
            policies=frozenset(one.number for one in contracts),
        )
        return Managed(kutid, name, contracts, applicant)
