"""Reference codes: what a customer reads out on the phone, so that staff see where a registration stopped."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from services import randomness
from services.clock import Clock
from services.store.engine import Store
from services.store.statements import insert_for
from services.store.tables import reference_codes


@dataclass(frozen=True)
class Reference:
    """A dead end that a customer met: which, and when."""

    code: str
    kind: str
    created_at: datetime


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
        facts = {"kind": kind, "kutid": kutid, "registration_id": registration_id, "created_at": self._clock.now()}
        with self._store.write() as connection:
            while True:  # a code that happens to be taken is not given again
                code = randomness.reference()
                new = insert_for(connection, reference_codes).values(code=code, **facts).on_conflict_do_nothing()
                if connection.execute(new.returning(reference_codes.c.code)).first():
                    return code

    def find(self, code: str) -> Reference | None:
        """Return what a code stands for, written as customers read it out, or None."""
        plain = "".join(sign for sign in code.upper() if sign not in " -")
        c = reference_codes.c
        with self._store.read() as connection:
            row = connection.execute(
                select(c.code, c.kind, c.created_at).where(c.code == f"{plain[:3]}-{plain[3:]}")
            ).first()
        return Reference(*row) if row else None

    def _known(self, connection: Connection, kind: str, registration_id: str) -> str | None:
        return connection.execute(
            select(reference_codes.c.code)
            .where(reference_codes.c.registration_id == registration_id, reference_codes.c.kind == kind)
            .limit(1)
        ).scalar()
