"""What a registration accepts, reads and answers: terms, privacy notice, statements, and a profile's own questions."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, bindparam, select, update

from services.base import Base
from services.refusal import Refusal
from services.registrations.registration import Access, Registration
from services.registrations.rows import Rows, binds, why_not
from services.store.tables.registrations import registrations
from services.terms import Documents

_HAS_OPENED = registrations.c.terms_opened == bindparam("in_force", type_=registrations.c.terms_opened.type)
_IS_OPENED_FIRST = registrations.c.terms_opened.is_distinct_from(
    bindparam("version", type_=registrations.c.terms_opened.type)
)
_HAS_OPENED_NOTICE = registrations.c.notice_opened == bindparam("in_force", type_=registrations.c.notice_opened.type)
_IS_NOTICE_NEW = registrations.c.notice_opened.is_distinct_from(
    bindparam("version", type_=registrations.c.notice_opened.type)
)
_IS_UNACCEPTED = registrations.c.terms_accepted_at.is_(None)


class ConsentSteps:
    """Records what was opened, accepted and answered. Each public method is one transaction."""

    def __init__(self, base: Base, rows: Rows, *, documents: Documents) -> None:
        self._store = base.store
        self._clock = base.clock
        self._rows = rows
        self._terms = documents.terms
        self._notice = documents.notice
        self._opening = update(registrations).where(*rows.conditions(None), _IS_OPENED_FIRST)
        self._opening_notice = update(registrations).where(*rows.conditions(None), _IS_NOTICE_NEW)

    def open_terms(self, access: Access, version: str) -> None:
        """Record that this browser opened a version of the terms (M23)."""
        now = self._clock.now()
        with self._store.write() as connection:
            connection.execute(self._opening, {**binds(access, now), "version": version, "terms_opened": version})

    def accept_terms(self, access: Access) -> Registration:
        """Accept the terms in force (M23).

        Raises Refusal ``terms.not_opened`` or ``terms.replaced``, DeadEnd or OutOfTurn.
        """
        now = self._clock.now()
        terms = self._terms.in_force(now)
        with self._store.write() as connection:
            changed = self._rows.advance(
                connection, access, "terms_accepted_at", now,
                _HAS_OPENED, _IS_UNACCEPTED,
                in_force=terms.version,
                terms_version=terms.version,
                terms_hash=terms.hash,
                terms_accepted_at=now,
            )  # fmt: skip
            seen = changed or self._rows.see(connection, access)
        if changed is not None:
            return changed
        if seen is not None and self._rows.is_in_turn(seen, "terms_accepted_at", now) and not seen.terms_accepted_at:
            raise Refusal("terms", "replaced" if seen.terms_opened else "not_opened")
        raise why_not(seen, now)

    def open_notice(self, access: Access, version: str) -> None:
        """Record that this browser opened a version of the privacy notice (A5)."""
        now = self._clock.now()
        with self._store.write() as connection:
            connection.execute(
                self._opening_notice, {**binds(access, now), "version": version, "notice_opened": version}
            )

    def consent(self, access: Access, consents: Mapping[str, bool], language: str) -> Registration:
        """Keep the answer to each statement with its time and the version of the notice that was read (A5).

        Declining blocks nothing. Raises Refusal ``consents.notice`` when the notice in force was not opened, DeadEnd or
        OutOfTurn.
        """
        now = self._clock.now()
        notice = self._notice.in_force(now)
        answer = {
            **consents, "at": now.isoformat(), "version": notice.version, "hash": notice.hash, "language": language,
        }  # fmt: skip
        changed, seen = self._keep(access, "consents", answer, now, _HAS_OPENED_NOTICE, in_force=notice.version)
        if changed is not None:
            return changed
        if self._rows.is_in_turn(seen, "consents", now):
            raise Refusal("consents", "notice")
        raise why_not(seen, now)

    def record(self, access: Access, fact: str, answer: dict[str, Any]) -> Registration:
        """Keep what a profile's own step asked, under its name. Raises DeadEnd or OutOfTurn."""
        now = self._clock.now()
        changed, seen = self._keep(access, fact, answer, now)
        if changed is None:
            raise why_not(seen, now)
        return changed

    def _keep(
        self,
        access: Access,
        fact: str,
        answer: dict[str, Any],
        now: datetime,
        *conditions: ColumnElement[bool],
        **values: Any,
    ) -> tuple[Registration | None, Registration | None]:
        """Add an answer to the others; return the registration if that could be done, and its state before."""
        with self._store.write() as connection:
            # Locked, because all answers are written as one value: two steps at once keep both answers.
            connection.execute(
                select(registrations.c.id).where(registrations.c.id == access.registration_id).with_for_update()
            )
            seen = self._rows.see(connection, access)
            answers = {**(seen.answers if seen else {}), fact: answer}
            return self._rows.advance(connection, access, fact, now, *conditions, answers=answers, **values), seen
