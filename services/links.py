"""Signed links: the customer carries an opaque id and a signature, never data (M18)."""

import hashlib
import re

from itsdangerous import BadSignature, URLSafeSerializer

_TOKEN = re.compile(r"\s*([\w.-]*)", re.ASCII)


class Links:
    """Signs and reads the ids that stand in mailed links.

    A token is bound to one purpose: a token for confirming an address opens nothing else. Its lifetime is
    kept with what it opens, in the database, where it can also be ended early.
    """

    def __init__(self, keys: tuple[str, ...], public_url: str) -> None:
        """`keys` come newest first; the newest signs, all of them verify."""
        self._keys = list(reversed(keys))
        self.public_url = public_url.rstrip("/")

    def token(self, purpose: str, opaque_id: str) -> str:
        """Return the token that proves possession of `opaque_id` for `purpose`."""
        return str(self._serializer(purpose).dumps(opaque_id))

    def read(self, purpose: str, token: str) -> str | None:
        """Return the id in `token`, or None when it was not signed here for this purpose.

        What a mail program or a finger took along from the text around it is forgiven: no token has such a sign, and
        none ends in a full stop.
        """
        found = _TOKEN.match(token)
        try:
            opaque_id = self._serializer(purpose).loads(found[1].rstrip(".") if found else "")
        except BadSignature:
            return None
        return opaque_id if isinstance(opaque_id, str) else None

    def url(self, path: str, purpose: str | None = None, opaque_id: str = "", *, parameter: str = "token") -> str:
        """Return an absolute address, built from the configured public one; with `purpose`, with a token."""
        address = f"{self.public_url}{path}"
        return f"{address}?{parameter}={self.token(purpose, opaque_id)}" if purpose else address

    def _serializer(self, purpose: str) -> URLSafeSerializer:
        return URLSafeSerializer(
            self._keys,
            salt=f"belepo.{purpose}",
            signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
        )
