"""The services of events."""

from dataclasses import dataclass

from services.base import Base
from services.events.calls import Caller
from services.events.delivery import WebhookDelivery
from services.events.feed import Feed
from services.events.sealing import Secrets
from services.events.webhooks import Webhooks


@dataclass(frozen=True)
class EventServices:
    """The feed of events, the endpoints that are called for them, and what calls those."""

    feed: Feed
    webhooks: Webhooks
    delivery: WebhookDelivery


def build_events(base: Base, caller: Caller) -> EventServices:
    """Build the services of events; `caller` calls endpoints."""
    secrets = Secrets(base)
    return EventServices(
        feed=Feed(base), webhooks=Webhooks(base, secrets), delivery=WebhookDelivery(base, secrets, caller)
    )
