"""The API for the insurer's own applications: customer service's, a partner portal's, a broker's. JSON in, JSON out.

It uses neither cookies nor sessions: every request brings its client's key. Clients do with customers what staff do at
the console, by the same rules, limits and audit trail.
"""

from webapp.api import calls, documents, events, invoices, reading, requests
from webapp.api.operation import blueprint

__all__ = ["blueprint", "calls", "documents", "events", "invoices", "reading", "requests"]
