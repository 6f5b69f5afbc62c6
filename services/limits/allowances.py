"""How often something may be done: counted in the database, so that no process and no restart forgets."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Integer, bindparam, case, delete, exists, literal, or_, select

from services.store.statements import insert_for, insert_in, queue_for
from services.store.tables.limits import allowances

_now = bindparam("now", type_=allowances.c.ends_at.type)
IS_SPENT: ColumnElement[bool] = (allowances.c.used >= bindparam("limit", type_=Integer)) & (allowances.c.ends_at > _now)
"""That a row of the table is used up: `limit` times, at `now`."""

# Statements that every registration runs are built once: that costs more than running them.
_SPENT = select(allowances.c.ends_at).where(allowances.c.key == bindparam("its_key"), IS_SPENT)
_TAKEN = select(allowances.c.key, allowances.c.used, allowances.c.ends_at).where(
    allowances.c.key.in_(bindparam("places", expanding=True)), allowances.c.ends_at > _now
)


def is_spent(key: ColumnElement[str]) -> ColumnElement[bool]:
    """Return the condition that the allowance with this key is used up: `limit` times, at `now`."""
    return exists().where(allowances.c.key == key, IS_SPENT)


@cache
def _occupying(dialect: str) -> Any:
    values = [
        bindparam("place", type_=allowances.c.key.type),
        literal(1),
        bindparam("free_at", type_=allowances.c.ends_at.type),
    ]
    occupy = insert_in(dialect, allowances).from_select(
        ["key", "used", "ends_at"], select(*values).where(~_SPENT.exists())
    )
    return occupy.on_conflict_do_update(
        index_elements=[allowances.c.key],
        set_={"used": occupy.excluded.used, "ends_at": occupy.excluded.ends_at},
        where=allowances.c.ends_at <= _now,
    ).returning(allowances.c.key)


class Allowances:
    """Counts uses of a key. After the last use allowed, the key rests until a quiet time has passed."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def key(self, purpose: str, subject: str) -> str:
        """Return the key under which `subject` (an address, a policy number) is counted; it tells nothing."""
        return hmac.new(self._secret, f"{purpose}:{subject}".encode(), hashlib.sha256).hexdigest()

    def take(
        self,
        connection: Connection,
        key: str,
        *,
        limit: int,
        quiet: timedelta,
        now: datetime,
        kutid: str | None = None,
    ) -> datetime | None:
        """Use the allowance once; one statement, so that of requests at once at most `limit` succeed.

        With `kutid` the row says whom it concerns, for the worklist of failed identifications. Returns None when it
        could be used, else the moment from which it can be again.
        """
        return _take(connection, key, limit=limit, until=now + quiet, now=now, ends_at=now + quiet, kutid=kutid)

    def take_of_window(
        self, connection: Connection, key: str, *, limit: int, window: timedelta, now: datetime
    ) -> datetime | None:
        """Use an allowance once that is renewed as a whole, `window` after its first use: for large limits.

        Otherwise as `take`.
        """
        over = allowances.c.ends_at <= now
        ends_at = case((over, literal(now + window, allowances.c.ends_at.type)), else_=allowances.c.ends_at)
        return _take(connection, key, limit=limit, until=now + window, now=now, ends_at=ends_at)

    def take_within(
        self,
        connection: Connection,
        purpose: str,
        subject: str,
        *,
        limit: int,
        window: timedelta,
        now: datetime,
        spare: int = 0,
        unless: str = "",
    ) -> datetime | None:
        """Use an allowance of `limit` uses within any `window` once: each use occupies a place for so long.

        The first `spare` places are left to other uses of the same subject. Nothing is used while the other allowance
        with the key `unless`, of the same limit, is used up.
        Returns None when there was a place, else the moment at which the next one is free.
        """
        places = [self.key(purpose, f"{number}:{subject}") for number in range(spare, limit)]
        queue_for(connection, self.key(purpose, f"0:{subject}"))
        use = {"free_at": now + window, "its_key": unless, "limit": limit, "now": now}
        # Nearly always the first place is free: one statement then.
        if connection.execute(_occupying(connection.dialect.name), {"place": places[0], **use}).first():
            return None
        return _take_free(connection, places, use)

    def take_mail(
        self, connection: Connection, email_key: str, *, limit: int, now: datetime, spare: int = 0, unless: str = ""
    ) -> datetime | None:
        """Use one of the mails that an address may get in an hour, as `take_within` (security.md, Email)."""
        hour = timedelta(hours=1)
        return self.take_within(
            connection, "mail", email_key, limit=limit, window=hour, now=now, spare=spare, unless=unless
        )

    def blocked_until(self, connection: Connection, key: str, *, limit: int, now: datetime) -> datetime | None:
        """Return the moment until which a used-up key rests, or None; uses nothing."""
        ends: datetime | None = connection.execute(_SPENT, {"its_key": key, "limit": limit, "now": now}).scalar()
        return ends

    def ends_at(self, connection: Connection, key: str) -> datetime | None:
        """Return the moment at which the uses of a key are forgotten, used up or not; None where there are none."""
        ends: datetime | None = connection.execute(select(allowances.c.ends_at).where(allowances.c.key == key)).scalar()
        return ends

    def give_back(self, connection: Connection, key: str) -> None:
        """Forget all uses of the key."""
        connection.execute(delete(allowances).where(allowances.c.key == key))


def _take(
    connection: Connection,
    key: str,
    *,
    limit: int,
    until: datetime,
    now: datetime,
    ends_at: Any,
    kutid: str | None = None,
) -> datetime | None:
    """Use the key once: the first use lasts `until`, a further one sets `ends_at`."""
    over = allowances.c.ends_at <= now
    statement = insert_for(connection, allowances).values(key=key, used=1, ends_at=until, kutid=kutid)
    statement = statement.on_conflict_do_update(
        index_elements=[allowances.c.key],
        set_={"used": case((over, 1), else_=allowances.c.used + 1), "ends_at": ends_at, "kutid": kutid},
        where=or_(over, allowances.c.used < limit),
    ).returning(allowances.c.used)
    if connection.execute(statement).first():
        return None
    ends: datetime = connection.execute(select(allowances.c.ends_at).where(allowances.c.key == key)).scalar_one()
    return ends


def _take_free(connection: Connection, places: Sequence[str], use: Mapping[str, Any]) -> datetime | None:
    """Occupy a free place of several; return None, or when the next one is free."""
    unless = use["its_key"]
    rows = connection.execute(_TAKEN, {"places": [*places, unless], "now": use["now"]}).all()
    resting = [row.ends_at for row in rows if row.key == unless and row.used >= use["limit"]]
    taken: dict[str, datetime] = {row.key: row.ends_at for row in rows if row.key != unless}
    free = next((place for place in places if place not in taken), None)
    if resting or free is None:
        return min(resting or taken.values())
    connection.execute(_occupying(connection.dialect.name), {"place": free, **use})
    return None
