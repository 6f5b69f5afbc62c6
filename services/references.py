"""Reference codes: what a customer reads out on the phone, so that staff see where a registration stopped."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, select

from services import randomness
from services.base import Base
from services.store.statements import insert_for, queue_for
from services.store.tables.references import reference_codes

_KEPT_FOR = timedelta(hours=1)
"""How long a customer who begins again and again keeps the code of a dead end."""


@dataclass(frozen=True)
class Reference:
    """A dead end that a customer met: which, and when."""

    code: str
    kind: str
    created_at: datetime


class References:
    """Issues short codes for dead ends and looks them up."""

    def __init__(self, base: Base) -> None:
        self._store = base.store
        self._clock = base.clock

    def issue(self, kind: str, *, kutid: str | None = None, registration_id: str | None = None) -> str:
        """Keep that somebody met the dead end `kind`; return the code that finds it again.

        The same dead end of the same registration keeps its code, however often the page is opened. Without a
        registration, a customer's keeps it for an hour, so that repeated posts write one row.
        """
        now = self._clock.now()
        is_same = self._same(kutid, registration_id, now)
        if is_same is not None:
            known = select(reference_codes.c.code).where(reference_codes.c.kind == kind, is_same)
            newest = known.order_by(reference_codes.c.created_at.desc()).limit(1)
            with self._store.read() as connection:
                code: str | None = connection.execute(newest).scalar()
            if code is not None:
                return code
        facts = {"kind": kind, "kutid": kutid, "registration_id": registration_id, "created_at": now}
        with self._store.write() as connection:
            if is_same is not None:  # of two at once, the second finds the first one's
                queue_for(connection, f"reference {kind} {registration_id or kutid}")
                earlier: str | None = connection.execute(newest).scalar()
                if earlier is not None:
                    return earlier
            return _new(connection, facts)

    def find(self, code: str) -> Reference | None:
        """Return what a code stands for, written as customers read it out, or None."""
        plain = "".join(sign for sign in code.upper() if sign not in " -")
        c = reference_codes.c
        with self._store.read() as connection:
            row = connection.execute(
                select(c.code, c.kind, c.created_at).where(c.code == f"{plain[:3]}-{plain[3:]}")
            ).first()
        return Reference(*row) if row else None

    @staticmethod
    def _same(kutid: str | None, registration_id: str | None, now: datetime) -> ColumnElement[bool] | None:
        """Return the condition of a code that is given again; None where nothing says whose dead end it is."""
        c = reference_codes.c
        if registration_id is not None:
            return c.registration_id == registration_id
        if kutid is None:
            return None
        return and_(c.kutid == kutid, c.registration_id.is_(None), c.created_at > now - _KEPT_FOR)


def _new(connection: Connection, facts: Mapping[str, Any]) -> str:
    """Store a new code with these facts, and return it."""
    while True:  # a code that happens to be taken is not given again
        fresh = randomness.reference()
        new = insert_for(connection, reference_codes).values(code=fresh, **facts).on_conflict_do_nothing()
        if connection.execute(new.returning(reference_codes.c.code)).first():
            return fresh
