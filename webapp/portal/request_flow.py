"""How a request is filled in: one page at a time, the check of the answers, sending (P35, P36, P46).

The draft on the server says which page is due. Each page has an address of its own, so that Back and Forward work.
A `Door` says who fills it in: a customer, somebody without an account (P45), or an intermediary (P55).
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from flask import Response, request, url_for

from services.profiles.request_kinds import CONTRACT, Page
from services.refusal import OutOfTurn, Refusal
from services.requests.applicant import By
from services.requests.kinds import Offer
from services.requests.request import Draft
from services.values import identifiers
from services.values.fingerprints import fingerprint
from webapp.parts import current_parts
from webapp.portal import request_form, uploads
from webapp.portal.contract_lines import line
from webapp.portal.request_door import Door
from webapp.portal.request_words import (
    answers_in_words,
    contract_in_words,
    end_of_draft,
    has_text,
    local_day,
    takes,
    title_of,
    typed,
)
from webapp.ui.flash import Flash
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.formats import date_on, date_until
from webapp.ui.language import say
from webapp.ui.qr_codes import qr_code
from webapp.ui.respond import go_on, see_other

flash = Flash("request")

_FIRST = {
    "motor": tuple(f"claim.first.motor.{what}" for what in ("stop", "police", "statement", "photos")),
    "home": tuple(f"claim.first.home.{what}" for what in ("water", "gas", "limit", "keep", "police")),
}
"""What to do first, by what was damaged (P46)."""
_REVIEW = "attekintes"
"""What the address names in place of a question once all are answered."""


def show(door: Door, offer: Offer) -> Response:
    """Show the page that the address names, or the one that is due. Changes nothing."""
    draft = current_parts().portal.requests.drafts.find(door.by, offer.kind.name)
    return _show(door, offer, draft, request.args.get("kerdes"))


def submit(door: Door, offer: Offer) -> Response:
    """Keep the answers to a page, or do what its other buttons say; then show what is due."""
    drafts, kind = current_parts().portal.requests.drafts, offer.kind.name
    draft = drafts.find(door.by, kind)
    match request.form.get("action", "next"):
        case "send":
            return _send(door, offer, draft)
        case "delete":
            return _delete(door, kind, door.home)
        case "restart":
            return _delete(door, kind, door.address(kind))
        case "back":
            return _back(door, offer, draft)
        case action:
            try:
                return _answer(door, offer, draft, is_left=action == "save" and door.can_leave)
            except OutOfTurn:  # it is not due yet, or was answered at this moment
                return _go_on(door, offer, drafts.find(door.by, kind))


def add_file(door: Door, offer: Offer) -> Response:
    """Take a file for the question that `kerdes` names, or do what the file's other forms say (P38).

    GET leads to the page that is due: a sign-in may have come between a file and its form.
    """
    question = request.args.get("kerdes", "")
    if request.method != "POST":
        return see_other(door.address(offer.kind.name))
    asked = next((one for one in offer.kind.pages if (question, "files") in _types(one)), None)
    if asked is None:
        raise OutOfTurn
    draft = current_parts().portal.requests.drafts.begin(door.by, offer)
    form = uploads.act(_place_of_files(door, offer, draft, question))
    if form is not None:
        return _question(door, offer, draft, asked, form)
    return go_on(door.address(offer.kind.name, asked.id), lambda: _show(door, offer, draft, asked.id))


def was_sent(by: By, request_id: str) -> bool:
    """Tell whether a request of theirs has this id: a draft keeps its id when it is sent."""
    try:
        current_parts().portal.requests.own.find(by, request_id)
    except OutOfTurn:
        return False
    return True


def _place_of_files(door: Door, offer: Offer, draft: Draft | None, question: str | None) -> uploads.Place:
    """Return where the files of a question go, or those of all; a draft that is not begun has none."""
    kind = offer.kind.name
    action = door.files(kind, question) if question else door.address(kind)
    return uploads.Place(draft.id if draft else "", door.kutid, question, action, door.file(kind))


def _types(asked: Page) -> list[tuple[str, str]]:
    return [(one.name, one.type) for one in asked.questions]


def _answer(door: Door, offer: Offer, draft: Draft | None, *, is_left: bool) -> Response:
    drafts, sent = current_parts().portal.requests.drafts, _page_sent(offer, draft)
    if sent is None:
        # The page before the first question, or a page that was not asked.
        return _go_on(door, offer, drafts.begin(door.by, offer))
    draft_id = draft.id if draft else ""
    answers, refusals = request_form.read(
        offer, sent, request.form, drafts.reader, lambda question: drafts.count_files(draft_id, question)
    )
    if refusals and is_left:
        values = {name: request.form.get(name, "") for name in request_form.names(sent)}
        return _leave(door, drafts.keep(door.by, offer, {name: value for name, value in values.items() if value}))
    if refusals:
        return _refused(door, offer, draft, sent, refusals)
    if draft is not None and _is_changed_elsewhere(draft, sent, answers):
        flash.leave("request.form.changed_elsewhere")
        return go_on(door.address(offer.kind.name, sent.id), lambda: _show(door, offer, draft, sent.id))
    try:
        draft = drafts.save(door.by, offer, sent, answers)
    except Refusal as refusal:
        if refusal.declared.is_wait:
            raise
        return _refused(door, offer, draft, sent, [(refusal.field, refusal)])
    return _leave(door, draft) if is_left else _go_on(door, offer, draft)


def _send(door: Door, offer: Offer, draft: Draft | None) -> Response:
    services = current_parts().portal.requests
    draft_id = request.form.get("draft") or (draft.id if draft else "")
    try:
        services.drafts.send(door.by, offer, draft_id)
    except OutOfTurn:
        if not door.was_sent(draft_id):
            return _go_on(door, offer, draft)
        return go_on(door.sent(draft_id, is_twice=True), lambda: door.show_sent(draft_id, is_twice=True))
    except Refusal as refusal:
        asked = offer.kind.rules.page(CONTRACT)
        assert asked is not None
        return _refused(door, offer, draft, asked, [(refusal.field, refusal)])
    return go_on(door.sent(draft_id), lambda: door.show_sent(draft_id))


def _delete(door: Door, kind: str, to: str) -> Response:
    try:
        current_parts().portal.requests.drafts.discard(door.by, kind)
    except OutOfTurn:
        pass
    else:
        door.say("request.form.deleted")
    return go_on(to)


def _back(door: Door, offer: Offer, draft: Draft | None) -> Response:
    answers = draft.answers if draft else {}
    path = offer.kind.path(answers)
    sent = _page_sent(offer, draft)
    place = path.index(sent) if sent in path else len(path)
    if place == 0:
        return go_on(door.home)
    before = path[place - 1].id
    return go_on(door.address(offer.kind.name, before), lambda: _show(door, offer, draft, before))


def _leave(door: Door, draft: Draft) -> Response:
    door.say("request.form.saved.page", date_until=date_until(end_of_draft(draft.begun_at)))
    return go_on(door.home)


def _go_on(door: Door, offer: Offer, draft: Draft | None) -> Response:
    """Go on to the page that is due."""
    due = offer.kind.due(draft.answers) if draft else None
    place = due.id if due else _REVIEW if draft else None
    return go_on(door.address(offer.kind.name, place), lambda: _show(door, offer, draft, place))


def _refused(
    door: Door, offer: Offer, draft: Draft | None, asked: Page, refusals: Sequence[tuple[str, Refusal]]
) -> Response:
    values = {name: request.form[name] for name in request_form.names(asked) if name in request.form}
    form = explain(refusals, Fields(request_form.labels(offer, asked)), values)
    return _question(door, offer, draft, asked, form)


def _page_sent(offer: Offer, draft: Draft | None) -> Page | None:
    """Return the page that a form is about: the one that it names, or whose fields it holds."""
    path = offer.kind.path(draft.answers if draft else {})
    if named := request.form.get("page"):
        return next((one for one in path if one.id == named), None)
    return next((one for one in path if request_form.is_sent(one, request.form)), None)


def _is_changed_elsewhere(draft: Draft, asked: Page, answers: Mapping[str, Any]) -> bool:
    """Tell whether the page was answered differently since the form was shown."""
    known = {name: draft.answers.get(name) for name in answers}
    is_as_shown = request.form.get("seen") in (None, _seen(draft, asked))
    return not is_as_shown and known != dict(answers)


def _seen(draft: Draft | None, asked: Page) -> str:
    """Return the mark of a page's answers as they are shown; empty before there are any."""
    answers = draft.answers if draft else {}
    known = [repr(answers[one.name]) for one in asked.questions if one.name in answers]
    return fingerprint("\n".join(known))[:16] if known else ""


def _show(door: Door, offer: Offer, draft: Draft | None, place: str | None) -> Response:
    """Show a page that the customer has come to; any other shows the one that is due."""
    if draft is None and offer.kind.rules.first and place is None:
        return _first(door, offer)
    answers = draft.answers if draft else {}
    path, due = offer.kind.path(answers), offer.kind.due(answers)
    reached = path if due is None else path[: path.index(due) + 1]
    asked = next((one for one in reached if one.id == place), due)
    if asked is None:
        assert draft is not None
        return _review(door, offer, draft)
    is_back = draft is not None and place is None and bool(draft.answers)
    return _question(door, offer, draft, asked, is_back=is_back)


def _first(door: Door, offer: Offer) -> Response:
    t = say()
    needs = f"request.kind.{offer.kind.name}.needs"
    return door.render(
        "portal/request_first.html",
        first=offer.kind.rules.first,
        kind=title_of(offer.kind.name),
        first_keys=_FIRST[offer.kind.rules.first or "motor"],
        **phones(),
        takes=takes(offer.kind),
        text=t(f"request.kind.{offer.kind.name}.text"),
        needs=t(needs) if has_text(needs) else "",
        contract=request.args.get("szerzodes", ""),
        action=door.address(offer.kind.name),
        back=door.home,
        back_words=door.place,
    )


def phones() -> dict[str, dict[str, str] | None]:
    """Return the numbers to call at once; None where the insurer has none."""
    contact = current_parts().profile.contact
    return {"claim_phone": _phone(contact.claim_phone), "assistance_phone": _phone(contact.assistance_phone)}


def _phone(number: str | None) -> dict[str, str] | None:
    return {"e164": number, "shown": identifiers.written(number)} if number else None


def _question(
    door: Door,
    offer: Offer,
    draft: Draft | None,
    asked: Page,
    form: SentForm | None = None,
    *,
    is_back: bool = False,
) -> Response:
    answers = draft.answers if draft else {}
    path = offer.kind.path(answers)
    form = form or SentForm(_values(door, offer, draft, asked))
    return door.render(
        "portal/request_form.html",
        form.status,
        form=form,
        problems=form.problems,
        dates=request_form.dates(asked),
        notice=flash.take() or door.notice(),
        again=date_on(local_day(draft.begun_at)) if draft and is_back else None,
        kind=title_of(offer.kind.name),
        intro=say()(f"request.kind.{offer.kind.name}.text") if asked is path[0] and not form.problems else None,
        title=request_form.page_title(offer, asked),
        heading=request_form.heading(offer, asked),
        number=path.index(asked) + 1,
        total=len(path),
        fields=request_form.fields(offer, asked),
        uploads={
            one.name: uploads.shown(_place_of_files(door, offer, draft, one.name))
            for one in asked.questions
            if one.type == "files"
        },
        contracts=_contracts(offer),
        page_id=asked.id,
        seen=_seen(draft, asked),
        action=door.address(offer.kind.name),
        **_frame(door, draft),
    )


def _review(door: Door, offer: Offer, draft: Draft) -> Response:
    return door.render(
        "portal/request_review.html",
        kind=title_of(offer.kind.name),
        notice=flash.take(),
        answers=answers_in_words(offer.kind, _counted(offer, draft), offer.contracts, door.address),
        files=uploads.shown(_place_of_files(door, offer, draft, None)),
        action=door.address(offer.kind.name),
        **_frame(door, draft),
    )


def _counted(offer: Offer, draft: Draft) -> dict[str, Any]:
    """Return the answers, files as they are now: some may have been taken away since."""
    drafts = current_parts().portal.requests.drafts
    questions = {one.name: one for page in offer.kind.pages for one in page.questions}
    return {
        name: drafts.count_files(draft.id, name) or None if questions[name].type == "files" else answer
        for name, answer in draft.answers.items()
    }


def _frame(door: Door, draft: Draft | None) -> dict[str, Any]:
    """Return what questions and the check of the answers have in common."""
    usual = {"draft": draft and draft.id, "back": door.home, "back_words": door.place, "can_leave": door.can_leave,
             "code": None, "host": None, "kept": None}  # fmt: skip
    if draft is None or not door.can_leave:
        return usual
    end = end_of_draft(draft.begun_at)
    whole = current_parts().links.url(url_for("requests.show", request_id=draft.id))
    return {
        **usual,
        "code": qr_code(whole),
        "host": urlsplit(whole).netloc,
        "kept": say()("request.form.kept", date_until=date_until(end)),
    }


def _values(door: Door, offer: Offer, draft: Draft | None, asked: Page) -> dict[str, str]:
    """Return what stands in the fields of a page: the answers, what was typed and left, or the contract asked for.

    What was typed when an earlier session ended is there again.
    """
    values: dict[str, str] = {}
    for question in asked.questions:
        if draft is not None and question.name in draft.answers:
            values |= typed(question, draft.answers[question.name], offer)
    if draft is not None and draft.typed:
        values |= {name: value for name, value in draft.typed.items() if name in request_form.names(asked)}
    if door.kept and "kept" in request.args:
        values |= {name: value for name, value in door.kept.items() if name in request_form.names(asked)}
    if not values and CONTRACT in request_form.names(asked):
        # One contract is no choice; the contract's own page leads here with its id.
        only = offer.contracts[0].id if len(offer.contracts) == 1 else ""
        values[CONTRACT] = request.args.get("szerzodes", only)
    return values


def _contracts(offer: Offer) -> list[tuple[str, str, str]]:
    """Return the contracts to choose from: id, words, picture."""
    return [(one.id, contract_in_words(one), line(one)["icon"]) for one in offer.contracts]
