"""The OpenID provider as a neighbour that may be silent, slow, or change its keys."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import requests

from services.clock import Clock

_AT_ONCE = 4
"""Requests of ours that may wait for the provider; each holds a thread."""
_PATIENCE_SECONDS = 5
_LIFETIME = timedelta(hours=1)
"""How long metadata and keys are kept: a key that the provider has withdrawn is trusted no longer than this."""
_SHORTEST_REST, _LONGEST_REST = timedelta(seconds=2), timedelta(minutes=1)
_NEVER = datetime.min.replace(tzinfo=UTC)
# An attacker who could choose a symmetric algorithm, or none, could sign for the provider (RFC 8725, 3.1).
_ASYMMETRIC = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")


class Unreachable(RuntimeError):
    """The provider is not asked now: it failed a moment ago, or enough requests wait for it."""


class Provider:
    """Asks the provider by Authlib's client: few at once, its metadata one at a time, and less often once it fails."""

    def __init__(self, client: Any, issuer: str, clock: Clock) -> None:
        self._client, self._issuer, self._clock = client, issuer, clock
        self._places = threading.BoundedSemaphore(_AT_ONCE)
        self._fetching = threading.Lock()
        self._good_until = self._rests_until = _NEVER
        self._rest = _SHORTEST_REST

    @contextmanager
    def asked(self) -> Iterator[Any]:
        """Yield the client with its metadata. Raises Unreachable, RequestException, or ValueError for nonsense."""
        if not self._places.acquire(blocking=False):
            raise Unreachable
        try:
            if self._clock.now() < self._rests_until:
                raise Unreachable
            self._refresh()
            yield self._client
        except requests.RequestException:
            self._rests_until = self._clock.now() + self._rest
            self._rest = min(2 * self._rest, _LONGEST_REST)
            raise
        finally:
            self._places.release()

    def has_answered(self) -> None:
        """Note a sign-in that went through: the next failure is a first one."""
        self._rest = _SHORTEST_REST

    def forget_keys(self) -> None:
        """Have metadata and keys fetched again: a signature did not fit, so they may have changed."""
        self._good_until = _NEVER

    def _refresh(self) -> None:
        if self._clock.now() < self._good_until:
            return
        if not self._fetching.acquire(blocking=False):
            raise Unreachable
        try:
            self._client.server_metadata = self._metadata()
            self._good_until = self._clock.now() + _LIFETIME
        finally:
            self._fetching.release()

    def _metadata(self) -> dict[str, Any]:
        address = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
        answer = requests.get(address, timeout=_PATIENCE_SECONDS)
        answer.raise_for_status()
        metadata: dict[str, Any] = answer.json()
        # OpenID Connect Discovery 1.0, 4.3.
        if metadata.get("issuer") != self._issuer:
            raise requests.RequestException("another issuer")
        known = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        metadata["id_token_signing_alg_values_supported"] = [one for one in known if one in _ASYMMETRIC] or ["RS256"]
        # By this Authlib knows that it need not fetch them itself.
        metadata["_loaded_at"] = self._clock.now().timestamp()
        return metadata
