"""Puts together what erases, for the commands that need it: a process that only serves pages does not."""

from datetime import timedelta

from services.retention import Tidying
from webapp.parts import Parts

DOUBTFUL = timedelta(days=1)


def tidying(parts: Parts) -> Tidying:
    """Return what erases the data that the profile no longer keeps.

    It rests while time runs more than a day ahead of the machine's clock: what is erased too early does not come back.
    """
    return Tidying(parts.base, parts.limits.allowances, lambda: parts.clock.lead < DOUBTFUL)
