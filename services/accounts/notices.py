"""The mails about an account, written to the outbox in the transaction that causes them."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from services import randomness
from services.accounts.account import Account
from services.messages.outbox import Outbox
from services.texts import Texts

_WORTH_SENDING = timedelta(days=1)


class Notices:
    """Tells a customer what happened to the account, and mails the links that change it."""

    def __init__(self, outbox: Outbox, texts: Texts) -> None:
        self._outbox = outbox
        self._texts = texts

    def tell(self, connection: Connection, message: str, account: Account, now: datetime, **facts: str) -> None:
        """Mail the notice ``mail.<message>`` to the account's address; it says that this happened `now`.

        It takes none of the mails that an address may get in an hour: only the customer, signed in or with a mailed
        link in hand, causes it, and somebody else could use those up to hide it. Of new devices, which a known
        password is enough for, `SignIns` counts the mails.
        """
        if facts.get("device") == "":
            facts["device"] = self._texts.say("account.device.unknown", account.language)
        self._put(
            connection,
            message,
            account.email,
            account.language,
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
            connection, message, to, language, topic=topic, expires_at=expires_at, facts={"link_id": link_id, **facts}
        )

    def mail_stranger(self, connection: Connection, to: str, language: str, now: datetime) -> None:
        """Mail to an address without an account that a new password was asked for with it."""
        self._put(
            connection,
            "reset_unknown",
            to,
            language,
            topic=f"reset_unknown:{randomness.opaque_id()}",
            expires_at=now + _WORTH_SENDING,
            facts={},
        )

    def drop(self, connection: Connection, topic: str) -> None:
        """Keep the topic's unsent mail from being sent: its link is dead."""
        self._outbox.replace(connection, topic)

    def _put(
        self,
        connection: Connection,
        message: str,
        to: str,
        language: str,
        *,
        topic: str,
        expires_at: datetime,
        facts: dict[str, str],
    ) -> None:
        self._outbox.put(
            connection,
            kind="email",
            recipient=to,
            message=message,
            language=language,
            topic=topic,
            expires_at=expires_at,
            facts=facts,
        )
