"""The services of contracts."""

from dataclasses import dataclass

from services.accounts.sessions import Sessions
from services.base import Base
from services.contracts.calendar_feeds import CalendarFeeds
from services.contracts.ids import ContractIds
from services.contracts.portfolio import Portfolio


@dataclass(frozen=True)
class ContractServices:
    """What customers see of their contracts."""

    ids: ContractIds
    portfolio: Portfolio
    calendar_feeds: CalendarFeeds


def build_contracts(base: Base) -> ContractServices:
    """Build the services of contracts."""
    ids = ContractIds(base.keys)
    portfolio = Portfolio(base, ids)
    return ContractServices(ids, portfolio, CalendarFeeds(base, portfolio, Sessions(base)))
