"""Growing waits after failed sign-ins, per account and per source (ASVS 6.3.1, NIST SP 800-63B-4, 3.2.2)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, delete, or_, select

from services.limits.allowances import Allowances
from services.profiles import SignIn as Rules
from services.store.statements import insert_in
from services.store.tables.limits import sign_in_tries as table
from services.values.networks import network_of

CUSTOMER, STAFF, ASKED_AGAIN = "sign-in", "staff sign-in", "password asked again"
"""What a password is typed for. Each is counted for itself: a failure for one makes nobody wait for another."""
_NETWORK = "sign-in source"
PROVED = "proved"
"""In place of a browser's mark: one that has registered here or has just followed the link for a new password."""

# Not the present moment: of two free tries at once, one may have read the clock first and be counted second.
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

_now = bindparam("now", type_=table.c.wait_until.type)


def waits(key: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that the table has a row with this key which must wait at the moment `now`."""
    return and_(table.c.key == key, table.c.wait_until > _now, table.c.ends_at > _now)


_WAITING = select(table.c.wait_until).where(waits(bindparam("key", type_=table.c.key.type)))


class FailedAttempts:
    """Counts failures in a row. The first few are free; then each makes the wait longer, up to a longest one.

    A wait ends by itself, and a try during it is not looked at, so that it does not count either.
    """

    def __init__(self, rules: Rules, allowances: Allowances) -> None:
        self._rules = rules
        self._allowances = allowances
        self._counting: dict[tuple[str, bool], Any] = {}

    def key(self, purpose: str, email_key: str, browser: str = "") -> str:
        """Return the key of an address for one of the purposes above.

        A `browser` that has signed in there before, or is `PROVED`, has a key of its own: nobody keeps a customer out
        of the account by failing on purpose elsewhere.
        """
        return self._allowances.key(purpose, f"{email_key} {browser}")

    def source_key(self, source: str, purpose: str = _NETWORK) -> str:
        """Return the key of the network that an address stands for."""
        return self._allowances.key(purpose, network_of(source))

    def waits_until(self, connection: Connection, key: str, now: datetime) -> datetime | None:
        """Return until when `key` must wait, or None."""
        until: datetime | None = connection.execute(_WAITING, {"key": key, "now": now}).scalar()
        return until

    def count(self, connection: Connection, key: str, now: datetime) -> datetime | None:
        """Record an attempt before it is checked, so that parallel attempts cannot exceed the limit.

        Returns None when it may be checked, else the moment until which to wait.
        """
        return self._count(connection, key, now, is_source=False)

    def count_sign_in(self, connection: Connection, key: str, now: datetime, *, source: str | None) -> datetime | None:
        """Count a try to sign in as `count` does; not while the network of `source` waits.

        `source` is None where the browser is known: the failures of others do not keep it waiting.
        """
        wait = self.waits_until(connection, self.source_key(source), now) if source is not None else None
        return wait or self.count(connection, key, now)

    def count_source(
        self, connection: Connection, source: str, now: datetime, purpose: str = _NETWORK
    ) -> datetime | None:
        """Count a failure, as `count` does, for the network that it came from."""
        return self._count(connection, self.source_key(source, purpose), now, is_source=True)

    def forget(self, connection: Connection, *keys: str) -> None:
        """After a success: earlier slips no longer count."""
        connection.execute(delete(table).where(table.c.key.in_(keys)))

    def _count(self, connection: Connection, key: str, now: datetime, *, is_source: bool) -> datetime | None:
        rules = self._rules
        dialect, free = connection.dialect.name, rules.source_tries if is_source else rules.tries
        if (dialect, is_source) not in self._counting:
            self._counting[dialect, is_source] = self._build_counting(dialect, free, is_source=is_source)
        asked = {"key": key, "now": now, "failures": 1, "wait_until": _LONG_AGO, "ends_at": now + rules.forgotten}
        waits = {f"after_{failures}": now + wait for failures, wait in self._waits(free).items()}
        if connection.execute(self._counting[dialect, is_source], {**asked, **waits}).first():
            return None
        return self.waits_until(connection, key, now) or now

    def _build_counting(self, dialect: str, free: int, *, is_source: bool) -> Any:
        # Built once: that takes longer than running it.
        moment = table.c.wait_until.type
        over = table.c.ends_at <= _now
        *growing, longest = self._waits(free)
        counting = insert_in(dialect, table)
        new = counting.excluded
        return counting.on_conflict_do_update(
            index_elements=[table.c.key],
            set_={
                "failures": case((over, 1), else_=table.c.failures + 1),
                "wait_until": case(
                    (or_(over, table.c.failures + 1 < free), new.wait_until),
                    *((table.c.failures + 1 == count, bindparam(f"after_{count}", type_=moment)) for count in growing),
                    else_=bindparam(f"after_{longest}", type_=moment),
                ),
                # Many people share a network, and somebody there mistypes every day: its count ends in any case.
                "ends_at": case((over, new.ends_at), else_=table.c.ends_at) if is_source else new.ends_at,
            },
            where=or_(over, table.c.wait_until <= _now),
        ).returning(table.c.failures)

    def _waits(self, free: int) -> dict[int, timedelta]:
        """Return the wait after each number of failures; the last wait holds for any more."""
        waits = {free: min(self._rules.first_wait, self._rules.longest_wait)}
        while (wait := waits[max(waits)]) < self._rules.longest_wait:
            waits[max(waits) + 1] = min(wait * 2, self._rules.longest_wait)
        return waits
