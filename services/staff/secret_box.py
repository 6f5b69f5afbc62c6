"""Keeps secrets encrypted: those of second factors, and what the company's sign-in must remember.

`cryptography` takes 7 MB, so this module is loaded when the first member of staff signs in, not at the start.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SECOND_FACTORS, COMPANY = b"belepo staff totp", b"belepo company sign-in"
"""The purposes of a box: its keys are good for nothing else."""


class SecretBox:
    """Encrypts and decrypts.

    The keys of the settings are for signing, so others are derived from them (NIST SP 800-108); the newest encrypts,
    all of them decrypt.
    """

    def __init__(self, keys: tuple[str, ...], purpose: bytes = SECOND_FACTORS) -> None:
        self._box = MultiFernet([Fernet(_derived(key, purpose)) for key in keys])

    def close(self, secret: str) -> str:
        """Return `secret` encrypted."""
        return self._box.encrypt(secret.encode("ascii")).decode("ascii")

    def open(self, sealed: str) -> str | None:
        """Return the secret, or None when it was encrypted with a key that is no longer among the settings."""
        try:
            return self._box.decrypt(sealed.encode("ascii")).decode("ascii")
        except InvalidToken:
            return None


def _derived(key: str, purpose: bytes) -> bytes:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose)
    return base64.urlsafe_b64encode(derive.derive(key.encode()))
