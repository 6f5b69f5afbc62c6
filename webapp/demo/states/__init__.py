"""Every state of the site that a customer or a member of staff can meet, each a short walk through its public doors.

Only a demonstration has them (`/dev/states`): for accessibility testers, for QA, and for the suite's own tests.
"""

from webapp.demo.states.catalogue import STATES, State, known
from webapp.demo.states.walker import Walker

# Each module adds its states to the catalogue.
from webapp.demo.states import (  # isort: skip  # noqa: F401
    account,
    advised,
    claims,
    console,
    contracts,
    documents,
    files,
    invoices,
    letters,
    portal,
    registration,
    request_desk,
    requests,
)

__all__ = ["STATES", "State", "Walker", "known"]
