"""Growing waits after failed sign-ins, per account and per source (ASVS 6.3.1, NIST SP 800-63B-4, 3.2.2)."""

import ipaddress
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, case, delete, literal, or_, select

from services.allowances import Allowances
from services.profiles import SignIn as Rules
from services.store.statements import insert_for
from services.store.tables import sign_in_tries as table

PROVED = "proved"
"""In place of a browser's mark: one that has registered here or has just followed the link for a new password."""

# Not the present moment: of two free tries at once, one may have read the clock first and be counted second.
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


class Tries:
    """Counts failures in a row. The first few are free; then each makes the wait longer, up to a longest one.

    A wait ends by itself, and a try during it is not looked at, so that it does not count either.
    """

    def __init__(self, rules: Rules, allowances: Allowances) -> None:
        self._rules = rules
        self._allowances = allowances

    def key(self, email_key: str, device_hash: str = "") -> str:
        """Return the key of an address; of a browser that has signed in there before, or is `PROVED`, one of its own.

        So nobody keeps a customer out of the account by failing on purpose elsewhere.
        """
        return self._allowances.key("sign-in", f"{email_key} {device_hash}")

    def source_key(self, source: str) -> str:
        """Return the key of a network address; of IPv6, of its whole /64, which one household holds."""
        try:
            address = ipaddress.ip_address(source)
        except ValueError:
            return self._allowances.key("sign-in source", source)
        network = ipaddress.ip_network((address, 64), strict=False) if address.version == 6 else address
        return self._allowances.key("sign-in source", str(network))

    def waits_until(self, connection: Connection, key: str, now: datetime) -> datetime | None:
        """Return until when `key` must wait, or None."""
        until: datetime | None = connection.execute(
            select(table.c.wait_until).where(table.c.key == key, table.c.wait_until > now, table.c.ends_at > now)
        ).scalar()
        return until

    def count(self, connection: Connection, key: str, now: datetime, *, is_source: bool = False) -> datetime | None:
        """Count a failure, or a try before it is looked at: of tries at once only those that are free are.

        Returns None when it may be looked at, else until when to wait.
        """
        free = self._rules.source_tries if is_source else self._rules.tries
        over = table.c.ends_at <= now
        statement = insert_for(connection, table).values(
            key=key, failures=1, wait_until=self._wait_until(now, 1, free), ends_at=now + self._rules.forgotten
        )
        moment = table.c.wait_until.type
        later = self._steps(free)
        statement = statement.on_conflict_do_update(
            index_elements=[table.c.key],
            set_={
                "failures": case((over, 1), else_=table.c.failures + 1),
                "wait_until": case(
                    (over, literal(self._wait_until(now, 1, free), moment)),
                    (table.c.failures + 1 < free, literal(_LONG_AGO, moment)),
                    *(
                        (table.c.failures + 1 == count, literal(self._wait_until(now, count, free), moment))
                        for count in later
                    ),
                    else_=literal(now + self._rules.longest_wait, moment),
                ),
                "ends_at": now + self._rules.forgotten,
            },
            where=or_(over, table.c.wait_until <= now),
        ).returning(table.c.failures)
        if connection.execute(statement).first():
            return None
        return self.waits_until(connection, key, now) or now

    def forget(self, connection: Connection, *keys: str) -> None:
        """After a success: earlier slips no longer count."""
        connection.execute(delete(table).where(table.c.key.in_(keys)))

    def _steps(self, free: int) -> range:
        """Return the counts of failures whose wait is shorter than the longest one."""
        last = free
        while self._wait(last, free) < self._rules.longest_wait:
            last += 1
        return range(free, last)

    def _wait(self, failures: int, free: int) -> timedelta:
        if failures < free:
            return timedelta()
        doubled = self._rules.first_wait * (1 << min(failures - free, 20))
        return min(doubled, self._rules.longest_wait)

    def _wait_until(self, now: datetime, failures: int, free: int) -> datetime:
        return now + self._wait(failures, free) if failures >= free else _LONG_AGO
