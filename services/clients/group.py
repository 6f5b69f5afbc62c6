"""The services of the API's clients."""

from dataclasses import dataclass

from services.base import Base
from services.clients.assisted import ClientRegistrations
from services.clients.customers import ClientCustomers
from services.clients.idempotency import IdempotentAnswers
from services.clients.keys import ApiKeys
from services.events.calls import Caller
from services.events.group import EventServices, build_events
from services.limits.group import LimitServices
from services.staff.group import StaffServices


@dataclass(frozen=True)
class ClientServices:
    """The clients' keys, their registrations, the customers they name, the responses they were given, and the events
    that tell them what happened.
    """

    api_keys: ApiKeys
    idempotency: IdempotentAnswers
    registrations: ClientRegistrations
    customers: ClientCustomers
    events: EventServices


def build_clients(base: Base, *, limits: LimitServices, staff: StaffServices, caller: Caller) -> ClientServices:
    """Build the services of clients, which work with the cases of staff; `caller` calls their webhooks."""
    return ClientServices(
        api_keys=ApiKeys(base, limits.failed_attempts),
        idempotency=IdempotentAnswers(base),
        registrations=ClientRegistrations(base, staff.cases, staff.customer_files, staff.contacts),
        customers=ClientCustomers(base),
        events=build_events(base, caller),
    )
