"""The insurer's own applications: their keys, what they may do with customers, and the answers they were given.

A client works by the same services as a member of staff at the console: it is an `Actor` like a member's session.
"""

from services.clients.assisted import AssistedRegistration, ClientRegistrations
from services.clients.idempotency import Answer, IdempotentAnswers
from services.clients.keys import SCOPES, ApiKey, ApiKeys

__all__ = [
    "SCOPES",
    "Answer",
    "ApiKey",
    "ApiKeys",
    "AssistedRegistration",
    "ClientRegistrations",
    "IdempotentAnswers",
]
