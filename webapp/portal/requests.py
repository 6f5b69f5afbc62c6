"""The customer's requests: what can be asked for, what waits, and one request with what happened to it (P33, P37)."""

from itertools import groupby
from typing import Any

from flask import Blueprint, Response, request, url_for

from services.accounts import Session
from services.refusal import OutOfTurn, Refusal
from services.requests.claims import was_attached
from services.requests.kinds import Offer
from services.requests.request import LONGEST_TEXT, Request
from services.values import masking
from webapp.account import sessions
from webapp.parts import current_parts
from webapp.portal import uploads
from webapp.portal.request_words import (
    ICONS,
    address,
    answers_in_words,
    badge,
    line,
    line_of_draft,
    story,
    takes,
    title_of,
)
from webapp.portal.words import today
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.formats import clock_time, date_and_time, date_until
from webapp.ui.forms import check_text
from webapp.ui.language import say
from webapp.ui.respond import go_on, page, see_other

blueprint = Blueprint("requests", __name__, url_prefix="/ugyintezes")

_ANSWER = Fields({"answer": "request.answer.label"})
_ANSWER_FILES = "answer"
"""What the files of an answer answer: no question of a profile bears this name."""
_SENT, _TWICE = "1", "2"


@blueprint.get("")
@sessions.needed
def show_all(session: Session) -> Response:
    """Show what waits for the customer, what is under way, what is finished, and what can be asked for."""
    services = current_parts().portal.requests
    sent, drafts = services.own.all(session), services.drafts.all(session)
    known = current_parts().profile.requests
    return page(
        "portal/requests.html",
        notice=sessions.flash.take(time=clock_time(session.over_at)),
        waiting=[line(one) for one in sent if one.state == "question"]
        + [line_of_draft(one) for one in drafts if one.kind in known],
        open=[line(one) for one in sent if one.state in ("sent", "taken")],
        closed=[line(one) for one in sent if one.is_done],
        groups=_groups(services.kinds.offers(session)),
        manager=_manager(session),
    )


@blueprint.get("/<request_id>")
@sessions.needed
def show(session: Session, request_id: str) -> Response:
    """Show one request; right after sending, that it has come in. A draft's id leads to its page."""
    own = current_parts().portal.requests.own
    try:
        if sent := request.args.get("elkuldve"):
            return show_sent(session, request_id, is_twice=sent == _TWICE)
        return _show(session, request_id)
    except OutOfTurn:
        try:
            return see_other(address(own.kind_of_draft(session, request_id)))
        except OutOfTurn:
            if not own.is_anybodys(request_id):
                raise
        return _of_another(session)


@blueprint.post("/<request_id>")
@sessions.needed
def act(session: Session, request_id: str) -> Response:
    """Answer the insurer's question, or withdraw the request."""
    own = current_parts().portal.requests.own
    own.find(session, request_id)
    if request.form.get("action") == "withdraw":
        try:
            own.withdraw(session, request_id)
            sessions.flash.leave("request.withdraw.done")
        except OutOfTurn:
            sessions.flash.leave("request.withdraw.too_late")
    else:
        text = request.form.get("answer", "").replace("\r\n", "\n").strip()
        try:
            _check(text)
            own.reply(session, request_id, text)
            sessions.flash.leave("request.answer.done")
        except Refusal as refusal:
            return _show(session, request_id, explain([("answer", refusal)], _ANSWER, {"answer": text}))
        except OutOfTurn:
            pass  # it was answered meanwhile: the page says so
    return go_on(url_for("requests.show", request_id=request_id), lambda: _show(session, request_id))


@blueprint.route("/<request_id>/fajlok", methods=["GET", "POST"])
@sessions.needed
def add_file(session: Session, request_id: str) -> Response:
    """Take a file for the answer to the insurer's question, or do what a file's other forms say (P37, P38).

    GET leads to the request: a sign-in may have come between a file and its form.
    """
    found, _ = current_parts().portal.requests.own.find(session, request_id)
    if request.method != "POST":
        return see_other(url_for("requests.show", request_id=request_id))
    form = uploads.act(_place_of_files(session, found))
    if form is not None:
        return _show(session, request_id, form)
    return go_on(url_for("requests.show", request_id=request_id), lambda: _show(session, request_id))


def _place_of_files(session: Session, found: Request) -> uploads.Place:
    """Return where the files of an answer go; without a question of the insurer's none is taken."""
    question = _ANSWER_FILES if found.state == "question" else None
    action = url_for("requests.add_file", request_id=found.id)
    return uploads.Place(found.id, session.account.kutid, question, action)


def address_of_sent(request_id: str, *, is_twice: bool = False) -> str:
    """Return the address of the page that says that a request has come in."""
    return url_for("requests.show", request_id=request_id, elkuldve=_TWICE if is_twice else _SENT)


def show_sent(session: Session, request_id: str, *, is_twice: bool = False) -> Response:
    """Say that a request has come in, what happens next, and its number. Raises OutOfTurn."""
    found, _ = current_parts().portal.requests.own.find(session, request_id)
    return page(
        "portal/request_done.html",
        request_=found,
        date_until=date_until(found.promised_on),
        twice=date_and_time(found.sent_at) if is_twice else None,
        href=url_for("requests.show", request_id=request_id),
    )


def _show(session: Session, request_id: str, form: SentForm | None = None) -> Response:
    services = current_parts().portal.requests
    found, events = services.own.find(session, request_id)
    contracts = current_parts().portal.contracts.portfolio.all(session)
    answers: list[dict[str, Any]] = []
    if found.kind in current_parts().profile.requests:
        answers = answers_in_words(services.kinds.find(found.kind), found.answers, contracts)
    question = next((one for one in reversed(events) if one.type == "question"), None)
    is_late = found.state in ("sent", "taken") and found.promised_on < today()
    form = form or SentForm()
    return page(
        "portal/request.html",
        form.status,
        form=form,
        problems=form.problems,
        notice=sessions.flash.take(),
        is_attached=was_attached(events),
        request_=found,
        kind=title_of(found.kind),
        badge=badge(found),
        answers=answers,
        story=story(events),
        asked=question.text if question and found.state == "question" else None,
        asked_at=date_and_time(question.at) if question else "",
        answer_until=date_until(found.answer_by) if found.answer_by else None,
        deadline=None if found.is_done else date_until(found.promised_on),
        is_late=is_late,
        last=events[-1] if found.is_done else None,
        letters=_letters(found, events),
        files=uploads.shown(_place_of_files(session, found), is_whole=True),
        action=url_for("requests.act", request_id=request_id),
    )


def _letters(found: Request, events: Any) -> list[str]:
    answered = (one for one in events if one.type == "answered")
    return [url_for("letter.show", letter_id=letter) for one in answered for letter in one.letters]


def _check(text: str) -> None:
    if not text:
        raise Refusal("answer", "empty")
    check_text(text.replace("\n", " "), 10 * LONGEST_TEXT)
    if (over := len(text) - LONGEST_TEXT) > 0:
        raise Refusal("long_text", "too_long", count=over)


def _groups(offers: tuple[Offer, ...]) -> list[dict[str, Any]]:
    """Return what can be asked for, by groups in their order."""
    order = list(ICONS)
    in_order = sorted(offers, key=lambda one: order.index(one.kind.rules.group))
    return [
        {
            "name": group,
            "icon": ICONS[group],
            "kinds": [
                {
                    "title": title_of(one.kind.name),
                    "about": takes(one.kind) if one.is_suitable else say().plain("request.start.unsuitable"),
                    "href": address(one.kind.name) if one.is_suitable else None,
                }
                for one in found
            ],
        }
        for group, found in groupby(in_order, key=lambda one: one.kind.rules.group)
    ]


def _manager(session: Session) -> str | None:
    """Return who manages the customer's contracts where all have a manager other than the customer (P7)."""
    contracts = current_parts().portal.contracts.portfolio.all(session)
    managed = [one for one in contracts if one.account is not None and not one.account.is_own]
    return managed[0].intermediary or "" if managed and len(managed) == len(contracts) else None


def _of_another(session: Session) -> Response:
    return page(
        "portal/other_account.html",
        403,
        email=masking.email(session.account.email),
        address=request.path,
        stay=url_for("home.show"),
    )
