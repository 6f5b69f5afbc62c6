"""The only place that asks for chance."""

import base64
import secrets
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")

# Without 0 O 1 I L, which are mistaken for one another when read out on the phone.
_SPEAKABLE = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"


def opaque_id() -> str:
    """Return an identifier of 128 random bits that is safe in addresses."""
    return secrets.token_urlsafe(16)


def secret() -> str:
    """Return 256 random bits as 43 characters that are safe in headers."""
    return secrets.token_urlsafe(32)


def digits(length: int) -> str:
    """Return `length` random decimal digits, leading zeros included."""
    return "".join(secrets.choice("0123456789") for _ in range(length))


def characters(length: int) -> str:
    """Return `length` random letters and digits that cannot be mistaken for one another."""
    return "".join(secrets.choice(_SPEAKABLE) for _ in range(length))


def one_of(options: Sequence[T]) -> T:
    """Return one of several by chance."""
    return secrets.choice(options)


def reference() -> str:
    """Return a code that a customer can read out, such as ``7KX-2MD``."""
    return f"{characters(3)}-{characters(3)}"


def pad(length: int) -> bytes:
    """Return `length` random bytes, to mask as many."""
    return secrets.token_bytes(length)


def base32_secret() -> str:
    """Return 160 random bits in base32, as authenticator apps take them (RFC 4226, section 4)."""
    return base64.b32encode(secrets.token_bytes(20)).decode("ascii")
