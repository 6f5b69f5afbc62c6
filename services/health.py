"""What monitoring asks of the database: whether it can serve, and how much it holds."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import FromClause, Select, func, select
from sqlalchemy.exc import SQLAlchemyError

from services.accounts.conditions import count_accounts
from services.base import Base
from services.heartbeats import Heartbeats
from services.letters.conditions import count_damaged
from services.registrations.conditions import count_open
from services.store.statement_spans import follow
from services.store.tables.register import customers
from services.store.version import is_current
from services.store.writing import fault_of_writing, name_of


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
        self.heartbeats = Heartbeats(base)

    def is_ready(self) -> bool:
        """Tell whether the database answers, has all its tables, and takes what is written."""
        try:
            return is_current(self._store) and self.fault_of_writing() is None
        except SQLAlchemyError:
            return False

    def follow_statements(self, begin: Callable[[str], Callable[[], object]]) -> None:
        """Follow each statement from now on, for traces: see `services.store.statement_spans`."""
        follow(self._store.engine, begin)

    def fault_of_writing(self) -> str | None:
        """Return why nothing can be written, in the database's own words, or None. Raises SQLAlchemyError."""
        return fault_of_writing(self._store)

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


def name_of_outage(error: Exception) -> str:
    """Return the database's own name of an error, such as SQLITE_FULL, else the error's. It holds no values."""
    return name_of(error)


def _count(table: FromClause) -> Select[int]:
    return select(func.count()).select_from(table)
