"""Challenges for passkeys: signed, not stored, each answered once and in time (WebAuthn 3, 13.4.3)."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection

from services import randomness
from services.base import Base
from services.limits.allowances import Allowances
from services.links import Links

ANSWERED_WITHIN = timedelta(minutes=5)
"""How long a challenge may be answered."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_REMEMBERED_FOR = timedelta(minutes=10)
"""How long an answered challenge is remembered: longer than it could be answered."""


class Challenges:
    """Makes challenges, and knows which of them can still be answered.

    A challenge carries its time and belongs to one holder, so that two windows of a browser do not disturb each other.
    """

    def __init__(self, base: Base, links: Links, allowances: Allowances) -> None:
        self._clock = base.clock
        self._links = links
        self._allowances = allowances

    def new(self, purpose: str, holder: str) -> str:
        """Return a challenge that only `holder`, a browser or a session, can use, and for `purpose` alone."""
        moment = milliseconds(self._clock.now() - _EPOCH)
        return self._links.token(f"passkey {purpose} {holder}", f"{moment}.{randomness.opaque_id()}")

    def is_fresh(self, challenge: str, purpose: str, holder: str) -> bool:
        """Tell whether the challenge was made for this purpose and holder, and not too long ago."""
        signed = self._links.read(f"passkey {purpose} {holder}", challenge)
        if signed is None:
            return False
        made_at = _EPOCH + timedelta(milliseconds=int(signed.partition(".")[0]))
        return self._clock.now() - made_at <= ANSWERED_WITHIN

    def use(self, connection: Connection, challenge: str, now: datetime) -> bool:
        """Use the challenge up in a caller's transaction; tell whether it was the first use."""
        key = self._allowances.key("challenge", challenge)
        return self._allowances.take(connection, key, limit=1, quiet=_REMEMBERED_FOR, now=now) is None


def milliseconds(span: timedelta) -> int:
    """Return a span of time in whole milliseconds."""
    return span // timedelta(milliseconds=1)
