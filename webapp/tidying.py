"""Puts together what erases, for the commands that need it: a process that only serves pages does not."""

from services.allowances import Allowances
from services.retention import Tidying
from webapp.parts import Parts


def tidying(parts: Parts) -> Tidying:
    """Return what erases the data that the profile no longer keeps."""
    return Tidying(parts.store, parts.clock, parts.profile, Allowances(parts.settings.secret_keys[-1]))
