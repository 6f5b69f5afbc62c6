"""The services of request limits."""

from dataclasses import dataclass

from services.base import Base
from services.limits.allowances import Allowances
from services.limits.waits import FailedAttempts


@dataclass(frozen=True)
class LimitServices:
    """Counters that every other package uses."""

    allowances: Allowances
    failed_attempts: FailedAttempts


def build_limits(base: Base) -> LimitServices:
    """Build the counters, keyed by the oldest key: a new one must not reset them."""
    allowances = Allowances(base.keys.oldest_for("limits"))
    return LimitServices(allowances, FailedAttempts(base.profile.sign_in, allowances))
