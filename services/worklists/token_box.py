"""What seals the worklists' marks. It brings `cryptography`, so it is loaded when the first list is looked at."""

import base64
import binascii

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PURPOSE = b"belepo worklist marks"
_LONGEST = 400


class TokenBox:
    """Seals texts for a place, and opens them there alone.

    The keys of the settings are for signing, so others are derived from them (NIST SP 800-108); the newest seals, all
    of them open. Deterministic (RFC 5297): the same text has the same mark.
    """

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._boxes = [AESSIV(_derived(key)) for key in keys]

    def seal(self, place: str, text: str) -> str:
        """Return the mark of `text`."""
        sealed = self._boxes[0].encrypt(text.encode(), [place.encode()])
        return base64.urlsafe_b64encode(sealed).decode("ascii").rstrip("=")

    def open(self, place: str, mark: str) -> str | None:
        """Return what was sealed for this place, or None."""
        if not mark or len(mark) > _LONGEST:
            return None
        try:
            sealed = base64.urlsafe_b64decode(mark.encode("ascii") + b"=" * (-len(mark) % 4))
        except (binascii.Error, UnicodeEncodeError):
            return None
        for box in self._boxes:
            try:
                return box.decrypt(sealed, [place.encode()]).decode()
            except (InvalidTag, ValueError):
                continue
        return None


def _derived(key: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key.encode())
