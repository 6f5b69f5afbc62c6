"""Opens the ways to the world outside that the settings name."""

from services.gateways.group import Gateways
from services.gateways.providers import open_provider
from services.gateways.scanner import scanner_at
from services.gateways.storage import ObjectStorage
from services.gateways.webhooks import HttpCaller
from webapp.settings import Settings


def open_gateways(settings: Settings) -> Gateways:
    """Return the storage, the caller of webhooks, the payment provider and the virus scanner of these settings."""
    return Gateways(
        ObjectStorage.at(settings.storage_url),
        HttpCaller(settings.webhooks_private),
        open_provider(settings.payments_url),
        scanner_at(settings.scanner_url),
    )
