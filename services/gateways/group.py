"""The ways to the world outside that an operator chooses."""

from dataclasses import dataclass

from services.events.calls import Caller
from services.gateways.payments import PaymentProvider
from services.gateways.scanner import Scanner
from services.gateways.storage import Storage


@dataclass(frozen=True)
class Gateways:
    """What the portal needs from outside, and how the insurer's own systems are called."""

    storage: Storage
    """Where the bytes of letters and files are."""
    caller: Caller
    """Calls the endpoints of webhooks."""
    provider: PaymentProvider | None = None
    """Without one no card is taken."""
    scanner: Scanner | None = None
    """Without one no file is scanned."""
