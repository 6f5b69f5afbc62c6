"""Events for the insurer's own systems: a feed that they read, and webhooks that call them (P42)."""

from services.events.noting import TYPES, note

__all__ = ["TYPES", "note"]
