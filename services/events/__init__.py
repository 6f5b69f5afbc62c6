"""What happened, told to the insurer's own systems: a feed that they read, and webhooks that reach them (P42)."""

from services.events.noting import TYPES, note

__all__ = ["TYPES", "note"]
