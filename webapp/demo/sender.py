"""The way out of a demonstration: its inbox."""

from base64 import b64encode
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from services.clock import Clock
from services.messages.composer import Composed
from services.messages.senders import Sender, unwatched
from services.store.engine import Store
from services.store.tables.messages import demo_messages

_MOMENT = timedelta(milliseconds=1)


class DemoSender:
    """Puts messages into the demo inbox, each once."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def send(
        self, recipient: str, composed: Composed, message_id: str, leaving: Callable[[], None] = unwatched
    ) -> None:
        """Write the message down; a repetition changes nothing."""
        leaving()
        try:
            with self._store.write() as connection:
                # Each later than the one before it: they are listed by that, and several may leave in a millisecond.
                newest = connection.execute(select(func.max(demo_messages.c.created_at))).scalar()
                now = self._clock.now()
                connection.execute(
                    insert(demo_messages).values(
                        id=message_id,
                        kind=composed.kind,
                        recipient=recipient,
                        subject=composed.subject,
                        text=composed.text,
                        html=composed.html,
                        links=list(composed.links),
                        attachments=[
                            {"name": one.name, "type": one.type, "content": b64encode(one.content).decode("ascii")}
                            for one in composed.attachments
                        ],
                        created_at=max(now, newest + _MOMENT) if newest else now,
                    )
                )
        except IntegrityError:
            return


class CopyingSender:
    """Sends one way, and puts what has left into the demo inbox too."""

    def __init__(self, sender: Sender, inbox: Sender) -> None:
        self._sender = sender
        self._inbox = inbox

    def send(
        self, recipient: str, composed: Composed, message_id: str, leaving: Callable[[], None] = unwatched
    ) -> None:
        """Send, then note it; raises what the sending raises."""
        self._sender.send(recipient, composed, message_id, leaving)
        self._inbox.send(recipient, composed, message_id)
