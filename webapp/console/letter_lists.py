"""The worklist of letters that nobody opened, and the adviser's desk (P23, P54)."""

from collections.abc import Mapping
from typing import Any

from flask import Response, request
from markupsafe import Markup

from services.refusal import OutOfTurn, Refusal
from services.staff import StaffSession
from services.worklists.adviser_desk import DeskLine, Need
from services.worklists.unread_letters import UnreadLine
from webapp.console import cases, staff_sessions
from webapp.console.staff_sessions import blueprint, console_page, needed
from webapp.console.worklists import ROOM, adviser_of, asked, choice_of_advisers, query
from webapp.parts import current_parts
from webapp.portal.words import type_in_words
from webapp.ui.flash import Flash
from webapp.ui.formats import amount, clock_time, date_in_words, date_until
from webapp.ui.language import say
from webapp.ui.respond import go_on

_LETTERS = "/munkalistak/levelek"
warning = Flash("desk")
"""What the desk says of a reminder that could not leave."""


@blueprint.get(_LETTERS)
@needed
def unread_letters(seen: StaffSession) -> Response:
    """Show a page of the letters."""
    return _show(seen, request.args)


@blueprint.post(_LETTERS)
@needed
def choose_of_letters(seen: StaffSession) -> Response:
    """Open a customer of the list, or choose an adviser."""
    if "customer" in request.form:
        return _open(seen)
    chosen = {**request.form, "utan": ""}
    return go_on(_address(chosen), lambda: _show(seen, chosen))


@blueprint.post("/munkaasztal")
@needed
def act_at_desk(seen: StaffSession) -> Response:
    """Open a customer of the desk, or remind one by mail."""
    if "customer" in request.form:
        return _open(seen)
    try:
        current_parts().worklists.desk.nudge(seen, request.form.get("nudge", ""))
        staff_sessions.flash.leave("adviser.desk.nudged")
    except Refusal as refusal:
        warning.leave(refusal.key)
    except OutOfTurn:
        pass  # reminded by a second click: the desk says when
    return go_on(staff_sessions.address("home"))


def desk_lines(seen: StaffSession) -> list[dict[str, Any]]:
    """Return the lines of an adviser's desk, as the home page shows them."""
    return [_desk_line(line) for line in current_parts().worklists.desk.lines(seen)]


def _open(seen: StaffSession) -> Response:
    case_id = current_parts().worklists.unregistered.open(seen, request.form["customer"])
    return go_on(cases.address(case_id), lambda: cases.show_case(seen, case_id))


def _address(values: Mapping[str, str], **other: str) -> str:
    return staff_sessions.address("unread_letters") + query(values, **other)


def _show(seen: StaffSession, values: Mapping[str, str]) -> Response:
    values = asked(values)
    is_bounced = values.get("lista") == "visszapattant"
    page = current_parts().worklists.unread_letters.page(
        seen, values.get("utan", ""), adviser=adviser_of(seen, values), is_bounced=is_bounced
    )
    chosen = {**values, "utan": ""}
    return console_page(
        "console/unread_letters.html",
        room=ROOM,
        address=staff_sessions.address("unread_letters"),
        lists=[
            ("staff.letter.worklist.heading", _address(chosen, lista=""), not is_bounced),
            ("staff.letter.worklist.bounced", _address(chosen, lista="visszapattant"), is_bounced),
        ],
        kept={name: values.get(name, "") for name in ("lista", "tanacsado", "utan")},
        **choice_of_advisers(seen, values),
        lines=[_line(line) for line in page.lines],
        more_url=_address(values, utan=page.more) if page.more else None,
        first_url=_address(chosen) if values.get("utan") else None,
    )


def _line(line: UnreadLine) -> dict[str, Any]:
    return {
        "mark": line.mark,
        "name": line.hit.name,
        "policy_number": line.hit.policy_number,
        "type": type_in_words(line.type),
        "until": date_in_words(line.latest_on),
        "is_bounced": line.is_bounced,
    }


def _desk_line(line: DeskLine) -> dict[str, Any]:
    return {
        "mark": line.mark,
        "name": line.hit.name,
        "policy_number": line.hit.policy_number,
        "needs": [(say()(f"adviser.desk.{need.kind}"), _need(need)) for need in line.needs],
        "nudged_at": clock_time(line.nudged_at) if line.nudged_at else None,
    }


def _need(need: Need) -> Markup | None:
    t = say()
    if need.day is None:
        return None
    if need.kind == "unread":
        return t(
            "adviser.desk.unread.row", document_type=type_in_words(need.letter_type), date_until=date_until(need.day)
        )
    if need.kind == "request":
        return Markup.escape(date_until(need.day))
    return t("adviser.desk.premium.row", amount=amount(need.amount, need.currency), date=date_in_words(need.day))
