"""What an adviser sees by a customer's grant (P53). Every look is in the audit trail, and the customer sees it."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from services.base import Base
from services.contracts.contract import Contract
from services.contracts.portfolio import Portfolio
from services.gateways.storage import StoredFile
from services.grants.grants import SCOPES, Grant, Grants
from services.letters import rows
from services.letters.desk import LetterDesk
from services.letters.letter import Letter
from services.refusal import OutOfTurn
from services.register.conditions import is_managed_by
from services.staff.cases import Cases
from services.staff.member import Actor
from services.store.tables.register import customers


class GrantEnded(OutOfTurn):
    """The customer has taken the access back, or its last day is over."""


@dataclass(frozen=True)
class GrantedLetter:
    """A letter that the customer lets their adviser see."""

    letter: Letter
    customer: str
    grant: Grant | None
    """None where the adviser manages the customer account to which the letter belongs (P55)."""


@dataclass(frozen=True)
class GrantedContracts:
    """The contracts that the customer lets their adviser see."""

    contracts: tuple[Contract, ...]
    customer: str
    grant: Grant


class Granted:
    """Shows letters and contracts to the adviser of their customer, as long as the customer lets them see it."""

    def __init__(self, base: Base, *, cases: Cases, grants: Grants, desk: LetterDesk, portfolio: Portfolio) -> None:
        self._store = base.store
        self._cases = cases
        self._grants = grants
        self._portfolio = portfolio
        self._desk = desk

    def look(self, by: Actor, letter_id: str) -> GrantedLetter:
        """Return a letter, and note the look. Raises GrantEnded, or OutOfTurn for what was never granted."""
        with self._store.write() as connection:
            found = self._allowed(connection, by, letter_id)
            self._note(connection, by, found.letter)
        return found

    def file(self, by: Actor, letter_id: str) -> tuple[Letter, StoredFile]:
        """Return a letter with its bytes, and note the look. Raises as `look`, and StorageUnavailable."""
        with self._store.read() as connection:
            letter = self._allowed(connection, by, letter_id).letter
        content = self._desk.content(letter)
        with self._store.write() as connection:
            self._note(connection, by, self._allowed(connection, by, letter_id).letter)
        return letter, content

    def contracts(self, by: Actor, case_id: str) -> GrantedContracts:
        """Return the customer's contracts, and note the look. Raises GrantEnded, or OutOfTurn."""
        with self._store.write() as connection:
            kutid = self._cases.hold(connection, by, case_id, needs_identification=False).kutid
            grant = self._grants.given(connection, kutid, by.adviser, "contracts") if by.adviser else None
            if grant is None:
                has_ended = by.adviser and self._grants.has_ended(connection, kutid, by.adviser, "contracts")
                raise GrantEnded if has_ended else OutOfTurn
            self._grants.note_look(connection, kutid, by.actor)
            name = connection.execute(select(customers.c.name).where(customers.c.kutid == kutid)).scalar_one()
        return GrantedContracts(self._portfolio.of_customer(kutid), name, grant)

    def scopes(self, by: Actor, kutid: str) -> dict[str, Grant]:
        """Return what the customer lets an adviser see now, by its kind; nothing for customer service."""
        if by.adviser is None:
            return {}
        with self._store.read() as connection:
            found = {scope: self._grants.given(connection, kutid, by.adviser, scope) for scope in SCOPES}
        return {scope: grant for scope, grant in found.items() if grant is not None}

    def _allowed(self, connection: Connection, by: Actor, letter_id: str) -> GrantedLetter:
        letter = rows.letter(connection, letter_id)
        grant = self._grants.given(connection, letter.kutid, by.adviser, "letters") if by.adviser else None
        is_managed = select(is_managed_by(letter.kutid, letter.policy_number or "", by.adviser))
        may_read = grant is not None or (by.adviser and connection.execute(is_managed).scalar())
        if not may_read or letter.is_withdrawn:
            has_ended = by.adviser and self._grants.has_ended(connection, letter.kutid, by.adviser, "letters")
            raise GrantEnded if has_ended else OutOfTurn
        name = connection.execute(select(customers.c.name).where(customers.c.kutid == letter.kutid)).scalar_one()
        return GrantedLetter(letter, name, grant)

    def _note(self, connection: Connection, by: Actor, letter: Letter) -> None:
        self._desk.note_read(connection, letter, "adviser", by.actor)
        self._grants.note_look(connection, letter.kutid, by.actor, letter.id)
