"""What monitoring asks of the database: whether it can serve, and how much it holds."""

from dataclasses import dataclass

from sqlalchemy import FromClause, Select, func, select
from sqlalchemy.exc import SQLAlchemyError

from services.clock import Clock
from services.store.engine import Store
from services.store.tables.accounts import accounts
from services.store.tables.register import customers
from services.store.tables.registrations import registrations
from services.store.version import is_current


@dataclass(frozen=True)
class Counts:
    """How many there are at this moment."""

    accounts: int
    open_registrations: int


class Health:
    """Readiness and counts, straight from the database: right for any number of processes."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def is_ready(self) -> bool:
        """Tell whether the database answers and has all its tables."""
        try:
            return is_current(self._store)
        except SQLAlchemyError:
            return False

    def counts(self) -> Counts:
        """Count the accounts, and the registrations that have begun and are not over."""
        open_now = select(func.count()).where(registrations.c.expires_at > self._clock.now())
        with self._store.read() as connection:
            return Counts(
                accounts=connection.execute(_count(accounts)).scalar_one(),
                open_registrations=connection.execute(open_now).scalar_one(),
            )

    def customers(self) -> int:
        """Count the customers of the register."""
        with self._store.read() as connection:
            return connection.execute(_count(customers)).scalar_one()


def _count(table: FromClause) -> Select[int]:
    return select(func.count()).select_from(table)
