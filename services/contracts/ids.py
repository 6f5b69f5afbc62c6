"""The ids of contracts: what stands in addresses in place of policy numbers."""

import base64
import hmac

from services.keys import Keys

_BYTES = 16


class ContractIds:
    """Derives ids. They are stored nowhere: an import of a million policies costs nothing more."""

    def __init__(self, keys: Keys) -> None:
        # The oldest: an id stays the same while newer keys are added.
        self._key = bytes.fromhex(keys.oldest_for("contracts"))

    def of(self, policy_number: str) -> str:
        """Return the id of a policy: 22 characters that are safe in addresses, the same after every import."""
        digest = hmac.digest(self._key, policy_number.encode(), "sha256")[:_BYTES]
        return base64.urlsafe_b64encode(digest).decode("ascii").rstrip("=")
