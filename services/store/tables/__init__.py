"""Every table, in a module for the package that writes it, with what the package declares about it.

Migrations follow these modules.
"""

from services.store.tables import (
    accounts,
    audit,
    clients,
    codes,
    contracts,
    events,
    figures,
    grants,
    heartbeats,
    letters,
    limits,
    messages,
    payments,
    references,
    register,
    registrations,
    requests,
    staff,
    uploads,
    worklists,
)
from services.store.tables.base import Moment, metadata

DECLARED = (
    registrations.DECLARED,
    references.DECLARED,
    codes.DECLARED,
    accounts.DECLARED,
    limits.DECLARED,
    messages.DECLARED,
    staff.DECLARED,
    worklists.DECLARED,
    clients.DECLARED,
    letters.DECLARED,
    grants.DECLARED,
    contracts.DECLARED,
    payments.DECLARED,
    events.DECLARED,
    uploads.DECLARED,
    requests.DECLARED,
    register.DECLARED,
    audit.DECLARED,
    figures.DECLARED,
    heartbeats.DECLARED,
)
"""What every package declares, in the order in which rows are erased and an account is exported."""

__all__ = ["DECLARED", "Moment", "metadata"]
