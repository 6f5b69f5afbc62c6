"""The adviser's desk: own customers who may need help now, the most urgent first, and a reminder to each (P54)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import Connection, select

from services.accounts.conditions import is_registered
from services.base import Base
from services.grants.nudges import Nudges
from services.letters import rows
from services.refusal import OutOfTurn
from services.register.conditions import is_advised_by
from services.staff import Hit, StaffSession
from services.staff.search import CustomerSearch
from services.store.tables.letters import letter_passwords, letters
from services.store.tables.payments import invoices
from services.store.tables.register import advisers, customers
from services.store.tables.requests import requests
from services.worklists.selection_tokens import SelectionTokens

MOST = 50
"""Customers on the desk, and things of each kind that are looked at."""
Kind = Literal["unread", "premium", "request", "letter_password"]


@dataclass(frozen=True)
class Need:
    """One reason why a customer may need help."""

    kind: Kind
    day: date | None = None
    """The last day to read a letter or to answer a question, or the day on which an invoice was due."""
    letter_type: str = ""
    amount: int = 0
    currency: str = ""


@dataclass(frozen=True)
class DeskLine:
    """A customer of the desk, masked until identified, and why they stand there."""

    mark: str
    hit: Hit
    needs: tuple[Need, ...]
    nudged_at: datetime | None
    """When they were reminded today."""


class AdviserDesk:
    """Reads the desk, and reminds. Only advisers have one."""

    def __init__(self, base: Base, *, search: CustomerSearch, marks: SelectionTokens, nudges: Nudges) -> None:
        self._store = base.store
        self._clock = base.clock
        self._profile = base.profile
        self._search = search
        self._marks = marks
        self._nudges = nudges

    def lines(self, session: StaffSession) -> list[DeskLine]:
        """Return the adviser's customers who may need help, the most urgent first. Others have none."""
        adviser, now = session.adviser, self._clock.now()
        if not adviser:
            return []
        today = now.astimezone(self._profile.zone).date()
        needs: dict[str, list[Need]] = {}
        with self._store.read() as connection:
            for kutid, need in self._needs(connection, adviser, today):
                needs.setdefault(kutid, []).append(need)
            urgent = sorted(needs, key=lambda kutid: min(one.day or date.max for one in needs[kutid]))[:MOST]
            nudged = self._nudges.sent_today(connection, urgent, now)
        hits = {hit.kutid: hit for hit in self._search.hits(session, urgent)}
        return [
            DeskLine(self._marks.seal(session, "customer", kutid), hits[kutid], tuple(needs[kutid]), nudged.get(kutid))
            for kutid in urgent
            if kutid in hits
        ]

    def nudge(self, session: StaffSession, mark: str) -> None:
        """Remind a customer by mail, once a day.

        Raises Refusal ``nudge.no_address``; OutOfTurn where the customer is not the adviser's, or was reminded today.
        """
        kutid, now = self._marks.read(session, "customer", mark), self._clock.now()
        if kutid is None or session.adviser is None:
            raise OutOfTurn
        own = select(customers.c.kutid).where(
            customers.c.kutid == kutid, is_advised_by(customers.c.kutid, session.adviser)
        )
        with self._store.write() as connection:
            if connection.execute(own.where(session.lasts(now))).first() is None:
                raise OutOfTurn
            self._nudges.send(connection, kutid, session.actor, now)

    def _needs(self, connection: Connection, adviser: str, today: date) -> Iterator[tuple[str, Need]]:
        unread = (
            select(letters.c.kutid, letters.c.type, letters.c.latest_on)
            .where(letters.c.latest_on >= today, letters.c.opened_at.is_(None), rows.IS_CURRENT)
            .order_by(letters.c.latest_on)
        )
        for row in self._own(connection, unread, letters.c.kutid, adviser):
            yield row.kutid, Need("unread", row.latest_on, row.type)
        overdue = (
            select(
                invoices.c.kutid,
                invoices.c.due_on,
                invoices.c.currency,
                (invoices.c.amount - invoices.c.received).label("rest"),
            )
            .where(invoices.c.paid_at.is_(None), invoices.c.due_on < today)
            .order_by(invoices.c.due_on)
        )
        for row in self._own(connection, overdue, invoices.c.kutid, adviser):
            yield row.kutid, Need("premium", row.due_on, amount=row.rest, currency=row.currency)
        asked = (
            select(requests.c.kutid, requests.c.answer_by)
            .where(requests.c.state == "question")
            .order_by(requests.c.answer_by)
        )
        for row in self._own(connection, asked, requests.c.kutid, adviser):
            yield row.kutid, Need("request", row.answer_by)
        if self._profile.letters == "encrypted_mail":
            default = (
                select(customers.c.kutid)
                .outerjoin(letter_passwords, letter_passwords.c.kutid == customers.c.kutid)
                .where(letter_passwords.c.sealed.is_(None), customers.c.birth_number.is_not(None))
                .where(is_registered(customers.c.kutid))
            )
            for row in self._own(connection, default, customers.c.kutid, adviser):
                yield row.kutid, Need("letter_password")

    @staticmethod
    def _own(connection: Connection, query: Any, kutid: Any, adviser: str) -> Any:
        own = select(advisers.c.kutid).where(advisers.c.adviser == adviser)
        return connection.execute(query.where(kutid.in_(own)).limit(MOST)).all()
