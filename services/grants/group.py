"""The services of what customers and their advisers share."""

from dataclasses import dataclass

from services.accounts.group import AccountServices
from services.base import Base
from services.grants.grants import Grants
from services.grants.nudges import Nudges
from services.messages.group import MessageServices


@dataclass(frozen=True)
class GrantServices:
    """What a customer lets their adviser see, and the adviser's reminders."""

    grants: Grants
    nudges: Nudges


def build_grants(base: Base, *, accounts: AccountServices, messages: MessageServices) -> GrantServices:
    """Build the services of grants."""
    grants = Grants(base, sessions=accounts.sessions, mails=accounts.account_mails, outbox=messages.outbox)
    return GrantServices(grants, Nudges(base, messages.outbox))
