"""A device with passkeys in software: answers as a browser's script sends it on (WebAuthn 3, 5.1)."""

import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One device, looking at a page of `origin`. What it does wrong is set from outside."""

    origin: str
    flags: int = PRESENT | VERIFIED
    counts: bool = True
    """Whether it counts its signatures; those that share passkeys between devices do not."""
    told: dict[str, Any] = field(default_factory=dict)
    """What the browser tells besides or instead of the truth."""
    count: int = 0
    id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    host: str = ""
    user: str = ""

    def make(self, options: str) -> str:
        """Make a passkey as the options say, and return the answer."""
        asked = json.loads(options)
        self.host, self.user = asked["rp"]["id"], asked["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = b"\0" * 16 + len(self.id).to_bytes(2, "big") + self.id + cbor2.dumps(public)
        known = self._known(self.flags | ATTESTED) + attested
        return self._answer(
            clientDataJSON=_text(self._seen("webauthn.create", asked["challenge"])),
            attestationObject=_text(cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": known})),
            transports=["internal"],
        )

    def prove(self, options: str, **instead: Any) -> str:
        """Sign the challenge of the options, and return the answer, with parts of it replaced."""
        seen = self._seen("webauthn.get", json.loads(options)["challenge"])
        known = self._known(self.flags)
        signature = self.key.sign(known + hashlib.sha256(seen).digest(), ec.ECDSA(SHA256()))
        parts = {
            "clientDataJSON": _text(seen),
            "authenticatorData": _text(known),
            "signature": _text(signature),
            "userHandle": self.user,
        }
        return self._answer(**parts | instead)

    def _seen(self, kind: str, challenge: str) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False, **self.told}
        return json.dumps(told).encode()

    def _known(self, flags: int) -> bytes:
        self.count += self.counts
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _answer(self, **response: Any) -> str:
        name = _text(self.id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})


def handle(account_id: str) -> str:
    """Return how a device names an account."""
    return _text(account_id.encode())


def challenge_of(options: str) -> bytes:
    """Return the challenge in the options."""
    text = json.loads(options)["challenge"]
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
