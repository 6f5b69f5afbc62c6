"""Looks for data that should be put right: through the register after each import, and at what customers have tried.

A worker does it beside everything else, a piece at a time, so that neither the import nor a customer's request does
anything more for it. A case that staff closed opens again only for a new reason: it
had gone and came back, the data changed, or another attempt failed.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, func, or_, select, update

from services import randomness
from services.accounts.conditions import is_registered
from services.base import Base
from services.crash_points import reach
from services.limits.allowances import Allowances
from services.register.conditions import has_live_policy, has_mobile
from services.register.importing.quality import SHARED_BY
from services.register.policyholders import OLD_NUMBER
from services.store.statements import insert_for
from services.store.tables.limits import allowances as allowances_table
from services.store.tables.register import customers, phones
from services.store.tables.worklists import quality_cases, quality_sweep
from services.values.fingerprints import fingerprint
from services.worklists.quality import FAILED, LANDLINE, NO_PHONE, OF_TRIES, OLD_ACCOUNT, SHARED_PHONE, TAX_CUT

PIECE = 1000
"""Customers that one transaction scans."""
SEVERAL = 3
"""Wrong attempts in a row at an existing number that make a case."""
_CUT = 8
"""The digits of a Hungarian tax number up to the hyphen."""


@dataclass(frozen=True)
class _Finding:
    kutid: str
    kind: str
    evidence: str


class QualityScan:
    """Finds cases. Several workers may do so at once: a piece that another has done is left alone."""

    def __init__(self, base: Base, allowances: Allowances) -> None:
        self._store = base.store
        self._clock = base.clock
        self._wait = base.profile.identification.wait
        self._allowances = allowances

    def go_on(self) -> bool:
        """Look at the next piece of the register; return whether there was one."""
        with self._store.read() as connection:
            wanted = select(*quality_sweep.c).where(quality_sweep.c.done < quality_sweep.c.wanted)
            sweep = connection.execute(wanted).first()
            if sweep is None:
                return False
            following = select(customers.c.kutid).where(customers.c.kutid > sweep.position)
            kutids = list(connection.execute(following.order_by(customers.c.kutid).limit(PIECE)).scalars())
            last = kutids[-1] if kutids else sweep.position
            found = {(one.kutid, one.kind): one for one in _look(connection, sweep.position, last)} if kutids else {}
            known = _known(connection, sweep.position, last) if kutids else {}
        reach("scan.looked")
        step = {"position": last} if kutids else {"done": sweep.wanted, "position": ""}
        mine = update(quality_sweep).where(
            quality_sweep.c.wanted == sweep.wanted, quality_sweep.c.position == sweep.position
        )
        with self._store.write() as connection:
            # Another worker, or an import, was quicker otherwise.
            if connection.execute(mine.where(quality_sweep.c.done == sweep.done).values(**step)).rowcount:
                _keep(connection, found, known, self._clock.now())
        return True

    def find_failed_attempts(self) -> int:
        """Open cases for customers whose identification failed several times lately; return how many are new."""
        tried = select(
            allowances_table.c.key, allowances_table.c.kutid, allowances_table.c.used, allowances_table.c.ends_at
        ).where(allowances_table.c.kutid.is_not(None))
        of_tries = select(quality_cases.c.kutid, quality_cases.c.kind, quality_cases.c.found_at).where(
            quality_cases.c.kind.in_(OF_TRIES),
            quality_cases.c.kutid.in_(select(allowances_table.c.kutid).where(allowances_table.c.kutid.is_not(None))),
        )
        with self._store.read() as connection:
            rows = connection.execute(tried.where(~is_registered(allowances_table.c.kutid))).all()
            known = {(row.kutid, row.kind): row.found_at for row in connection.execute(of_tries)}
        found = self._tried(rows)
        new = [case for case, at in found.items() if case not in known or known[case] < at]
        if not new:
            return 0
        with self._store.write() as connection:
            return sum(_try_again(connection, *case, found[case]) for case in new)

    def _tried(self, rows: Sequence[Any]) -> dict[tuple[str, str], datetime]:
        """Return the cases that rows of allowances make, and when each was tried last."""
        found: dict[tuple[str, str], datetime] = {}
        for row in rows:
            is_old = row.key == self._allowances.key(OLD_NUMBER, row.kutid)
            if is_old or row.used >= SEVERAL:
                case, at = (row.kutid, OLD_ACCOUNT if is_old else FAILED), row.ends_at - self._wait
                found[case] = max(found.get(case, at), at)
        return found


def _look(connection: Connection, first: str, last: str) -> Iterator[_Finding]:
    """Yield what is amiss with the customers after `first` up to `last` who have a policy in force."""
    piece = and_(customers.c.kutid > first, customers.c.kutid <= last, has_live_policy(customers.c.kutid))
    of_piece = and_(phones.c.kutid > first, phones.c.kutid <= last)
    numbers: dict[str, set[str]] = defaultdict(set)
    for row in connection.execute(select(phones.c.kutid, phones.c.number).where(of_piece)):
        numbers[row.kutid].add(row.number)
    for kutid in connection.execute(select(customers.c.kutid).where(piece, ~has_mobile(customers.c.kutid))).scalars():
        yield _Finding(kutid, LANDLINE if numbers[kutid] else NO_PHONE, _hash(*numbers[kutid]))
    is_cut = and_(customers.c.holder_type == "company", func.length(customers.c.tax_number) == _CUT)
    for row in connection.execute(select(customers.c.kutid, customers.c.tax_number).where(piece, is_cut)):
        yield _Finding(row.kutid, TAX_CUT, _hash(row.tax_number))
    shared = _shared(connection, of_piece)
    if shared:
        for kutid in connection.execute(select(customers.c.kutid).where(piece)).scalars():
            if theirs := numbers[kutid] & shared:
                yield _Finding(kutid, SHARED_PHONE, _hash(*theirs))


def _shared(connection: Connection, of_piece: ColumnElement[bool]) -> set[str]:
    """Return those of these phones' numbers that many customers have."""
    other = phones.alias()
    is_shared = (
        select(other.c.number)
        .where(other.c.number.in_(select(phones.c.number).where(of_piece)))
        .group_by(other.c.number)
        .having(func.count(other.c.kutid.distinct()) >= SHARED_BY)
    )
    return set(connection.execute(is_shared).scalars())


def _known(connection: Connection, first: str, last: str) -> dict[tuple[str, str], Any]:
    rows = select(*quality_cases.c).where(
        quality_cases.c.kutid > first, quality_cases.c.kutid <= last, quality_cases.c.kind.not_in(OF_TRIES)
    )
    return {(row.kutid, row.kind): row for row in connection.execute(rows)}


def _keep(
    connection: Connection, found: dict[tuple[str, str], _Finding], known: dict[tuple[str, str], Any], now: datetime
) -> None:
    """Write down what is new, what has changed, and what has gone."""
    new = [
        {"id": randomness.opaque_id(), "found_at": now, **vars(one)} for case, one in found.items() if case not in known
    ]
    if new:
        connection.execute(insert_for(connection, quality_cases).values(new).on_conflict_do_nothing())
    for case, row in known.items():
        if case not in found:
            _end(connection, row, now)
        elif row.evidence != found[case].evidence:
            mine = update(quality_cases).where(quality_cases.c.id == row.id)
            connection.execute(mine.values(evidence=found[case].evidence))
            # The data differ from when the case was closed: it opens again.
            connection.execute(mine.where(quality_cases.c.closed_at.is_not(None)).values(closed_at=None, found_at=now))


def _end(connection: Connection, row: Any, now: datetime) -> None:
    """Close a case that has gone; nothing is kept of one that nobody has looked at."""
    mine = quality_cases.c.id == row.id
    if row.closed_at is None and row.closed_by is None:
        connection.execute(delete(quality_cases).where(mine, quality_cases.c.closed_at.is_(None)))
    elif row.evidence is not None:
        values = {"evidence": None, "closed_at": row.closed_at or now}
        connection.execute(update(quality_cases).where(mine).values(values))


def _try_again(connection: Connection, kutid: str, kind: str, at: datetime) -> bool:
    """Record a customer's failed attempt; return whether the case is new or open again."""
    mine = update(quality_cases).where(
        quality_cases.c.kutid == kutid, quality_cases.c.kind == kind, quality_cases.c.found_at < at
    )
    is_before = or_(quality_cases.c.closed_at.is_(None), quality_cases.c.closed_at < at)
    if connection.execute(mine.where(is_before).values(found_at=at, closed_at=None)).rowcount:
        return True
    if connection.execute(
        select(quality_cases.c.id).where(quality_cases.c.kutid == kutid, quality_cases.c.kind == kind)
    ).first():
        return False
    case = {"id": randomness.opaque_id(), "kutid": kutid, "kind": kind, "evidence": "tried", "found_at": at}
    insertion = insert_for(connection, quality_cases).values(case).on_conflict_do_nothing()
    return connection.execute(insertion.returning(quality_cases.c.id)).first() is not None


def _hash(*data: str) -> str:
    return fingerprint(" ".join(sorted(data)))[:32]
