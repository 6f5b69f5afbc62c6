"""The customer's contracts: the list, one of them, and their dates for a calendar (P5–P9; T5, B4)."""

from typing import Any

from flask import Blueprint, Response, abort, request, url_for

from services.accounts import Session
from services.contracts.contract import Contract, ContractDetails, KeyDate
from services.refusal import OutOfTurn
from webapp.account import sessions
from webapp.parts import current_parts
from webapp.portal.calendars import calendar
from webapp.portal.contract_lines import by_account, facts, line
from webapp.portal.request_words import address, title_of
from webapp.portal.request_words import line as request_line
from webapp.ui.formats import date_in_words, date_until
from webapp.ui.language import language, speak
from webapp.ui.respond import go_on, page

blueprint = Blueprint("contracts", __name__)

_CONTRACTS = "/szerzodesek"

_PAGE = 100
"""Contracts on one page of the list: a fleet may have thousands."""
_FEED = "calendar"
"""The purpose for which a feed's id is signed."""


@blueprint.get(_CONTRACTS)
@sessions.needed
def show_all(session: Session) -> Response:
    """Show the contracts: those in force, then the cancelled ones."""
    contracts = current_parts().portal.contracts.portfolio.all(session)
    shown, next_page = _shown(contracts, request.args.get("after", ""))
    live = [one for one in shown if not one.is_cancelled]
    ended = [one for one in shown if one.is_cancelled]
    return page(
        "portal/contracts.html",
        notice=sessions.flash.take(),
        live=by_account(live),
        ended=by_account(ended),
        live_count=sum(not one.is_cancelled for one in contracts),
        ended_count=sum(one.is_cancelled for one in contracts),
        next_page=next_page,
        has_accounts=any(one.account for one in contracts),
        has_dates=any(_dates(one) for one in contracts),
        feed=_feed_address(session),
        action=url_for("contracts.change_feed"),
    )


@blueprint.post(f"{_CONTRACTS}/naptar")
@sessions.needed
def change_feed(session: Session) -> Response:
    """Give the calendar's feed a new address, or end it."""
    feeds = current_parts().portal.contracts.calendar_feeds
    match request.form.get("action"):
        case "feed-new":
            had_one = feeds.current(session) is not None
            feeds.renew(session)
            sessions.flash.leave("contract.calendar.feed.done" if had_one else "contract.calendar.feed.made")
        case "feed-end":
            feeds.end(session)
            sessions.flash.leave("contract.calendar.feed.ended")
        case _:
            raise OutOfTurn
    return go_on(url_for("contracts.show_all"), show_all)


@blueprint.get(f"{_CONTRACTS}/<contract_id>")
@sessions.needed
def show(session: Session, contract_id: str) -> Response:
    """Show one contract. Somebody else's is not found, like one that never was."""
    details = _found(session, contract_id)
    contract = details.contract
    return page(
        "portal/contract.html",
        contract=line(contract),
        facts=facts(contract, session.account.name),
        sections=details.sections,
        sections_language=details.language if details.language != language() else "",
        dates=[{"kind": one.kind, "on": date_in_words(one.on)} for one in _dates(contract)],
        account=contract.account,
        kept_until=contract.kept_until and date_until(contract.kept_until),
        letters=url_for("letters.show", contract=contract.id),
        requests=_requests(session, contract),
        offers=_offers(session, contract),
        calendar=url_for("contracts.download_dates", contract_id=contract.id),
    )


@blueprint.get(f"{_CONTRACTS}/<contract_id>/naptar.ics")
@sessions.needed
def download_dates(session: Session, contract_id: str) -> Response:
    """Send the days of one contract as a file for a calendar."""
    contract = _found(session, contract_id).contract
    response = _calendar(calendar([(contract, one) for one in _dates(contract)]))
    response.headers["Content-Disposition"] = 'attachment; filename="fontos-napok.ics"'
    return response


@blueprint.get("/naptar/<token>.ics")
def feed(token: str) -> Response:
    """Send the days of all contracts. The secret address is the proof: calendar programs do not sign in."""
    parts = current_parts()
    feed_id = parts.links.read(_FEED, token)
    try:
        found = parts.portal.contracts.calendar_feeds.read(feed_id or "")
    except OutOfTurn:
        abort(404)
    speak(found.language)
    return _calendar(calendar([(contract, one) for contract in found.contracts for one in _dates(contract)]))


def _requests(session: Session, contract: Contract) -> list[dict[str, Any]]:
    """Return the requests about a contract (P5)."""
    services = current_parts().portal.requests
    if not services.kinds.has_any:
        return []
    return [request_line(one) for one in services.own.all(session, contract.number)]


def _offers(session: Session, contract: Contract) -> list[tuple[str, str]] | None:
    """Return what can be asked for a contract, with its address; None where the insurer takes no requests here."""
    kinds = current_parts().portal.requests.kinds
    if not kinds.has_any:
        return None
    return [
        (title_of(one.kind.name), address(one.kind.name, contract_id=contract.id))
        for one in kinds.offers(session)
        if contract in one.contracts
    ]


def _shown(contracts: tuple[Contract, ...], after: str) -> tuple[tuple[Contract, ...], str | None]:
    """Return a page of the contracts, the one after the contract `after`, and the address of the next one."""
    start = next((place for place, one in enumerate(contracts, 1) if one.id == after), 0)
    shown = contracts[start : start + _PAGE]
    is_last = start + _PAGE >= len(contracts)
    return shown, None if is_last else url_for("contracts.show_all", after=shown[-1].id)


def _found(session: Session, contract_id: str) -> ContractDetails:
    try:
        return current_parts().portal.contracts.portfolio.find(session, contract_id, language())
    except OutOfTurn:
        abort(404)


def _calendar(content: bytes) -> Response:
    return Response(content, content_type="text/calendar; charset=utf-8")


def _dates(contract: Contract) -> tuple[KeyDate, ...]:
    parts = current_parts()
    return contract.dates(parts.portal.contracts.portfolio.today, parts.profile.contracts.notice)


def _feed_address(session: Session) -> str | None:
    parts = current_parts()
    feed_id = parts.portal.contracts.calendar_feeds.current(session)
    return feed_id and parts.links.url(url_for("contracts.feed", token=parts.links.token(_FEED, feed_id)))
