"""The secrets that calls of webhooks are signed with, encrypted at rest."""

from functools import cached_property
from typing import TYPE_CHECKING

from services.base import Base

if TYPE_CHECKING:
    from services.events.secret_box import SecretBox


class Secrets:
    """Encrypts and decrypts secrets with keys derived from the settings'."""

    def __init__(self, base: Base) -> None:
        self._keys = base.keys.derived_for("webhook secrets")

    def close(self, secret: str) -> str:
        """Return a secret as it is kept."""
        return self._box.close(secret)

    def open(self, sealed: str) -> str | None:
        """Return the secret, or None when its key is no longer among the settings."""
        return self._box.open(sealed)

    @cached_property
    def _box(self) -> "SecretBox":
        from services.events.secret_box import SecretBox  # noqa: PLC0415

        return SecretBox(self._keys)
