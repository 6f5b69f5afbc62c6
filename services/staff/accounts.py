"""The accounts of staff: present members and those who left."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, insert, select, update
from sqlalchemy.exc import IntegrityError

from services import audit, randomness
from services.base import Base
from services.passwords import Hasher
from services.passwords.rules import is_alike, is_common
from services.refusal import Refusal
from services.staff.member import ADVISER, LONGEST_PASSWORD, ROLES, SHORTEST_PASSWORD, Member, member_from
from services.staff.second_factor import SecondFactors, provisioning_uri
from services.store.declarations import EndedRows
from services.store.statements import insert_for
from services.store.tables import DECLARED
from services.store.tables.staff import staff
from services.values.email_addresses import EmailAddress


class StaffAccounts:
    """The verbs of staff accounts. Each public method is one transaction."""

    def __init__(self, base: Base, *, hasher: Hasher, factors: SecondFactors) -> None:
        self._store = base.store
        self._clock = base.clock
        self._hasher = hasher
        self._factors = factors

    def add(
        self, address: EmailAddress, name: str, role: str, password: str, *, issuer: str, adviser: str | None = None
    ) -> str:
        """Open an account and return the address for the authenticator app, which shows the secret only now.

        A disabled member comes back under the same id, with a new password and secret. `adviser` is the code by which
        the register lists an adviser's customers; by default it is the email address. Raises Refusal ``staff.role``,
        ``staff.taken``, or ``staff.weak`` for the password (ASVS 6.2.1, 6.2.4).
        """
        if role not in ROLES:
            raise Refusal("staff", "role")
        if _is_weak(password, address, name):
            raise Refusal("staff", "weak")
        secret, sealed = self._factors.new()
        hashed = self._hasher.hash(password)
        code = (adviser or address.key).casefold() if role == ADVISER else None
        now = self._clock.now()
        try:
            with self._store.write() as connection:
                member = new_member(address, name, role, hashed, adviser=code, totp_secret=sealed, now=now)
                staff_id = _bring_back(connection, member) or member["id"]
                if staff_id == member["id"]:
                    connection.execute(insert(staff).values(member))
                audit.record(connection, "staff_added", kutid=None, at=now, actor="system", staff=staff_id)
        except IntegrityError:
            raise Refusal("staff", "taken") from None
        return provisioning_uri(secret, address.typed, issuer)

    def disable(self, email_key: str) -> bool:
        """Close an account for good and end what packages declare to end with it; tell whether there was one."""
        now = self._clock.now()
        with self._store.write() as connection:
            disabled = connection.execute(
                update(staff)
                .where(staff.c.email_key == email_key, staff.c.disabled_at.is_(None))
                .values(disabled_at=now)
                .returning(staff.c.id)
            ).scalar()
            if disabled is not None:
                for declared in DECLARED:
                    for rows in declared.ended_with_staff:
                        _end_rows(connection, rows, disabled, now)
                audit.record(connection, "staff_disabled", kutid=None, at=now, actor="system", staff=disabled)
        return disabled is not None

    def everybody(self) -> list[Member]:
        """Return all members of staff by address, including those who left."""
        with self._store.read() as connection:
            return [
                member_from(row) for row in connection.execute(select(*staff.c).order_by(staff.c.email_key)).mappings()
            ]

    def has_members_without_second_factor(self) -> bool:
        """Tell whether a member of staff signs in by a password alone. Only demo mode makes such members."""
        with self._store.read() as connection:
            return bool(connection.execute(select(exists().where(staff.c.totp_secret.is_(None)))).scalar())


def new_member(
    address: EmailAddress,
    name: str,
    role: str,
    password_hash: str,
    *,
    adviser: str | None,
    totp_secret: str | None,
    now: datetime,
) -> dict[str, Any]:
    """Return the row of a new member of staff."""
    return {
        "id": f"staff:{randomness.opaque_id()}",
        "email": address.typed,
        "email_key": address.key,
        "name": name,
        "role": role,
        "adviser": adviser,
        "password_hash": password_hash,
        "totp_secret": totp_secret,
        "totp_step": 0,
        "created_at": now,
    }


def add_members(connection: Connection, members: Sequence[Mapping[str, Any]]) -> None:
    """Add rows of `new_member` in a caller's transaction; leave members with a known address unchanged."""
    connection.execute(insert_for(connection, staff).on_conflict_do_nothing(), members)


def _is_weak(password: str, address: EmailAddress, name: str) -> bool:
    is_long_enough = SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD
    return not is_long_enough or is_common(password) or is_alike(password, [address.typed, name])


def _bring_back(connection: Connection, member: Mapping[str, Any]) -> str | None:
    """Give these data to a member who has left; return their id, or None when nobody who left has the address."""
    again = {column: value for column, value in member.items() if column not in ("id", "created_at")}
    left = update(staff).where(staff.c.email_key == member["email_key"], staff.c.disabled_at.is_not(None))
    known: str | None = connection.execute(left.values({**again, "disabled_at": None}).returning(staff.c.id)).scalar()
    return known


def _end_rows(connection: Connection, rows: EndedRows, staff_id: str, now: datetime) -> None:
    ended: dict[Any, Any] = {rows.ended_at: now}
    if rows.ended_by is not None:
        ended[rows.ended_by] = staff_id
    open_rows = (rows.column == staff_id, rows.ended_at.is_(None))
    connection.execute(update(rows.column.table).where(*open_rows).values(ended))
