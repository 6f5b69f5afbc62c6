"""What keeps letter passwords encrypted. It brings `cryptography`, so it is loaded when the first one is needed."""

import base64
import binascii

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.randomness import pad

_NONCE = 12


class PasswordBox:
    """Encrypts by AES-256-GCM, for one customer each: the row of another does not open. All keys decrypt."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        """`keys` are of 64 hexadecimal digits, newest first."""
        self._boxes = [AESGCM(bytes.fromhex(key)) for key in keys]

    def close(self, kutid: str, password: str) -> str:
        """Return a password encrypted."""
        nonce = pad(_NONCE)
        return base64.b64encode(nonce + self._boxes[0].encrypt(nonce, password.encode(), kutid.encode())).decode(
            "ascii"
        )

    def open(self, kutid: str, sealed: str) -> str | None:
        """Return the password, or None when its key is no longer among the settings, or it is another customer's."""
        try:
            raw = base64.b64decode(sealed, validate=True)
        except binascii.Error:
            return None
        for box in self._boxes:
            try:
                return box.decrypt(raw[:_NONCE], raw[_NONCE:], kutid.encode()).decode()
            except InvalidTag:
                continue
        return None
