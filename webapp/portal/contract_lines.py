"""Contracts in the words of the request's language, as templates show them."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import groupby
from typing import Any

from markupsafe import Markup

from services.contracts.contract import Contract, CustomerAccount
from webapp.parts import current_parts
from webapp.ui.formats import amount, date_from, date_in_words, date_until, day_of_year
from webapp.ui.language import language, say

_OWN_WORDS = frozenset({"customer", "insurer", "unpaid", "sold", "withdrawn", "term", "replaced"})
"""Why a contract ended, in words of the importer's; any other reason is the insurer's own words."""


def name_of(contract: Contract) -> str:
    """Return what a contract's product is called: by the register in its own language, else by the profile."""
    profile = current_parts().profile
    product = profile.products.get(contract.product or "")
    names: Mapping[str, str] = product.name if product else {}
    own = contract.title if language() == profile.languages[0] else None
    first = names.get(profile.languages[0])
    return own or names.get(language()) or contract.title or first or say().plain("contract.product")


def line(contract: Contract) -> dict[str, Any]:
    """Return a contract as a line of the list, and as the head of its page."""
    today = current_parts().portal.contracts.portfolio.today
    product = current_parts().profile.products.get(contract.product or "")
    is_overdue, due = contract.is_overdue(today), contract.due_on
    return {
        "id": contract.id,
        "number": contract.number,
        "name": name_of(contract),
        "insured": contract.insured,
        "icon": product.icon if product else "shield",
        "state": contract.state(today),
        "from": date_from(contract.starts_on) if contract.starts_on else None,
        "ended_on": _day(contract.ended_on) if contract.is_cancelled else None,
        "is_overdue": is_overdue,
        "due": _day(due),
        "amount": amount(contract.premium, contract.currency) if due and contract.premium is not None else None,
        "cover_until": date_until(contract.cover_until) if is_overdue and contract.cover_until else None,
    }


def by_account(contracts: Iterable[Contract]) -> list[dict[str, Any]]:
    """Return contracts in groups, one for each customer account, those outside of any last (P7)."""

    def number(contract: Contract) -> tuple[bool, str]:
        return contract.account is None, contract.account.number if contract.account else ""

    grouped = groupby(sorted(contracts, key=number), key=number)
    return [{"account": _account(found := list(group)), "contracts": [*map(line, found)]} for _, group in grouped]


def facts(contract: Contract, holder: str) -> list[tuple[Markup, str | Markup]]:
    """Return what is known of a contract, as rows of a name and a value."""
    return [(say()(f"contract.{name}"), value) for name, value in _facts(contract, holder) if value]


def _facts(contract: Contract, holder: str) -> Iterator[tuple[str, str | Markup | None]]:
    t = say()
    yield "number", contract.number
    yield "insured", contract.insured
    yield "holder", holder
    yield "starts_on", _day(contract.starts_on)
    if not contract.is_cancelled:
        yield "anniversary", contract.anniversary and day_of_year(*map(int, contract.anniversary.split("-")))
        yield "premium", None if contract.premium is None else amount(contract.premium, contract.currency)
        yield "frequency", contract.frequency and t(f"contract.frequency.{contract.frequency}")
        yield "paid_until", _day(contract.paid_until)
    yield "ended_on", _day(contract.ended_on)
    if contract.is_cancelled and (reason := contract.end_reason):
        yield "end_reason", t(f"contract.end_reason.{reason}") if reason in _OWN_WORDS else reason
    yield "intermediary", contract.intermediary


def _day(on: date | None) -> str | None:
    return date_in_words(on) if on else None


def _account(contracts: list[Contract]) -> CustomerAccount | None:
    return contracts[0].account
