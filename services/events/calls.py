"""What the delivery of webhooks asks of the outside world."""

from collections.abc import Mapping
from typing import Protocol


class CallFailed(Exception):
    """An endpoint has not taken a call. The message says why in a few words, and holds nothing of the event."""


class Caller(Protocol):
    """Calls endpoints."""

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Post a JSON body. Raises CallFailed unless the endpoint answers 2xx in time."""
        ...
