"""The customers whom a client of the API names, where it does nothing with their registration."""

from sqlalchemy import select

from services import audit
from services.base import Base
from services.refusal import Refusal
from services.register.conditions import numbered
from services.staff.cases import is_theirs
from services.staff.member import Actor
from services.store.tables.register import customers
from services.values import identifiers


class ClientCustomers:
    """Finds the customer of a letter. Others' customers are unknown to an adviser's client."""

    def __init__(self, base: Base) -> None:
        self._store = base.store
        self._clock = base.clock

    def find(self, by: Actor, kind: str, number: str) -> str:
        """Return the KÜTID of the one customer whom a number of a kind of `services.staff.search.NUMBERS` names.

        Raises Refusal ``customer.unknown``, which stands in the audit trail: somebody may be guessing.
        """
        try:
            key = identifiers.code(number, "code")
            with self._store.read() as connection:
                theirs = numbered(kind, key).where(is_theirs(by)).distinct().limit(2)
                found: list[str] = [row.kutid for row in connection.execute(theirs)]
        except Refusal:
            found = []
        if len(found) == 1:
            return found[0]
        with self._store.write() as connection:
            now = self._clock.now()
            audit.record(connection, "searched", kutid=None, at=now, actor=by.actor, found=str(len(found)))
            raise Refusal("customer", "unknown").counted()

    def is_reached(self, by: Actor, kutid: str) -> bool:
        """Tell whether the client may know of a customer."""
        with self._store.read() as connection:
            theirs = select(customers.c.kutid).where(customers.c.kutid == kutid, is_theirs(by))
            return connection.execute(theirs).first() is not None
