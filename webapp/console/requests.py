"""Requests at the console: the queue, and one request to take, ask about, answer, close or pass on (P43)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Response, request

from services.gateways.storage import StorageUnavailable
from services.refusal import OutOfTurn, Refusal
from services.requests.request import Event, Request
from services.staff import StaffSession
from services.staff.request_desk import LATE, LISTS, MINE, NEW, OPEN, WAITING, Opened, QueueLine
from services.uploads.checking import Queue
from webapp.console import staff_sessions
from webapp.console.figures import for_service
from webapp.console.staff_sessions import blueprint, console_page, flash
from webapp.parts import current_parts
from webapp.portal import uploads
from webapp.portal.request_words import answers_in_words, title_of
from webapp.portal.words import type_in_words
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.formats import date_and_time, date_in_words, date_until, day
from webapp.ui.language import say
from webapp.ui.respond import go_on

ROOM = "show_requests"
"""The endpoint of the queue; the navigation marks it as the present place."""
_REQUESTS = "/ugyek"
_REQUEST = f"{_REQUESTS}/<request_id>"
_LISTED = {NEW: "", MINE: "nalam", OPEN: "nyitott", WAITING: "ugyfelre-var", LATE: "lejart"}
"""The lists by the words that name them in an address."""
_HEADINGS = {
    NEW: "queue.heading",
    MINE: "queue.mine",
    OPEN: "figures.open",
    WAITING: "queue.waiting",
    LATE: "queue.late",
}
_AGE = "kor"
_FIELDS = Fields({
    "question": "staff.request.ask.label",
    "answer": "staff.request.answer.text",
    "documents": "staff.request.answer.documents",
    "outcome": "staff.request.close.reason",
    "to": "staff.request.pass.to",
    "note": "staff.request.pass.note",
    "number": "staff.request.number.label",
})  # fmt: skip
_TEXT_OF = {"ask": "question", "answer": "answer", "close": "outcome", "pass": "note", "take": "number"}
_DONE = {"ask": "ask.sent", "answer": "answered", "close": "closed", "take": "taken"}
_TONES = {"question": "wait", "withdrawn": "bad", "closed": "ok", "answered": "ok"}
_LONGEST_NUMBER = 64


@blueprint.get(_REQUESTS)
@for_service
def show_requests(seen: StaffSession) -> Response:
    """Show a page of the queue."""
    asked = request.args
    listed = next((one for one in LISTS if _LISTED[one] and _LISTED[one] == asked.get("lista")), NEW)
    kinds = {one: title_of(one) for one in current_parts().profile.requests}
    kind = asked.get("fajta") if asked.get("fajta") in kinds else None
    by_age = asked.get("rend") == _AGE
    after = asked.get("utan") or None
    desk = current_parts().staff.requests
    found = desk.queue(seen, listed, kind=kind, by_age=by_age, after=after)
    kept = {"fajta": kind, "rend": _AGE if by_age else None}
    unchecked = current_parts().portal.uploads.checking.queue()
    here = {"lista": _LISTED[listed] or None, **kept}
    return console_page(
        "console/requests.html",
        room=ROOM,
        heading=say()(f"staff.request.{_HEADINGS[listed]}"),
        lists=[
            (_tab(one, found.counts[one]), _address(lista=_LISTED[one] or None, **kept), one == listed) for one in LISTS
        ],
        listed=_LISTED[listed],
        kinds=sorted(kinds.items(), key=lambda one: one[1]),
        kind=kind or "",
        by_age=by_age,
        lines=[_line(one, desk.today) for one in found.lines],
        waiting=_waiting(unchecked),
        more_url=_address(**here, utan=found.more) if found.more else None,
        first_url=_address(**here) if after else None,
    )


@blueprint.get(_REQUEST)
@for_service
def show_request(seen: StaffSession, request_id: str) -> Response:
    """Show a request; the audit trail records each look."""
    return _show(seen, request_id)


@blueprint.post(_REQUEST)
@for_service
def act_on_request(seen: StaffSession, request_id: str) -> Response:
    """Take it, ask the customer, answer, close it, or pass it on."""
    action = request.form.get("action", "")
    try:
        _do(seen, request_id, action)
    except Refusal as refusal:
        field = "to" if refusal.field == "to" else "documents" if refusal.reason == "letter" else _TEXT_OF[action]
        return _show(seen, request_id, explain([(field, refusal)], _FIELDS, request.form))
    except OutOfTurn:
        _say_why_not(seen, request_id)
    return go_on(_address_of(request_id), lambda: _show(seen, request_id))


@blueprint.get(f"{_REQUEST}/fajl/<upload_id>")
@for_service
def read_request_file(seen: StaffSession, request_id: str, upload_id: str) -> Response:
    """Send the rendition of a file; 409 as long as it has none."""
    try:
        opened = current_parts().portal.uploads.reading.open_for(request_id, upload_id)
        if opened.upload.sent_at is None:  # the customer is adding it to an answer
            raise OutOfTurn
        return uploads.send(opened)
    except Refusal:
        return _away(request_id, 409, "upload.unchecked.heading", "staff.request.files.checking")
    except StorageUnavailable:
        return _away(request_id, 503, "fault.storage.heading", "fault.storage.text")


def _away(request_id: str, status: int, heading: str, text: str) -> Response:
    t = say()
    return console_page(
        "pages/fault.html",
        status,
        heading=t(heading),
        text=t(text),
        extra=None,
        button={"href": _address_of(request_id), "text": t("staff.request.title")},
        reference=None,
    )


def _do(seen: StaffSession, request_id: str, action: str) -> None:
    handling, form, actor = current_parts().portal.requests.handling, request.form, seen.actor
    if action == "take":
        number = " ".join(form.get("number", "").replace("\0", "").split())[:_LONGEST_NUMBER]
        handling.take(request_id, actor=actor, number=number or None)
    elif action == "ask":
        handling.ask(request_id, _text("question"), actor=actor)
    elif action == "answer":
        handling.answer(request_id, _text("answer"), form.getlist("documents"), actor=actor)
    elif action == "close":
        said, (found, _) = _text("outcome"), handling.find(request_id)
        if not said and found.state in ("taken", "question"):
            raise Refusal("request", "text")  # a customer who gets no answer reads why
        handling.close(request_id, said or None, actor=actor)
    elif action == "pass":
        staff = current_parts().staff.requests.pass_on(seen, request_id, form.get("to", ""), _text("note") or None)
        flash.leave("staff.request.passed", staff=staff)
        return
    else:
        raise OutOfTurn
    flash.leave(f"staff.request.{_DONE[action]}")


def _text(field: str) -> str:
    return request.form.get(field, "").replace("\0", "").replace("\r\n", "\n").strip()


def _say_why_not(seen: StaffSession, request_id: str) -> None:
    """Leave for the page why nothing was done: somebody else was faster. Raises OutOfTurn where there is no request."""
    found = current_parts().staff.requests.open(seen, request_id)
    if found.request.state == "withdrawn":
        flash.leave("staff.request.withdrawn_meanwhile")
    elif found.holder is not None and found.request.holder != seen.actor:
        flash.leave("staff.request.taken_meanwhile", staff=found.holder)


def _waiting(unchecked: Queue) -> str | None:
    """Return how many files wait for the scanner, and since when; None where none does (P41)."""
    if unchecked.since is None:
        return None
    facts = {"count": unchecked.waiting, "datetime": date_and_time(unchecked.since)}
    return str(say()("staff.request.files.waiting", **facts))


def _tab(listed: str, count: int) -> str:
    return f"{say().plain(f'staff.request.{_HEADINGS[listed]}')} ({count})"


def _address(**values: str | None) -> str:
    return staff_sessions.address(ROOM, **values)


def _address_of(request_id: str) -> str:
    return staff_sessions.address("show_request", request_id=request_id)


# --- What the pages show -------------------------------------------------------------------------------------------


def _line(one: QueueLine, today: date) -> dict[str, Any]:
    found, t = one.request, say()
    days = (today - found.sent_at.astimezone(current_parts().profile.zone).date()).days
    return {
        "id": found.id,
        "state": found.state,
        "href": _address_of(found.id),
        "reference": found.reference,
        "kind": title_of(found.kind),
        "customer": one.customer,
        "sent": day(found.sent_at),
        "age": t("staff.request.age", days=days) if days else None,
        "deadline": date_in_words(found.promised_on),
        "late": _late(found.promised_on, today) if found.state in ("sent", "taken") else None,
        "badge": _badge(found.state, has_replied=one.has_replied),
        "holder": one.holder,
    }


def _late(promised_on: date, today: date) -> str | None:
    days = (today - promised_on).days
    if days < 0:
        return None
    return str(say()("staff.request.deadline.over", days=days) if days else say()("staff.request.deadline.today"))


def _badge(state: str, *, has_replied: bool) -> tuple[str, str]:
    if has_replied:
        return "", say().plain("staff.request.reply.waiting")
    return ("off" if state in ("closed", "withdrawn") else "", say().plain(f"request.state.{state}"))


def _show(seen: StaffSession, request_id: str, form: SentForm | None = None) -> Response:
    parts, form = current_parts(), form or SentForm()
    desk = parts.staff.requests
    opened = desk.open(seen, request_id)
    found = opened.request
    due = _due(found.state)
    following = desk.next_of(seen, request_id)
    return console_page(
        "console/request.html",
        form.status,
        room=ROOM,
        form=form,
        problems=form.problems,
        notice=flash.take(),
        request_=found,
        kind=title_of(found.kind),
        customer=opened.customer,
        policy_holder=opened.policy_holder,
        badge=_badge(found.state, has_replied=found.state == "taken" and opened.events[-1].type == "replied"),
        late=_late(found.promised_on, desk.today) if found.state in ("sent", "taken") else None,
        deadline=None if found.is_done else date_until(found.promised_on),
        taken_by=_taken_by(opened),
        due=due,
        can_go=any(due.values()),
        answers=_answers(opened),
        story=[_event(one, opened.names) for one in opened.events],
        letters=[
            (one.id, f"{type_in_words(one.type)}: {one.title}", date_in_words(one.issued_on)) for one in opened.letters
        ],
        chosen=request.form.getlist("documents"),
        colleagues=[one for one in desk.colleagues(seen) if one[0] != found.holder] if due["pass"] else (),
        files=_files(found),
        action=_address_of(request_id),
        queue_url=_address(),
        next_url=_address_of(following) if following else None,
    )


def _due(state: str) -> dict[str, bool]:
    """Tell what can be done with a request in this state, by the names of the buttons."""
    is_held = state in ("taken", "question", "answered")
    return {
        "take": state == "sent",
        "ask": state == "taken",
        "answer": state in ("taken", "question"),
        "close": is_held,
        "pass": is_held,
    }


def _files(found: Request) -> list[Mapping[str, Any]]:
    """Return the files that were sent; their links lead to renditions."""

    def address_of(upload_id: str) -> str:
        return staff_sessions.address("read_request_file", request_id=found.id, upload_id=upload_id)

    place = uploads.Place(found.id, found.kutid, None, "", address_of)
    return [one for one in uploads.shown(place)["files"] if one["is_sent"]]


def _taken_by(opened: Opened) -> str | None:
    taken = next((one for one in reversed(opened.events) if one.type == "taken"), None)
    if taken is None:
        return None
    return say()(
        "staff.request.taken_by",
        staff=opened.holder or say().plain("staff.request.holder.system"),
        datetime=date_and_time(taken.at),
    )


def _answers(opened: Opened) -> list[Mapping[str, Any]]:
    """Return the answers in words; an account number in full, because somebody pays to it."""
    parts, found = current_parts(), opened.request
    if found.kind not in parts.profile.requests:
        return []
    kind = parts.portal.requests.kinds.find(found.kind)
    contracts = parts.portal.contracts.portfolio.of_customer(found.kutid) if found.kutid else ()
    shown = answers_in_words(kind, found.answers, contracts)
    accounts = {one.name for page in kind.pages for one in page.questions if one.type == "bank_account"}
    return [
        {**one, "answer": found.answers[one["name"]] or one["answer"]} if one["name"] in accounts else one
        for one in shown
    ]


def _event(event: Event, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "at": date_and_time(event.at),
        "words": say()(f"request.event.{event.type}"),
        "by": names.get(event.actor),
        "text": event.text,
        "tone": _TONES.get(event.type, "ok"),
    }
