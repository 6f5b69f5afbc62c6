"""Registrations as a browser may see them."""

from datetime import timedelta

from sqlalchemy import exists, select

from services import audit
from services.accounts.conditions import is_opened_by
from services.base import Base
from services.limits.allowances import Allowances
from services.registrations.registration import Access, Registration
from services.registrations.rows import Rows
from services.store.tables.registrations import registrations

_REFUSALS_KEPT = 20


class Registrations:
    """Finds registrations, and keeps on record what was refused."""

    def __init__(self, base: Base, rows: Rows, *, allowances: Allowances) -> None:
        self._store = base.store
        self._clock = base.clock
        self._rows = rows
        self._allowances = allowances

    def find(self, access: Access) -> Registration | None:
        """Return the registration as this browser may see it, ended or not; changes nothing (a scanner may look)."""
        with self._store.read() as connection:
            return self._rows.see(connection, access)

    def why_dead(self, access: Access) -> str:
        """Return the kind of dead end for a link that shows no registration.

        ``link_unknown`` after a newer mail; for an erased registration ``link_completed`` while its account exists,
        else ``link_expired``.
        """
        with self._store.read() as connection:
            is_kept, has_account = connection.execute(
                select(
                    exists().where(registrations.c.id == access.registration_id),
                    is_opened_by(access.registration_id),
                )
            ).one()
        return "link_unknown" if is_kept else "link_completed" if has_account else "link_expired"

    def note_refusal(self, access: Access, field: str, reason: str) -> None:
        """Record a refusal for customer service, up to a limit an hour."""
        now = self._clock.now()
        with self._store.write() as connection:
            kutid = connection.execute(
                select(registrations.c.kutid).where(registrations.c.id == access.registration_id)
            ).scalar()
            key = self._allowances.key("refusals", access.registration_id)
            hour = timedelta(hours=1)
            if kutid and not self._allowances.take(connection, key, limit=_REFUSALS_KEPT, quiet=hour, now=now):
                audit.record(connection, "refused", kutid=kutid, at=now, what=f"{field}.{reason}")
