"""What monitoring asks of the database: whether it can serve, and how much it holds."""

from dataclasses import dataclass

from sqlalchemy import FromClause, Select, func, select
from sqlalchemy.exc import SQLAlchemyError

from services.accounts.conditions import count_accounts
from services.base import Base
from services.letters.conditions import count_damaged
from services.registrations.conditions import count_open
from services.store.tables.register import customers
from services.store.version import is_current


@dataclass(frozen=True)
class Counts:
    """How many there are at this moment."""

    accounts: int
    open_registrations: int
    damaged_letters: int
    """Whose stored bytes did not fit their hash when they were read last (P12)."""


class Health:
    """Readiness and counts, straight from the database: right for any number of processes."""

    def __init__(self, base: Base) -> None:
        self._store = base.store
        self._clock = base.clock

    def is_ready(self) -> bool:
        """Tell whether the database answers and has all its tables."""
        try:
            return is_current(self._store)
        except SQLAlchemyError:
            return False

    def counts(self) -> Counts:
        """Count the accounts, the registrations that have begun and are not over, and the damaged letters."""
        with self._store.read() as connection:
            return Counts(
                accounts=connection.execute(count_accounts()).scalar_one(),
                open_registrations=connection.execute(count_open(self._clock.now())).scalar_one(),
                damaged_letters=connection.execute(count_damaged()).scalar_one(),
            )

    def customers(self) -> int:
        """Count the customers of the register."""
        with self._store.read() as connection:
            return connection.execute(_count(customers)).scalar_one()


def _count(table: FromClause) -> Select[int]:
    return select(func.count()).select_from(table)
