"""Every table, in a module for the package that writes it. Migrations follow these modules."""

from services.store.tables.base import Moment, metadata

__all__ = ["Moment", "metadata"]
