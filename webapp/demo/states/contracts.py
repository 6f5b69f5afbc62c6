"""Contracts: the list, one of them, and the calendar's address."""

from webapp.demo.states.catalogue import state
from webapp.demo.states.walker import Walker

_CONTRACTS = "contracts"


@state(_CONTRACTS)
def contracts(walker: Walker) -> None:
    """The list: one in force, one cancelled."""
    walker.open_active_account()
    walker.visit("contracts.show_all")


@state(_CONTRACTS)
def contracts_feed(walker: Walker) -> None:
    """The list with the address that a calendar program reads."""
    contracts(walker)
    walker.act("feed-new")


@state(_CONTRACTS)
def contracts_feed_ended(walker: Walker) -> None:
    """The calendar's address was ended."""
    contracts_feed(walker)
    walker.act("feed-end")


@state(_CONTRACTS)
def contract(walker: Walker) -> None:
    """One in force, with what it covers and its days."""
    _open(walker, 0)


@state(_CONTRACTS)
def contract_ended(walker: Walker) -> None:
    """A cancelled one, without what it covered."""
    _open(walker, -1)


@state(_CONTRACTS, status=404)
def contract_of_somebody_else(walker: Walker) -> None:
    """Another customer's contract is not found."""
    contracts(walker)
    walker.visit("contracts.show", contract_id="A" * 22)


def _open(walker: Walker, place: int) -> None:
    # A person: each of the many has two, the cancelled one last.
    contracts(walker)
    walker.open(walker.links(f"{walker.address_of('contracts.show_all')}/")[place])
