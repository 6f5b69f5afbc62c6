"""Staff signing in and out, with a second factor, in sessions apart from customers'."""

from datetime import datetime

from sqlalchemy import Connection, RowMapping, bindparam, exists, select, update

from services import audit
from services.base import Base
from services.limits.waits import STAFF, FailedAttempts
from services.passwords import Hasher
from services.refusal import Refusal
from services.sessions import AnySession, Device, SessionRows
from services.staff.member import LONGEST_PASSWORD, StaffSession, member_from
from services.staff.second_factor import SecondFactors
from services.store.tables.staff import staff, staff_sessions

_IS_HERE = staff.c.disabled_at.is_(None)
_SEEN = select(*staff_sessions.c, *staff.c).join_from(staff_sessions, staff).where(_IS_HERE)
_IS_KNOWN = exists().where(
    staff_sessions.c.staff_id == staff.c.id, staff_sessions.c.device_hash == bindparam("of_device")
)
_ASKED_FOR = select(*staff.c, _IS_KNOWN.label("is_known")).where(staff.c.email_key == bindparam("of_email"), _IS_HERE)


class StaffSessions(SessionRows[StaffSession]):
    """Reads and changes the sessions of staff."""

    def __init__(self, base: Base) -> None:
        super().__init__(base, staff_sessions, _SEEN)

    def _from_row(self, row: RowMapping, shared: AnySession) -> StaffSession:
        found = row[staff_sessions.c.found]
        return StaffSession(**vars(shared), member=member_from(row), found=None if found is None else tuple(found))


class StaffSignIns:
    """The verbs of signing in and out. Each public method is one transaction, except around the password's hash."""

    def __init__(self, base: Base, *, tries: FailedAttempts, hasher: Hasher, factors: SecondFactors) -> None:
        self._store = base.store
        self._clock = base.clock
        self._sessions = StaffSessions(base)
        self._failed_attempts = tries
        self._hasher = hasher
        self._factors = factors

    def sign_in(self, email_key: str, password: str, code: str, device: Device, *, held: str | None = None) -> str:
        """Open a session and return what its browser is to hold.

        `held` is what the browser holds of an earlier session, which ends (ASVS 7.2.4). Raises Refusal
        ``staff_login.failed`` for every failure, in the same time (ASVS 6.3.8), or ``staff_login.wait`` with `at`;
        Overloaded, before the try is counted, where it could not be looked at.
        """
        self._hasher.refuse_overload()
        now = self._clock.now()
        with self._store.write() as connection:
            asked = {"of_email": email_key, "of_device": device.hash}
            row = connection.execute(_ASKED_FOR, asked).mappings().first()
            key = self._count_try(connection, email_key, device, now, is_known=row is not None and row["is_known"])
        is_right = len(password) <= LONGEST_PASSWORD and self._hasher.is_password(
            password, row[staff.c.password_hash] if row else None
        )
        now = self._clock.now()
        with self._store.write() as connection:
            token = None
            if is_right and row is not None and self._uses_second_factor(connection, row, code, now):
                token = self._admit(connection, row[staff.c.id], device, now, held)
            if token is None:
                raise self._failed(connection, row[staff.c.id] if row else audit.UNKNOWN, device, now)
            self._failed_attempts.forget(connection, key)
        return token

    def sign_in_vouched(self, email_key: str, device: Device, *, held: str | None = None) -> str:
        """Open a session for whom the company's own sign-in vouches; their second factor was asked for there.

        Returns what the browser is to hold. Raises Refusal ``staff_login.unknown`` when no account that is open here
        has this address: none is made, and what somebody may do is decided here.
        """
        now = self._clock.now()
        with self._store.write() as connection:
            known = connection.execute(select(staff.c.id).where(staff.c.email_key == email_key, _IS_HERE)).scalar()
            token = known and self._admit(connection, known, device, now, held, by="company")
            if token is None:
                audit.record(connection, "sign_in_failed", kutid=None, at=now, actor=audit.UNKNOWN, by="company")
                raise Refusal("staff_login", "unknown").counted()
        return token

    def resume(self, token: str, *, is_activity: bool = True) -> StaffSession | None:
        """Return the session of a browser while it lasts; `is_activity` prolongs it."""
        session = self._sessions.resume(token, is_activity=is_activity)
        return None if session is None or session.is_over else session

    def sign_out(self, token: str) -> None:
        """End the session that a browser holds."""
        now = self._clock.now()
        with self._store.write() as connection:
            ended = self._sessions.end_held(connection, token, now)
            if ended is not None:
                audit.record(connection, "signed_out", kutid=None, at=now, actor=ended)

    def _count_try(
        self, connection: Connection, email_key: str, device: Device, now: datetime, *, is_known: bool
    ) -> str:
        """Count a try before it is looked at; return the key it is counted by. Raises Refusal ``staff_login.wait``."""
        # As with customers: failures elsewhere, made on purpose, keep no known browser out.
        key = self._failed_attempts.key(STAFF, email_key, device.hash if is_known else "")
        wait = self._failed_attempts.count_sign_in(connection, key, now, source=None if is_known else device.source)
        if wait is not None:
            raise Refusal("staff_login", "wait", at=wait)
        return key

    def _failed(self, connection: Connection, actor: str, device: Device, now: datetime) -> Refusal:
        """Count the failure for its network, and return its refusal."""
        self._failed_attempts.count_source(connection, device.source, now)
        audit.record(connection, "sign_in_failed", kutid=None, at=now, actor=actor)
        return Refusal("staff_login", "failed").counted()

    def _uses_second_factor(self, connection: Connection, row: RowMapping, code: str, now: datetime) -> bool:
        """Tell whether the code is right and use it up: of two that bring the same one, one is let in."""
        if row[staff.c.totp_secret] is None:
            return not self._factors.is_needed
        step = self._factors.step(row[staff.c.totp_secret], code, now)
        if step is None:
            return False
        used = update(staff).where(staff.c.id == row[staff.c.id], staff.c.totp_step < step).values(totp_step=step)
        return connection.execute(used.returning(staff.c.id)).first() is not None

    def _admit(
        self, connection: Connection, staff_id: str, device: Device, now: datetime, held: str | None, **by: str
    ) -> str | None:
        """Open a session and end the one held before; None when the member has left since."""
        token = self._sessions.open(connection, staff_id, device, now, _IS_HERE)
        if token is not None:
            if held:
                self._sessions.end_held(connection, held, now)
            audit.record(connection, "signed_in", kutid=None, at=now, actor=staff_id, **by)
        return token
