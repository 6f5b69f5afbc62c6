"""Keys for one purpose each, derived from the operator's: what one of them makes is worth nothing elsewhere."""

import hashlib
import hmac
import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_PLACEHOLDER = re.compile(
    r"change(?:me|this|it)|replace(?:me|this|with)|fillmein|placeholder|(?:your|my|some|top|super)secret|secretkey|"
    r"insecure|password|example|dummy|notsafe"
)
"""What stands in examples in place of a secret; by chance a random key of 43 letters holds none of these."""


def fault_of(secret: str) -> str | None:
    """Return what shows that `secret` was written and not drawn, as the rest of a sentence, or None."""
    if _PLACEHOLDER.search(re.sub(r"[^a-z]", "", secret.lower())):
        return "is a placeholder from an example"
    if any(secret[size:] == secret[:-size] for size in range(1, len(secret) // 2 + 1)):
        return "repeats itself"
    steps = [ord(later) - ord(sign) for sign, later in itertools.pairwise(secret)]
    if len(steps) > 7 and sum(step in (1, -1) for step in steps) > len(steps) // 2:
        return "counts up the alphabet or the digits"
    return None


def derived(keys: Iterable[str], purpose: str) -> tuple[str, ...]:
    """Return the keys for `purpose`, in the order of `keys`, as 64 hexadecimal digits each (HKDF, RFC 5869)."""
    return tuple(_hkdf(key.encode(), f"belepo {purpose}".encode()).hex() for key in keys)


@dataclass(frozen=True)
class Keys:
    """The operator's secret keys, newest first, from which each package derives its own by purpose."""

    secrets: tuple[str, ...] = field(repr=False)

    def derived_for(self, purpose: str) -> tuple[str, ...]:
        """Return the keys for one purpose, newest first."""
        return derived(self.secrets, purpose)

    def oldest_for(self, purpose: str) -> str:
        """Return the one key that stays the same while newer ones are added: counters must survive a rotation."""
        return self.derived_for(purpose)[-1]

    def known_for(self, purpose: str) -> tuple[str, ...]:
        """Return the keys for one purpose, then the secrets themselves, with which versions before 0.2 signed.

        For what outlives a deployment: sessions, mailed links, codes. The first key signs, all of them verify.
        """
        return (*self.derived_for(purpose), *self.secrets)


def _hkdf(key: bytes, info: bytes) -> bytes:
    # By the standard library: `cryptography` takes 7 MB, and most processes need nothing else of it.
    extracted = hmac.digest(bytes(hashlib.sha256().digest_size), key, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")
