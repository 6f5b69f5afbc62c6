"""The services of messages that the pages need; `webapp.worker` puts their delivery together."""

from dataclasses import dataclass

from services.base import Base
from services.messages.outbox import Outbox
from services.messages.sms_budget import SmsBudget


@dataclass(frozen=True)
class MessageServices:
    """Where messages wait, and how many text messages may leave."""

    outbox: Outbox
    sms_budget: SmsBudget


def build_messages(base: Base) -> MessageServices:
    """Build the outbox and the month's SMS budget."""
    return MessageServices(Outbox(base), SmsBudget(base))
