"""The second factor of staff: time-based codes of an authenticator app (RFC 6238), their secrets encrypted at rest."""

import base64
import hmac
from datetime import datetime

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pyotp import TOTP

from services import randomness

_STEP_SECONDS = 30
_PURPOSE = b"belepo staff totp"


class SecondFactors:
    """Makes secrets and recognises their codes.

    The keys of the settings are for signing, so others are derived from them (NIST SP 800-108); the newest encrypts,
    all of them decrypt.
    """

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._box = MultiFernet([Fernet(_derived(key)) for key in keys])

    def new(self) -> tuple[str, str]:
        """Return a new secret, for the authenticator app alone, and the same encrypted, to be kept."""
        secret = randomness.base32_secret()
        return secret, self._box.encrypt(secret.encode("ascii")).decode("ascii")

    def step(self, sealed: str, code: str, now: datetime) -> int | None:
        """Return the time step that `code` belongs to, or None when it fits neither this nor a neighbouring one.

        One step back and one ahead forgive a clock that is a little off (RFC 6238, 5.2). Whether the step was used
        before, only the database can tell.
        """
        try:
            secret = self._box.decrypt(sealed.encode("ascii")).decode("ascii")
        except InvalidToken:
            return None  # sealed with a key that is no longer among the settings
        totp, present = TOTP(secret, interval=_STEP_SECONDS), int(now.timestamp()) // _STEP_SECONDS
        fitting = [
            step
            for step in (present - 1, present, present + 1)
            if hmac.compare_digest(totp.at(step * _STEP_SECONDS).encode(), code.encode())
        ]
        return fitting[-1] if fitting else None


def provisioning_uri(secret: str, account: str, issuer: str) -> str:
    """Return the address that an authenticator app reads, as a QR code or typed."""
    return TOTP(secret, interval=_STEP_SECONDS).provisioning_uri(name=account, issuer_name=issuer)


def _derived(key: str) -> bytes:
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE)
    return base64.urlsafe_b64encode(derive.derive(key.encode()))
