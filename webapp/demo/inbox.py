"""What a demonstration has sent: nothing leaves it."""

import threading
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from flask import url_for
from sqlalchemy import select

from services.store.tables.messages import demo_messages
from webapp.parts import Parts
from webapp.worker.delivery import delivery

_SENT = select(demo_messages).order_by(demo_messages.c.created_at, demo_messages.c.id)


def deliver(parts: Parts) -> None:
    """Let arrive what was asked for a moment ago."""
    due, pause = delivery(parts), threading.Event()
    for _ in range(50):
        due.deliver_due()
        if not parts.messages.outbox.is_busy():
            break
        pause.wait(0.02)  # another process is delivering it at this moment


def arrived(parts: Parts) -> list[dict[str, Any]]:
    """Return the messages, oldest first. What was asked for a moment ago has arrived: a tester who looks finds it."""
    deliver(parts)
    with parts.store.read() as connection:
        return [dict(row) for row in connection.execute(_SENT).mappings()]


def attachments(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what the inbox says of a message's attachments."""
    return [
        {
            "name": one["name"],
            "type": one["type"],
            "size": len(b64decode(one["content"])),
            "href": url_for("demo.attachment", message_id=row["id"], place=place),
        }
        for place, one in enumerate(row["attachments"] or [])
    ]
