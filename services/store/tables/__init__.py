"""Every table, in a module for the package that writes it. Migrations follow these modules."""

from services.store.tables import (  # noqa: F401  # so that the metadata knows all tables
    accounts,
    audit,
    clients,
    codes,
    figures,
    limits,
    messages,
    references,
    register,
    registrations,
    staff,
    worklists,
)
from services.store.tables.base import Moment, metadata

__all__ = ["Moment", "metadata"]
