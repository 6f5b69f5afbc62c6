"""The second factor of staff: time-based codes of an authenticator app (RFC 6238), their secrets encrypted at rest."""

import hmac
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from pyotp import TOTP

from services import randomness

if TYPE_CHECKING:
    from services.staff.secret_box import SecretBox

_STEP_SECONDS = 30


class SecondFactors:
    """Makes secrets and recognises their codes."""

    def __init__(self, keys: tuple[str, ...], *, is_needed: bool = True) -> None:
        """`is_needed` is false in a demonstration alone, and only for members who have no second factor."""
        self._keys = keys
        self.is_needed = is_needed

    def new(self) -> tuple[str, str]:
        """Return a new secret for the authenticator app, and the same encrypted for the database."""
        secret = randomness.base32_secret()
        return secret, self._box.close(secret)

    def step(self, sealed: str, code: str, now: datetime) -> int | None:
        """Return the time step of `code`, or None when it fits neither the present step nor a neighbour.

        One step back and one ahead forgive a clock that is a little off (RFC 6238, 5.2). The database knows whether
        the step was used before.
        """
        secret = self._box.open(sealed)
        if secret is None:
            return None
        totp, present = TOTP(secret, interval=_STEP_SECONDS), int(now.timestamp()) // _STEP_SECONDS
        fitting = [
            step
            for step in (present - 1, present, present + 1)
            if hmac.compare_digest(totp.at(step * _STEP_SECONDS).encode(), code.encode())
        ]
        return fitting[-1] if fitting else None

    @cached_property
    def _box(self) -> "SecretBox":
        from services.staff.secret_box import SecretBox  # noqa: PLC0415 (see there)

        return SecretBox(self._keys)


def provisioning_uri(secret: str, account: str, issuer: str) -> str:
    """Return the address that an authenticator app reads, as a QR code or typed."""
    return TOTP(secret, interval=_STEP_SECONDS).provisioning_uri(name=account, issuer_name=issuer)
