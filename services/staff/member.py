"""A member of staff, and a session of theirs."""

from dataclasses import dataclass
from datetime import datetime

SERVICE, ADVISER, SUPERVISOR = "service", "adviser", "supervisor"
ROLES = (SERVICE, ADVISER, SUPERVISOR)


@dataclass(frozen=True)
class Member:
    """A member of staff as others may see them."""

    id: str
    email: str
    name: str
    role: str
    adviser: str | None
    """Of an adviser: the code by which the register knows whose customers are theirs."""
    is_disabled: bool
    has_second_factor: bool

    @property
    def is_adviser(self) -> bool:
        """Whether only their own customers are there for them."""
        return self.role == ADVISER

    @property
    def is_supervisor(self) -> bool:
        """Whether they may give a customer a new allowance of codes."""
        return self.role == SUPERVISOR


@dataclass(frozen=True)
class StaffSession:
    """A member's browser that is signed in; it lasts as long as this can be had."""

    id: str
    member: Member
    idle_at: datetime
    """When it ends if nothing happens."""
    ends_at: datetime
    """When it ends however busy it is."""
    found: tuple[str, ...] | None
    """The customers whom its last search found; None when it has not searched."""

    @property
    def over_at(self) -> datetime:
        """When it ends if nothing happens, at the latest."""
        return min(self.idle_at, self.ends_at)
