"""The accounts of staff: who there is, signing in with a second factor, and sessions apart from customers'."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, String, bindparam, exists, insert, select, update
from sqlalchemy.exc import IntegrityError

from services import audit, randomness
from services.accounts import Device
from services.accounts.account import fingerprint
from services.base import Base
from services.limits.waits import STAFF, FailedAttempts
from services.passwords import Hasher
from services.passwords.rules import is_alike, is_common
from services.refusal import Refusal
from services.staff.member import ADVISER, ROLES, Member, StaffSession
from services.staff.second_factor import SecondFactors, provisioning_uri
from services.store.declarations import EndedRows
from services.store.statements import insert_for
from services.store.tables import DECLARED
from services.store.tables.staff import staff, staff_sessions
from services.values.email_addresses import EmailAddress

_PROLONGED_AFTER = timedelta(minutes=1)
_SHORTEST_PASSWORD, _LONGEST_PASSWORD = 15, 1000
"""NIST SP 800-63B-4, 3.1.1.2: fifteen where nothing else is sure to stand beside it."""
_SEEN = (
    select(*staff_sessions.c, *staff.c)
    .join_from(staff_sessions, staff)
    .where(staff_sessions.c.token_hash == bindparam("token_hash", type_=String), staff.c.disabled_at.is_(None))
)


class StaffAccounts:
    """The verbs of staff accounts. Each public method is one transaction, except around the password's hash."""

    def __init__(
        self,
        base: Base,
        *,
        tries: FailedAttempts,
        hasher: Hasher,
        factors: SecondFactors,
        is_second_factor_needed: bool = True,
    ) -> None:
        """Without a second factor in a demonstration alone, and there for those only who have none."""
        self._store = base.store
        self._clock = base.clock
        self._rules = base.profile.sign_in
        self._failed_attempts = tries
        self._hasher = hasher
        self._factors = factors
        self._is_second_factor_needed = is_second_factor_needed

    # --- Who there is ------------------------------------------------------------------------------------------

    def add(
        self, address: EmailAddress, name: str, role: str, password: str, *, issuer: str, adviser: str | None = None
    ) -> str:
        """Open an account and return the address for the authenticator app: the secret is shown this once.

        Who was disabled comes back under the same id, with a new password and secret. An adviser's customers are those
        whom the register gives to the code `adviser`, by default the email address. Raises Refusal ``staff.…``: `role`,
        `taken`, or `weak` for the password (ASVS 6.2.1, 6.2.4).
        """
        if role not in ROLES:
            raise Refusal("staff", "role")
        is_weak = is_common(password) or is_alike(password, [address.typed, name])
        if not _SHORTEST_PASSWORD <= len(password) <= _LONGEST_PASSWORD or is_weak:
            raise Refusal("staff", "weak")
        secret, sealed = self._factors.new()
        hashed = self._hasher.hash(password)
        code = (adviser or address.key).casefold() if role == ADVISER else None
        now = self._clock.now()
        try:
            with self._store.write() as connection:
                member = new_member(address, name, role, hashed, adviser=code, totp_secret=sealed, now=now)
                again = {column: value for column, value in member.items() if column not in ("id", "created_at")}
                left = update(staff).where(staff.c.email_key == address.key, staff.c.disabled_at.is_not(None))
                known = connection.execute(left.values({**again, "disabled_at": None}).returning(staff.c.id)).scalar()
                if known is None:
                    connection.execute(insert(staff).values(member))
                audit.record(connection, "staff_added", kutid=None, at=now, actor="system", staff=known or member["id"])
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
        """Return all members of staff, those who left too, by address."""
        with self._store.read() as connection:
            return [_member(row) for row in connection.execute(select(*staff.c).order_by(staff.c.email_key)).mappings()]

    # --- Signing in --------------------------------------------------------------------------------------------

    def sign_in(self, email_key: str, password: str, code: str, device: Device, *, held: str | None = None) -> str:
        """Open a session and return what its browser is to hold.

        `held` is what the browser holds of an earlier session, which ends (ASVS 7.2.4). Raises Refusal
        ``staff_login.failed`` for every failure, in the same time (ASVS 6.3.8), or ``staff_login.wait`` with `at`;
        Overloaded, before the try is counted, where it could not be looked at.
        """
        self._hasher.refuse_overload()
        now = self._clock.now()
        with self._store.write() as connection:
            is_known = (
                exists()
                .where(staff_sessions.c.staff_id == staff.c.id, staff_sessions.c.device_hash == device.hash)
                .label("is_known")
            )
            row = (
                connection.execute(
                    select(*staff.c, is_known).where(staff.c.email_key == email_key, staff.c.disabled_at.is_(None))
                )
                .mappings()
                .first()
            )
            # As with customers: whoever fails on purpose elsewhere keeps no known browser out.
            browser = device.hash if row and row["is_known"] else ""
            key, source = (
                self._failed_attempts.key(STAFF, email_key, browser),
                self._failed_attempts.source_key(device.source),
            )
            wait = None if browser else self._failed_attempts.waits_until(connection, source, now)
            wait = wait or self._failed_attempts.count(connection, key, now)
            if wait is not None:
                raise Refusal("staff_login", "wait", at=wait)
        is_right = len(password) <= _LONGEST_PASSWORD and self._hasher.is_password(
            password, row[staff.c.password_hash] if row else None
        )
        now = self._clock.now()
        with self._store.write() as connection:
            if not is_right or row is None or not self._uses_second_factor(connection, row, code, now):
                self._failed_attempts.count(connection, source, now, is_source=True)
                actor = row[staff.c.id] if row is not None else audit.UNKNOWN
                audit.record(connection, "sign_in_failed", kutid=None, at=now, actor=actor)
                raise Refusal("staff_login", "failed").counted()
            token = self._open(connection, row[staff.c.id], device, now)
            self._failed_attempts.forget(connection, key)
            if held:
                self._end(connection, held, now)
            audit.record(connection, "signed_in", kutid=None, at=now, actor=row[staff.c.id])
        return token

    def sign_in_vouched(self, email_key: str, device: Device, *, held: str | None = None) -> str:
        """Open a session for whom the company's own sign-in vouches; their second factor was asked for there.

        Returns what the browser is to hold. Raises Refusal ``staff_login.unknown`` when no account that is open here
        has this address: none is made, and what somebody may do is decided here.
        """
        now = self._clock.now()
        with self._store.write() as connection:
            known: str | None = connection.execute(
                select(staff.c.id).where(staff.c.email_key == email_key, staff.c.disabled_at.is_(None))
            ).scalar()
            if known is None:
                audit.record(connection, "sign_in_failed", kutid=None, at=now, actor=audit.UNKNOWN, by="company")
                raise Refusal("staff_login", "unknown").counted()
            token = self._open(connection, known, device, now)
            if held:
                self._end(connection, held, now)
            audit.record(connection, "signed_in", kutid=None, at=now, actor=known, by="company")
        return token

    def resume(self, token: str, *, is_activity: bool = True) -> StaffSession | None:
        """Return the session of a browser while it lasts; `is_activity` prolongs it."""
        now = self._clock.now()
        with self._store.read() as connection:
            session = self._see(connection, token, now)
        if session is None or not is_activity or now - (session.idle_at - self._rules.idle) < _PROLONGED_AFTER:
            return session
        with self._store.write() as connection:
            connection.execute(
                update(staff_sessions)
                .where(staff_sessions.c.id == session.id, staff_sessions.c.ended_at.is_(None))
                .values(seen_at=now)
            )
            return self._see(connection, token, now)

    def sign_out(self, token: str) -> None:
        """End the session that a browser holds."""
        now = self._clock.now()
        with self._store.write() as connection:
            ended = self._end(connection, token, now)
            if ended is not None:
                audit.record(connection, "signed_out", kutid=None, at=now, actor=ended)

    def has_members_without_second_factor(self) -> bool:
        """Tell whether a member of staff signs in by a password alone, as those of demo mode do and nobody else."""
        with self._store.read() as connection:
            return bool(connection.execute(select(exists().where(staff.c.totp_secret.is_(None)))).scalar())

    # --- Inside ------------------------------------------------------------------------------------------------

    def _uses_second_factor(self, connection: Connection, row: Mapping[Any, Any], code: str, now: datetime) -> bool:
        """Tell whether the code is right and use it up: of two that bring the same one, one is let in."""
        if row[staff.c.totp_secret] is None:
            return not self._is_second_factor_needed
        step = self._factors.step(row[staff.c.totp_secret], code, now)
        if step is None:
            return False
        used = update(staff).where(staff.c.id == row[staff.c.id], staff.c.totp_step < step).values(totp_step=step)
        return connection.execute(used.returning(staff.c.id)).first() is not None

    def _open(self, connection: Connection, staff_id: str, device: Device, now: datetime) -> str:
        token = randomness.opaque_id() + randomness.opaque_id()
        connection.execute(
            insert(staff_sessions).values(
                id=randomness.opaque_id(),
                staff_id=staff_id,
                token_hash=fingerprint(token),
                device_hash=device.hash,
                created_at=now,
                seen_at=now,
                ends_at=now + self._rules.longest,
            )
        )
        return token

    def _see(self, connection: Connection, token: str, now: datetime) -> StaffSession | None:
        row = connection.execute(_SEEN, {"token_hash": fingerprint(token)}).mappings().first()
        if row is None or row[staff_sessions.c.ended_at] is not None:
            return None
        session = StaffSession(
            id=row[staff_sessions.c.id],
            member=_member(row),
            idle_at=row[staff_sessions.c.seen_at] + self._rules.idle,
            ends_at=row[staff_sessions.c.ends_at],
            found=None if row[staff_sessions.c.found] is None else tuple(row[staff_sessions.c.found]),
        )
        return session if session.over_at > now else None

    @staticmethod
    def _end(connection: Connection, token: str, now: datetime) -> str | None:
        held = update(staff_sessions).where(
            staff_sessions.c.token_hash == fingerprint(token), staff_sessions.c.ended_at.is_(None)
        )
        staff_id: str | None = connection.execute(
            held.values(ended_at=now).returning(staff_sessions.c.staff_id)
        ).scalar()
        return staff_id


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
    """Add rows of `new_member` in a caller's transaction; those whose address is known already stay as they are."""
    connection.execute(insert_for(connection, staff).on_conflict_do_nothing(), members)


def _end_rows(connection: Connection, rows: EndedRows, staff_id: str, now: datetime) -> None:
    ended: dict[Any, Any] = {rows.ended_at: now}
    if rows.ended_by is not None:
        ended[rows.ended_by] = staff_id
    open_rows = (rows.column == staff_id, rows.ended_at.is_(None))
    connection.execute(update(rows.column.table).where(*open_rows).values(ended))


def _member(row: Mapping[Any, Any]) -> Member:
    return Member(
        id=row[staff.c.id],
        email=row[staff.c.email],
        name=row[staff.c.name],
        role=row[staff.c.role],
        adviser=row[staff.c.adviser],
        is_disabled=row[staff.c.disabled_at] is not None,
        has_second_factor=row[staff.c.totp_secret] is not None,
    )
