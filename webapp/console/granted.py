"""What an adviser sees by a customer's grant: letters, and the data of contracts (P53). Every look is on record."""

from flask import Response

from services.gateways.storage import StorageUnavailable
from services.staff import StaffSession
from services.staff.granted import GrantEnded
from webapp.console import cases, staff_sessions
from webapp.console.staff_sessions import blueprint, console_page, desk_page, needed
from webapp.http.security import SANDBOX
from webapp.parts import current_parts
from webapp.portal import contract_lines, twin
from webapp.portal.words import file_name, type_in_words
from webapp.ui.formats import date_in_words, date_until, file_size
from webapp.ui.language import say

_LETTER = "/levelezes/<letter_id>"


@blueprint.get(_LETTER)
@needed
def show_granted(seen: StaffSession, letter_id: str) -> Response:
    """Show a letter that its customer lets the adviser see; one that was taken back says so."""
    try:
        found = current_parts().staff.granted.look(seen, letter_id)
    except GrantEnded:
        return _ended()
    letter = found.letter
    return console_page(
        "console/granted.html",
        customer=found.customer,
        letter=letter,
        type=type_in_words(letter.type),
        date=date_in_words(letter.issued_on),
        until=date_until(found.grant.until) if found.grant else None,
        size=file_size(letter.size),
        file_url=staff_sessions.address("granted_file", letter_id=letter.id),
        twin=twin.blocks(letter.data) if letter.data else (),
    )


@blueprint.get(f"{_LETTER}/fajl")
@needed
def granted_file(seen: StaffSession, letter_id: str) -> Response:
    """Send the file of such a letter."""
    try:
        letter, content = current_parts().staff.granted.file(seen, letter_id)
    except GrantEnded:
        return _ended()
    except StorageUnavailable:
        return console_page("console/grant_ended.html", 503, text=say()("fault.storage.text"))
    response = Response(content.chunks, mimetype="application/pdf")
    response.content_length = letter.size
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers.set("Content-Disposition", "inline", filename=file_name(letter))
    return response


@blueprint.get("/ugyfel/<case_id>/szerzodesek")
@needed
def show_granted_contracts(seen: StaffSession, case_id: str) -> Response:
    """Show the data of a customer's contracts, as long as the customer lets the adviser see them."""
    try:
        found = current_parts().staff.granted.contracts(seen, case_id)
    except GrantEnded:
        return _ended()
    return desk_page(
        seen,
        "console/granted_contracts.html",
        customer=found.customer,
        case_id=case_id,
        case_url=cases.address(case_id),
        until=date_until(found.grant.until),
        contracts=[
            {**contract_lines.line(one), "facts": contract_lines.facts(one, found.customer)} for one in found.contracts
        ],
    )


def _ended() -> Response:
    return console_page("console/grant_ended.html", 404, text=say()("adviser.desk.ended"))
