"""Reference codes: what a customer reads out on the phone, so that staff see where a registration stopped."""

from sqlalchemy import Connection, insert, select

from services import randomness
from services.clock import Clock
from services.store.engine import Store
from services.store.tables import reference_codes


class References:
    """Issues short codes for dead ends and looks them up."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def issue(self, kind: str, *, kutid: str | None = None, registration_id: str | None = None) -> str:
        """Keep that somebody met the dead end `kind`; return the code that finds it again.

        The same dead end of the same registration keeps its code, however often the page is opened.
        """
        if registration_id is not None:
            with self._store.read() as connection:
                code = self._known(connection, kind, registration_id)
            if code is not None:
                return code
        code = randomness.reference()
        with self._store.write() as connection:
            connection.execute(
                insert(reference_codes).values(
                    code=code,
                    kind=kind,
                    kutid=kutid,
                    registration_id=registration_id,
                    created_at=self._clock.now(),
                )
            )
        return code

    def _known(self, connection: Connection, kind: str, registration_id: str) -> str | None:
        return connection.execute(
            select(reference_codes.c.code)
            .where(reference_codes.c.registration_id == registration_id, reference_codes.c.kind == kind)
            .limit(1)
        ).scalar()
