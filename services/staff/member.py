"""A member of staff, their session, and the actor: what sessions and API clients have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, exists

from services.sessions import AnySession
from services.store.tables.staff import staff, staff_sessions

SERVICE, ADVISER, SUPERVISOR = "service", "adviser", "supervisor"
ROLES = (SERVICE, ADVISER, SUPERVISOR)
SHORTEST_PASSWORD, LONGEST_PASSWORD = 15, 1000
"""NIST SP 800-63B-4, 3.1.1.2: fifteen where a second factor is not certain."""


class Actor(Protocol):
    """Works with customers: a member of staff in a session, or a client of the API by its key."""

    @property
    def id(self) -> str:
        """The session's or the key's."""

    @property
    def actor(self) -> str:
        """How the audit trail knows them."""

    @property
    def adviser(self) -> str | None:
        """An adviser's code: the actor reaches this adviser's customers alone. None reaches all customers."""

    @property
    def is_supervisor(self) -> bool:
        """Whether they may give a customer a new allowance of codes, and end an account that is in use."""

    @property
    def sees_identified(self) -> bool:
        """Whether the actor sees an identified customer's data; otherwise they stay masked."""

    @property
    def owner(self) -> Mapping[str, str]:
        """The column that says whose a case is, and its value."""

    def lasts(self, now: datetime) -> ColumnElement[bool]:
        """Return the condition that the actor may still work at the moment of the statement."""


@dataclass(frozen=True)
class Member:
    """A member of staff as others may see them."""

    id: str
    email: str
    name: str
    role: str
    adviser: str | None
    """The code by which the register lists an adviser's customers."""
    is_disabled: bool
    has_second_factor: bool

    @property
    def is_adviser(self) -> bool:
        """Whether they reach their own customers alone."""
        return self.role == ADVISER

    @property
    def is_supervisor(self) -> bool:
        """Whether they may give a customer a new allowance of codes, and end an account that is in use."""
        return self.role == SUPERVISOR


@dataclass(frozen=True, kw_only=True)
class StaffSession(AnySession):
    """A member's browser that is signed in."""

    member: Member
    found: tuple[str, ...] | None
    """The customers whom its last search found; None when it has not searched."""

    @property
    def actor(self) -> str:
        """The member, in the audit trail."""
        return self.member.id

    @property
    def adviser(self) -> str | None:
        """The member's own code if they are an adviser. An adviser without a code has no customers."""
        return (self.member.adviser or "") if self.member.is_adviser else None

    @property
    def is_supervisor(self) -> bool:
        """Whether the member is one."""
        return self.member.is_supervisor

    @property
    def sees_identified(self) -> bool:
        """A member of staff talks to the customer."""
        return True

    @property
    def owner(self) -> Mapping[str, str]:
        """Cases belong to the session."""
        return {"session_id": self.id}

    def lasts(self, now: datetime) -> ColumnElement[bool]:
        """Return the condition that the session lasts and the member has not left."""
        return exists().where(
            staff_sessions.c.id == self.id,
            staff_sessions.c.ended_at.is_(None),
            staff_sessions.c.ends_at > now,
            staff.c.id == staff_sessions.c.staff_id,
            staff.c.disabled_at.is_(None),
        )


def is_employed(staff_id: str) -> ColumnElement[bool]:
    """Return the condition that a member of staff has not left."""
    return exists().where(staff.c.id == staff_id, staff.c.disabled_at.is_(None))


def member_from(row: Mapping[Any, Any]) -> Member:
    """Return the member of a row of `staff`."""
    return Member(
        id=row[staff.c.id],
        email=row[staff.c.email],
        name=row[staff.c.name],
        role=row[staff.c.role],
        adviser=row[staff.c.adviser],
        is_disabled=row[staff.c.disabled_at] is not None,
        has_second_factor=row[staff.c.totp_secret] is not None,
    )
