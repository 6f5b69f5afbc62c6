"""What other packages ask about messages: conditions and queries, so that none of them reads the outbox."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, select

from services.messages.outbox import UNSENT
from services.store.tables.messages import outbox


def is_given_up(topic: ColumnElement[str], since: ColumnElement[datetime]) -> ColumnElement[bool]:
    """Return the condition that a message of a topic, written at that moment or later, could not be delivered."""
    return exists().where(outbox.c.topic == topic, outbox.c.state == "given_up", outbox.c.created_at >= since)


def unsent_topics(messages: Collection[str]) -> Select[str]:
    """Return the query for the topics of unsent messages, by which text they send."""
    return select(outbox.c.topic).where(outbox.c.state.in_(UNSENT), outbox.c.message.in_(messages))


def states_of(topics: Collection[str]) -> Select[Any]:
    """Return the query for topic and state of the topics' messages, in the order in which they were written."""
    ordered = select(outbox.c.topic, outbox.c.state).order_by(outbox.c.created_at, outbox.c.id)
    return ordered.where(outbox.c.topic.in_(topics))
