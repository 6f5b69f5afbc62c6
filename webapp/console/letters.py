"""The letters of an identified customer: their states, the mail about one sent again, withdrawing (P23)."""

from typing import Any

from flask import Response, request

from services.gateways.storage import StorageUnavailable
from services.letters.desk import DeskLetter
from services.letters.letter import LetterEvent
from services.refusal import OutOfTurn, Refusal
from services.staff import StaffSession
from services.values import masking
from webapp.console import cases, staff_sessions
from webapp.console.staff_sessions import blueprint, console_page, flash, needed
from webapp.http.security import SANDBOX
from webapp.parts import current_parts
from webapp.portal.words import file_name, type_in_words
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.formats import date_and_time, date_in_words, date_until
from webapp.ui.language import language, say
from webapp.ui.respond import go_on

_LETTERS = "/ugyfel/<case_id>/levelek"
_LETTER = f"{_LETTERS}/<letter_id>"
_TONES = {"bounced": "bad", "withdrawn": "off", "replaced": "off", "published": "off"}
_EVENT_TONES = {"bounced": "bad", "opened": "ok", "confirmed": "ok", "notified": "ok"}


@blueprint.get(_LETTERS)
@needed
def show_letters(seen: StaffSession, case_id: str) -> Response:
    """Show a page of the customer's letters and their states."""
    return _show(seen, case_id)


@blueprint.post(_LETTER)
@needed
def act_on_letter(seen: StaffSession, case_id: str, letter_id: str) -> Response:
    """Have the mail about a letter sent again, or withdraw the letter."""
    letters, reason = current_parts().staff.letters, " ".join(request.form.get("reason", "").split())
    try:
        if request.form.get("action") == "withdraw":
            letters.withdraw(seen, case_id, letter_id, reason)
            flash.leave("staff.letter.was_withdrawn")
        else:
            address = letters.notify_again(seen, case_id, letter_id)
            flash.leave("staff.letter.notice.sent", email_masked=masking.email(address))
    except Refusal as refusal:
        field, again = f"reason-{letter_id}", f"again-{letter_id}"
        place = field if refusal.field == "reason" and seen.member.is_supervisor else again
        fields = Fields({field: "staff.takeover.reason", again: "staff.letter.notice.again"})
        return _show(seen, case_id, explain([(place, refusal)], fields, {field: reason}, for_staff=True))
    except OutOfTurn:
        pass  # done by a second click, or by a colleague: the page shows where things stand
    return go_on(_address(case_id), lambda: _show(seen, case_id))


@blueprint.get(f"{_LETTER}/fajl")
@needed
def read_letter(seen: StaffSession, case_id: str, letter_id: str) -> Response:
    """Send a letter's file, where the profile lets staff read letters; each time is on record."""
    try:
        letter, content = current_parts().staff.letters.read(seen, case_id, letter_id)
    except StorageUnavailable:
        flash.leave("fault.storage.text")
        return _show(seen, case_id, SentForm(status=503))
    response = Response(content.chunks, mimetype="application/pdf")
    response.content_length = letter.size
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers.set("Content-Disposition", "inline", filename=file_name(letter))
    return response


def _address(case_id: str) -> str:
    return staff_sessions.address("show_letters", case_id=case_id)


def _show(seen: StaffSession, case_id: str, form: SentForm | None = None) -> Response:
    parts, form = current_parts(), form or SentForm()
    page = parts.staff.letters.page(seen, case_id, request.args.get("utan") or None)
    shown = {f"{field}-{one.letter.id}" for one in page.letters for field in ("reason", "again")}
    if form.problems and form.problems[0].field_id not in shown:
        form = SentForm()  # of a letter that is not on this page
    can_read = parts.staff.letters.can_read(seen)
    grant = parts.staff.granted.scopes(seen, parts.staff.cases.case(seen, case_id).kutid).get("letters")
    return console_page(
        "console/letters.html",
        form.status,
        form=form,
        problems=form.problems,
        notice=flash.take(),
        name=parts.staff.search.hit(seen, case_id).name,
        case_url=cases.address(case_id),
        can_read=can_read,
        granted_until=date_until(grant.until) if grant else None,
        lines=[_line(one, case_id, can_read=can_read, is_granted=grant is not None) for one in page.letters],
        more_url=f"{_address(case_id)}?utan={page.older}" if page.older else None,
        first_url=_address(case_id) if request.args.get("utan") else None,
    )


def _line(one: DeskLetter, case_id: str, *, can_read: bool, is_granted: bool) -> dict[str, Any]:
    letter, t = one.letter, say()
    withdrawn = (
        t("staff.letter.withdrawn", datetime=date_and_time(letter.withdrawn_at), reason=letter.withdrawn_reason or "",
          reference=letter.withdrawn_code or "")
        if letter.withdrawn_at else None
    )  # fmt: skip
    is_current = letter.withdrawn_at is None and letter.replaced_by is None
    place = {"utan": request.args["utan"]} if request.args.get("utan") else {}
    file_url = staff_sessions.address("read_letter", case_id=case_id, letter_id=letter.id)
    granted_url = staff_sessions.address("show_granted", letter_id=letter.id)
    return {
        "granted_url": granted_url if is_granted and letter.withdrawn_at is None else None,
        "id": letter.id,
        "type": type_in_words(letter.type),
        "contract": letter.policy_number,
        "date": date_in_words(letter.issued_on),
        "latest": date_in_words(letter.latest_on) if letter.latest_on and is_current and letter.is_unread else None,
        "state": t.plain(f"letter.state.{one.state}"),
        "tone": _TONES.get(one.state, ""),
        "is_unread": letter.is_unread and is_current,
        "is_bounced": one.state == "bounced",
        "is_current": is_current,
        "withdrawn": withdrawn,
        "events": [_event(event) for event in one.events],
        "action": staff_sessions.address("act_on_letter", case_id=case_id, letter_id=letter.id, **place),
        "file_url": file_url if can_read and letter.withdrawn_at is None else None,
        "file_language": letter.language if letter.language != language() else None,
    }


def _event(event: LetterEvent) -> dict[str, Any]:
    return {
        "at": date_and_time(event.at),
        "text": say()(f"letter.state.{event.type}"),
        "tone": _EVENT_TONES.get(event.type, "told"),
    }
