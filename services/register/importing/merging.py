"""Compares the staged rows with the register and merges them, set by set: the statements, alike on both databases."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Table,
    and_,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)

from services.register.importing.rows import (
    ADVISERS,
    COMMUNICATION_IDS,
    CUSTOMER_ACCOUNTS,
    CUSTOMERS,
    KINDS,
    PHONES,
    POLICIES,
    POLICY_ROWS,
    Kind,
)
from services.register.importing.staging import STAGED, changes, refused, vanished, vanished_rows
from services.store.statements import insert_for
from services.store.tables.register import REGISTER, contact_changes, customers
from services.store.tables.register import phones as phones_table
from services.store.tables.register import policies as policies_table
from services.store.tables.register import policy_rows as policy_rows_table

KEYS: Mapping[Kind, tuple[str, ...]] = {
    CUSTOMERS: ("kutid",),
    POLICIES: ("policy_number",),
    PHONES: ("kutid", "policy_number", "number"),
    COMMUNICATION_IDS: ("communication_id",),
    CUSTOMER_ACCOUNTS: ("account_number",),
    ADVISERS: ("kutid",),
    POLICY_ROWS: ("policy_number", "language", "section", "position"),
}
_REGISTER = dict(zip(KINDS, REGISTER, strict=True))

Present = Mapping[Kind, frozenset[str]]
"""The files of a run, each with the register's columns that it speaks of."""


def duplicates(kind: Kind) -> Select[Any]:
    """Return line and customer of the rows whose key stands on an earlier line of the same file."""
    staged = STAGED[kind]
    earlier = staged.alias("earlier")
    is_repeated = (
        select(earlier.c.line).where(earlier.c.line < staged.c.line, *_same_key(kind, earlier, staged)).exists()
    )
    return select(staged.c.line, _customer_in(staged)).where(is_repeated).order_by(staged.c.line)


def number_rows(connection: Connection) -> None:
    """Give the staged rows of policies that have no position their place in the file."""
    staged = STAGED[POLICY_ROWS]
    is_bare = staged.c.label.is_not(None) & staged.c.position.is_(None)
    connection.execute(update(staged).where(is_bare).values(position=staged.c.line))


def drop_duplicates(connection: Connection, kind: Kind) -> None:
    """Take the repeated rows off the stage: the first one counts."""
    staged = STAGED[kind]
    lines = duplicates(kind).with_only_columns(staged.c.line).order_by(None)
    connection.execute(delete(staged).where(staged.c.line.in_(lines)))


def compare(connection: Connection, present: Present) -> None:
    """Find out which staged rows do not fit the register, which would change it, and what has vanished from it."""
    for result in (refused, changes, vanished, vanished_rows):
        connection.execute(delete(result))
    for kind, query in _misfits().items():
        if kind in present:
            _keep(connection, refused, query)
    for kind, columns in present.items():
        _keep(connection, changes, _changes(kind, columns))
    if PHONES in present:
        _keep(connection, vanished, _vanished_from_file())
    if POLICIES in present:
        _keep(connection, vanished, _left_by_policy())
    if POLICY_ROWS in present:
        _keep(connection, vanished_rows, _vanished_rows())
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"ANALYZE {changes.name}")


def merge(connection: Connection, present: Present) -> Iterator[Kind]:
    """Bring the register to what the files say, yielding each kind when it is done."""
    phones = phones_table
    gone = select(vanished.c.kutid, vanished.c.policy_number, vanished.c.number)
    connection.execute(delete(phones).where(tuple_(phones.c.kutid, phones.c.policy_number, phones.c.number).in_(gone)))
    rows = policy_rows_table
    gone_rows = select(*(vanished_rows.c[name] for name in KEYS[POLICY_ROWS]))
    connection.execute(delete(rows).where(tuple_(*(rows.c[name] for name in KEYS[POLICY_ROWS])).in_(gone_rows)))
    for kind in KINDS:
        if kind in present:
            _upsert(connection, kind, present[kind])
            yield kind


def settle(connection: Connection, now: datetime) -> None:
    """Note that the register has what staff had learnt of a customer: from now on it alone says what is known.

    What they had learnt before that is over with it: a number that the customer has given up never comes, and would
    stay on record for ever.
    """
    learnt, held, known = contact_changes.c, phones_table.c, customers.c
    has_number = select(held.number).where(held.kutid == learnt.kutid, held.number == learnt.after).exists()
    is_address = func.lower(known.email) == func.lower(learnt.after)
    has_address = select(known.kutid).where(known.kutid == learnt.kutid, is_address).exists()
    for kind, has_come in (("mobile", has_number), ("email", has_address)):
        come = update(contact_changes).where(learnt.kind == kind, learnt.settled_at.is_(None), has_come)
        connection.execute(come.values(settled_at=now))
    later = contact_changes.alias("later").c
    is_later = later.kutid == learnt.kutid, later.kind == learnt.kind, later.id > learnt.id
    is_over = select(later.id).where(*is_later, later.settled_at.is_not(None)).exists()
    # Also where the later one came by an earlier import.
    connection.execute(update(contact_changes).where(learnt.settled_at.is_(None), is_over).values(settled_at=now))


def misfits(kind: Kind) -> Select[Any]:
    """Return line, customer, field and reason of the rows that do not fit the register."""
    staged = STAGED[kind]
    return (
        select(refused.c.line, _customer_in(staged), refused.c.field, refused.c.reason)
        .join(staged, staged.c.line == refused.c.line)
        .where(refused.c.kind == kind.name)
        .order_by(refused.c.line)
    )


def count_changes(connection: Connection, kind: Kind) -> tuple[int, int]:
    """Return how many rows add something, and how many change something."""
    counts = (
        select(changes.c.change, func.count().label("rows"))
        .where(changes.c.kind == kind.name)
        .group_by(changes.c.change)
    )
    found = {row.change: row.rows for row in connection.execute(counts)}
    return found.get("added", 0), found.get("changed", 0)


def count_vanished(connection: Connection) -> int:
    """Return how many of the register's phones the files no longer have."""
    return connection.scalar(select(func.count()).select_from(vanished)) or 0


def count_vanished_rows(connection: Connection) -> int:
    """Return how many rows of policies the files no longer have."""
    return connection.scalar(select(func.count()).select_from(vanished_rows)) or 0


def _customer_in(staged: FromClause) -> ColumnElement[str]:
    """Return the customer of a staged row; rows of policies do not name theirs."""
    return staged.c.kutid if "kutid" in staged.c else literal("")


def _keep(connection: Connection, table: Table, query: Select[Any]) -> None:
    connection.execute(table.insert().from_select(table.columns.keys(), query))


def _same_key(kind: Kind, one: FromClause, other: FromClause) -> Iterator[ColumnElement[bool]]:
    return (one.c[key] == other.c[key] for key in KEYS[kind])


def _is_accepted(kind: Kind, staged: FromClause) -> ColumnElement[bool]:
    return ~select(refused.c.line).where(refused.c.kind == kind.name, refused.c.line == staged.c.line).exists()


def _misfits() -> dict[Kind, Select[Any]]:
    """Return, parents first, the queries for rows of customers and policies that neither register nor files know."""
    return {
        POLICIES: _of_unknown_customer(POLICIES),
        PHONES: _phones_misfit(),
        COMMUNICATION_IDS: _of_unknown_customer(COMMUNICATION_IDS),
        CUSTOMER_ACCOUNTS: _of_unknown_customer(CUSTOMER_ACCOUNTS),
        ADVISERS: _of_unknown_customer(ADVISERS),
        POLICY_ROWS: _rows_misfit(),
    }


def _is_unknown_customer(staged: FromClause) -> ColumnElement[bool]:
    known, coming = customers, STAGED[CUSTOMERS]
    return and_(
        ~select(known.c.kutid).where(known.c.kutid == staged.c.kutid).exists(),
        ~select(coming.c.kutid).where(coming.c.kutid == staged.c.kutid).exists(),
    )


def _of_unknown_customer(kind: Kind) -> Select[Any]:
    staged = STAGED[kind]
    return select(literal(kind.name), staged.c.line, literal("kutid"), literal("unknown_customer")).where(
        _is_unknown_customer(staged)
    )


def _phones_misfit() -> Select[Any]:
    """Return phones of an unknown customer, on an unknown policy, or on a policy that is somebody else's."""
    staged, coming, known = STAGED[PHONES], STAGED[POLICIES], policies_table
    holder = func.coalesce(coming.c.kutid, known.c.kutid)
    reason = case(
        (_is_unknown_customer(staged), "unknown_customer"),
        (holder.is_(None), "unknown_policy"),
        else_="policy_of_another_customer",
    )
    field = case((_is_unknown_customer(staged), "kutid"), else_="policy_number")
    policies = staged.outerjoin(
        coming, and_(coming.c.policy_number == staged.c.policy_number, _is_accepted(POLICIES, coming))
    ).outerjoin(known, known.c.policy_number == staged.c.policy_number)
    return (
        select(literal(PHONES.name), staged.c.line, field, reason)
        .select_from(policies)
        .where(staged.c.number.is_not(None), or_(holder.is_(None), holder != staged.c.kutid))
    )


def _rows_misfit() -> Select[Any]:
    """Return rows of a policy that neither the register nor the files have."""
    staged, coming, known = STAGED[POLICY_ROWS], STAGED[POLICIES], policies_table
    is_coming = (
        select(coming.c.line)
        .where(coming.c.policy_number == staged.c.policy_number, _is_accepted(POLICIES, coming))
        .exists()
    )
    is_known = select(known.c.kutid).where(known.c.policy_number == staged.c.policy_number).exists()
    return select(literal(POLICY_ROWS.name), staged.c.line, literal("policy_number"), literal("unknown_policy")).where(
        staged.c.label.is_not(None), ~is_known, ~is_coming
    )


def _changes(kind: Kind, columns: frozenset[str]) -> Select[Any]:
    staged, register = STAGED[kind], _REGISTER[kind]
    key = KEYS[kind]
    is_new = register.c[key[0]].is_(None)
    differences = [register.c[name].is_distinct_from(staged.c[name]) for name in sorted(columns.difference(key))]
    return (
        select(literal(kind.name), staged.c.line, case((is_new, "added"), else_="changed"))
        .select_from(staged.outerjoin(register, and_(*_same_key(kind, register, staged))))
        .where(
            staged.c[key[-1]].is_not(None),
            or_(is_new, *differences),
            _is_accepted(kind, staged),
        )
    )


def _vanished_from_file() -> Select[Any]:
    """Return the phones that customers of the phones file have in the register and no longer in the file."""
    staged, known = STAGED[PHONES], phones_table
    stays = select(staged.c.line).where(*_same_key(PHONES, staged, known), _is_accepted(PHONES, staged)).exists()
    return select(known.c.kutid, known.c.policy_number, known.c.number).where(
        known.c.kutid.in_(select(staged.c.kutid)), ~stays
    )


def _vanished_rows() -> Select[Any]:
    """Return what the register has of the policies in the file and the file has no longer."""
    staged, known = STAGED[POLICY_ROWS], policy_rows_table
    stays = select(staged.c.line).where(*_same_key(POLICY_ROWS, staged, known), _is_accepted(POLICY_ROWS, staged))
    return select(*(known.c[name] for name in KEYS[POLICY_ROWS])).where(
        known.c.policy_number.in_(select(staged.c.policy_number)), ~stays.exists()
    )


def _left_by_policy() -> Select[Any]:
    """Return the phones that a former holder has on a policy which the files give to another customer."""
    coming, known, phones = STAGED[POLICIES], policies_table, phones_table
    found = select(vanished.c.number).where(*_same_key(PHONES, vanished, phones)).exists()
    return (
        select(phones.c.kutid, phones.c.policy_number, phones.c.number)
        .join(known, and_(known.c.policy_number == phones.c.policy_number, known.c.kutid == phones.c.kutid))
        .join(coming, coming.c.policy_number == known.c.policy_number)
        .where(coming.c.kutid != known.c.kutid, _is_accepted(POLICIES, coming), ~found)
    )


def _upsert(connection: Connection, kind: Kind, columns: frozenset[str]) -> None:
    staged, register = STAGED[kind], _REGISTER[kind]
    names = sorted(columns)
    # In the order of the key, whatever the file's: a big table's index grows several times quicker so.
    rows = (
        select(*(staged.c[name] for name in names))
        .where(changes.c.kind == kind.name, changes.c.line == staged.c.line)
        .order_by(*(staged.c[key] for key in KEYS[kind]))
    )
    statement = insert_for(connection, register).from_select(names, rows)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=list(KEYS[kind]),
            set_={name: statement.excluded[name] for name in names if name not in KEYS[kind]},
        )
    )
