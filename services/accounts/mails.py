"""The mails about an account, written to the outbox in the transaction that causes them."""

from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection

from services import randomness
from services.accounts.account import Account
from services.messages.outbox import Outbox
from services.texts import Texts

_WORTH_SENDING = timedelta(days=1)


class AccountMails:
    """Tells a customer what happened to the account, and mails the links that change it."""

    def __init__(self, outbox: Outbox, texts: Texts) -> None:
        self._outbox = outbox
        self._put = partial(outbox.put, kind="email")
        self._texts = texts

    def tell(self, connection: Connection, message: str, account: Account, now: datetime, **facts: str) -> None:
        """Mail the notice ``mail.<message>`` to the account's address; it says that this happened `now`.

        The hourly allowance of mails does not count it. Only the customer causes it, signed in or by a mailed link, and
        somebody else could use the allowance up to hide it. `SignIns` counts the mails about new devices, since a known
        password is enough to cause those.
        """
        if facts.get("device") == "":
            facts["device"] = self._texts.say("account.device.unknown", account.language)
        self._put(
            connection,
            message=message,
            recipient=account.email,
            language=account.language,
            topic=f"{message}:{randomness.opaque_id()}",
            expires_at=now + _WORTH_SENDING,
            facts={**facts, "at": now.isoformat()},
        )

    def mail_link(
        self,
        connection: Connection,
        message: str,
        *,
        to: str,
        language: str,
        topic: str,
        link_id: str,
        expires_at: datetime,
        **facts: str,
    ) -> None:
        """Mail ``mail.<message>`` with a link that lives until `expires_at`, in place of an unsent one of its topic."""
        self._outbox.replace(connection, topic)
        self._put(
            connection,
            message=message,
            recipient=to,
            language=language,
            topic=topic,
            expires_at=expires_at,
            facts={"link_id": link_id, **facts},
        )

    def mail_unproved(
        self, connection: Connection, to: str, language: str, now: datetime, *, ends_at: datetime | None
    ) -> None:
        """Mail that somebody asked for a new password with this address, and why there is none.

        The address has no account, or one that waits for its activation code and ends at `ends_at` without it.
        """
        message = "reset_unactivated" if ends_at else "reset_unknown"
        self._put(
            connection,
            message=message,
            recipient=to,
            language=language,
            topic=f"{message}:{randomness.opaque_id()}",
            expires_at=now + _WORTH_SENDING,
            # The first whole day without the account.
            facts={"deadline": (ends_at + timedelta(days=1)).isoformat()} if ends_at else {},
        )

    def drop(self, connection: Connection, topic: str) -> None:
        """Withdraw the topic's unsent mail: its link is dead."""
        self._outbox.replace(connection, topic)
