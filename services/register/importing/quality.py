"""Measures the register's data: what in it keeps customers from registering."""

from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select

from services.register.importing import damaged_names
from services.register.importing.report import Finding, Quality
from services.store.tables.register import customers, phones
from services.values import masking
from services.values.identifiers import TaxNumber

EXAMPLES = 5
SHARED_BY = 4


def measure(connection: Connection) -> Quality:
    """Return the quality of the register as `connection` sees it."""
    without_rest, check_fails = _tax_numbers(connection)
    return Quality(
        customers=connection.scalar(select(func.count()).select_from(customers)) or 0,
        without_mobile=_find(connection, _without_mobile()),
        without_second_datum=_find(connection, _without_second_datum()),
        tax_number_without_rest=without_rest,
        tax_number_check_fails=check_fails,
        shared_phones=_shared_phones(connection),
        damaged_names=_damaged_names(connection),
    )


def _find(connection: Connection, query: Select[Any]) -> Finding:
    """Return how many rows `query` has, and the first of them."""
    rows = connection.execute(
        query.add_columns(func.count().over()).order_by(query.selected_columns[0]).limit(EXAMPLES)
    ).all()
    return Finding(rows[0][-1] if rows else 0, tuple(row[0] for row in rows))


def _without_mobile() -> Select[Any]:
    has_mobile = select(phones.c.kutid).where(phones.c.kutid == customers.c.kutid, phones.c.is_mobile).exists()
    return select(customers.c.kutid).where(~has_mobile)


def _without_second_datum() -> Select[Any]:
    is_person = customers.c.holder_type == "person"
    return select(customers.c.kutid).where(
        or_(
            and_(is_person, customers.c.birth_date.is_(None), customers.c.birth_number.is_(None)),
            and_(~is_person, customers.c.tax_number.is_(None)),
        )
    )


def _tax_numbers(connection: Connection) -> tuple[Finding, Finding]:
    """Return the companies whose tax number lacks its rest, and those whose check digit is wrong."""
    query = (
        select(customers.c.kutid, customers.c.tax_number)
        .where(customers.c.holder_type == "company", customers.c.tax_number.is_not(None))
        .order_by(customers.c.kutid)
    )
    without_rest, check_fails = _Tally(), _Tally()
    for kutid, text in connection.execute(query, execution_options={"yield_per": 5000}):
        number = TaxNumber.parse(text)
        if number.lacks_rest:
            without_rest.add(kutid)
        if not number.is_sound:
            check_fails.add(kutid)
    return without_rest.finding, check_fails.finding


def _shared_phones(connection: Connection) -> Finding:
    owners = func.count(phones.c.kutid.distinct())
    shared = select(phones.c.number).group_by(phones.c.number).having(owners >= SHARED_BY)
    rows = connection.execute(
        shared.add_columns(owners, func.count().over()).order_by(owners.desc(), phones.c.number).limit(EXAMPLES)
    ).all()
    examples = tuple(f"{masking.mobile(number)} ({count})" for number, count, _ in rows)
    return Finding(rows[0][2] if rows else 0, examples)


def _damaged_names(connection: Connection) -> Finding:
    is_suspect = or_(*(customers.c.name.contains(mark) for mark in damaged_names.MARKS))
    query = select(customers.c.kutid, customers.c.name).where(is_suspect).order_by(customers.c.kutid)
    damaged = _Tally()
    for kutid, name in connection.execute(query, execution_options={"yield_per": 5000}):
        if damaged_names.is_damaged(name):
            damaged.add(kutid)
    return damaged.finding


class _Tally:
    """Counts, and keeps the first few."""

    def __init__(self) -> None:
        self._count = 0
        self._examples: list[str] = []

    def add(self, example: str) -> None:
        """Count one more."""
        self._count += 1
        if self._count <= EXAMPLES:
            self._examples.append(example)

    @property
    def finding(self) -> Finding:
        """What was counted."""
        return Finding(self._count, tuple(self._examples))
