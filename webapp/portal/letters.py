"""The list of letters: searching, filtering, and older ones (P15)."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, request, url_for

from services.accounts import Session
from services.letters.mailbox import LetterChoices, LetterFilter
from webapp.account import sessions
from webapp.parts import current_parts
from webapp.portal import places
from webapp.portal.words import line, type_in_words
from webapp.ui.formats import clock_time
from webapp.ui.respond import is_fragment_due, page

blueprint = Blueprint("letters", __name__, url_prefix="/levelezes")

_LONGEST = 100
"""Signs of a search that are looked at."""


@blueprint.get("")
@sessions.needed
def show(session: Session) -> Response:
    """Show a page of the letters that are looked for. HTMX gets it for its search form."""
    mailbox = current_parts().portal.letters.mailbox
    choices = mailbox.choices(session)
    looked_for = _looked_for(choices)
    after = request.args.get("after") or None
    shown = mailbox.page(session, looked_for, after)
    is_filtered = replace(looked_for, is_unread=False) != LetterFilter()
    return page(
        "portal/letters.html",
        notice=sessions.flash.take(time=clock_time(session.over_at)),
        letters=[line(letter) for letter in shown.letters],
        found=shown.found,
        older=_address(after=shown.older) if shown.older else None,
        newest=_address() if after else None,
        unread=places.unread(),
        words=looked_for.words,
        choices=_offered(choices, looked_for),
        is_unread_only=looked_for.is_unread,
        is_searched=looked_for != LetterFilter(),
        is_filtered=is_filtered,
        pills=_pills(looked_for),
        address=_address,
        takes_result_focus=is_fragment_due(),
    )


def _looked_for(choices: LetterChoices) -> LetterFilter:
    asked, year = request.args, request.args.get("year", "")
    contract = asked.get("contract", "")
    ids = current_parts().portal.contracts.ids
    known = {key: number for number in choices.policy_numbers for key in (ids.of(number), number)}
    return LetterFilter(
        words=" ".join(asked.get("q", "")[:_LONGEST].split()),
        type=asked.get("type", "")[:40],
        # A contract that is not the customer's has no letters here.
        policy_number=known.get(contract, "-") if contract else "",
        year=int(year) if year.isdecimal() and len(year) == 4 and year != "0000" else None,
        is_unread=bool(asked.get("unread")),
    )


def _offered(choices: LetterChoices, looked_for: LetterFilter) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """Return the fields that are chosen from: each with its values, their words, and whether they are chosen."""
    ids = current_parts().portal.contracts.ids
    types = sorted({type_in_words(one): one for one in choices.types}.items())
    return [
        ("type", [(one, words, one == looked_for.type) for words, one in types]),
        ("contract", [(ids.of(one), one, one == looked_for.policy_number) for one in choices.policy_numbers]),
        ("year", [(str(one), str(one), one == looked_for.year) for one in choices.years]),
    ]


def _pills(looked_for: LetterFilter) -> list[tuple[str, str]]:
    """Return the filters that are set, each with the address without it."""
    set_ = {
        "q": f"„{looked_for.words}”" if looked_for.words else "",
        "type": type_in_words(looked_for.type) if looked_for.type else "",
        "contract": looked_for.policy_number.strip("-") or (request.args.get("contract") and "?") or "",
        "year": str(looked_for.year or ""),
    }
    return [(words, _address(**{name: ""})) for name, words in set_.items() if words]


def _address(**changed: str | None) -> str:
    """Return the address of this search, changed; a new search begins with the newest letters."""
    asked = {name: request.args.get(name, "") for name in ("q", "type", "contract", "year", "unread")}
    kept: dict[str, Any] = {name: words for name, words in {**asked, **changed}.items() if words}
    return url_for("letters.show", **kept)
