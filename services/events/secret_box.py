"""Encrypts the secrets of webhooks. It imports `cryptography`, so it is loaded when a secret is needed."""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class SecretBox:
    """Encrypts with the newest key; all keys decrypt."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        """`keys` are of 64 hexadecimal digits, newest first."""
        self._box = MultiFernet([Fernet(base64.urlsafe_b64encode(bytes.fromhex(key))) for key in keys])

    def close(self, secret: str) -> str:
        """Return `secret` encrypted."""
        return self._box.encrypt(secret.encode("ascii")).decode("ascii")

    def open(self, sealed: str) -> str | None:
        """Return the secret, or None when its key is no longer among the settings."""
        try:
            return self._box.decrypt(sealed.encode("ascii")).decode("ascii")
        except InvalidToken:
            return None
