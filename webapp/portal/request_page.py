"""One request that was sent: what happened to it, answering and withdrawing (P37).

A `Follower` says who follows it: its customer, or an intermediary in the customer's place (P55).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, request, url_for
from markupsafe import Markup

from services.refusal import OutOfTurn, Refusal
from services.requests.applicant import By
from services.requests.claims import was_attached
from services.requests.request import LONGEST_TEXT, Event, Request
from webapp.parts import current_parts
from webapp.portal import uploads
from webapp.portal.request_words import answers_in_words, badge, story, title_of
from webapp.portal.words import today
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.formats import date_and_time, date_until
from webapp.ui.forms import check_text
from webapp.ui.respond import go_on, page, see_other

_ANSWER = Fields({"answer": "request.answer.label"})
_ANSWER_FILES = "answer"
"""What the files of an answer answer: no question of a profile bears this name."""


@dataclass(frozen=True, kw_only=True)
class Follower:
    """Who follows a request, and the addresses of its page."""

    by: By
    kutid: str
    home: str
    """Where the way back leads."""
    place: Markup
    """The name of that place."""
    address: Callable[[str], str]
    """Makes the address of a request by its id."""
    files: Callable[[str], str]
    """Makes the address to which the files of an answer are posted."""
    say: Callable[..., None]
    """Leaves a text for the next page, by its key and facts."""
    notice: Callable[[], Markup | None]
    """Takes the text that was left for this page."""
    file: Callable[[str], str] | None = None
    """Makes the address of a file by its id; None for that of a customer's own."""
    render: Callable[..., Response] = page


def act(door: Follower, request_id: str) -> Response:
    """Answer the insurer's question, or withdraw the request."""
    own = current_parts().portal.requests.own
    own.find(door.by, request_id)
    if request.form.get("action") == "withdraw":
        try:
            own.withdraw(door.by, request_id)
            door.say("request.withdraw.done")
        except OutOfTurn:
            door.say("request.withdraw.too_late")
    else:
        text = request.form.get("answer", "").replace("\r\n", "\n").strip()
        try:
            _check(text)
            own.reply(door.by, request_id, text)
            door.say("request.answer.done")
        except Refusal as refusal:
            return show(door, request_id, explain([("answer", refusal)], _ANSWER, {"answer": text}))
        except OutOfTurn:
            pass  # it was answered meanwhile: the page says so
    return go_on(door.address(request_id), lambda: show(door, request_id))


def add_file(door: Follower, request_id: str) -> Response:
    """Take a file for the answer to the insurer's question, or do what a file's other forms say (P37, P38).

    GET leads to the request: a sign-in may have come between a file and its form.
    """
    found, _ = current_parts().portal.requests.own.find(door.by, request_id)
    if request.method != "POST":
        return see_other(door.address(request_id))
    form = uploads.act(_place_of_files(door, found))
    if form is not None:
        return show(door, request_id, form)
    return go_on(door.address(request_id), lambda: show(door, request_id))


def _place_of_files(door: Follower, found: Request) -> uploads.Place:
    """Return where the files of an answer go; without a question of the insurer's none is taken."""
    question = _ANSWER_FILES if found.state == "question" else None
    return uploads.Place(found.id, door.kutid, question, door.files(found.id), door.file)


def show(door: Follower, request_id: str, form: SentForm | None = None) -> Response:
    """Show a request that was sent, and what happened to it. Raises OutOfTurn."""
    services = current_parts().portal.requests
    found, events = services.own.find(door.by, request_id)
    contracts = current_parts().portal.contracts.portfolio.of_customer(door.kutid)
    answers: list[dict[str, Any]] = []
    if found.kind in current_parts().profile.requests:
        answers = answers_in_words(services.kinds.find(found.kind), found.answers, contracts)
    question = next((one for one in reversed(events) if one.type == "question"), None)
    is_late = found.state in ("sent", "taken") and found.promised_on < today()
    form = form or SentForm()
    return door.render(
        "portal/request.html",
        form.status,
        form=form,
        problems=form.problems,
        notice=door.notice(),
        is_attached=was_attached(events),
        request_=found,
        kind=title_of(found.kind),
        badge=badge(found),
        answers=answers,
        story=story(events, services.own.names(events)),
        asked=question.text if question and found.state == "question" else None,
        asked_at=date_and_time(question.at) if question else "",
        answer_until=date_until(found.answer_by) if found.answer_by else None,
        deadline=None if found.is_done else date_until(found.promised_on),
        is_late=is_late,
        last=_outcome(events) if found.is_done else None,
        letters=_letters(found, events),
        files=uploads.shown(_place_of_files(door, found), is_whole=True),
        action=door.address(request_id),
        back=door.home,
        back_words=door.place,
    )


def _outcome(events: Sequence[Event]) -> Event:
    """Return what came of a request: its last words or letters, also when it was closed without a word after them."""
    said = (one for one in reversed(events) if one.type in ("answered", "closed") and (one.text or one.letters))
    return next(said, events[-1])


def _letters(found: Request, events: Any) -> list[str]:
    answered = (one for one in events if one.type == "answered")
    return [url_for("letter.show", letter_id=letter) for one in answered for letter in one.letters]


def _check(text: str) -> None:
    if not text:
        raise Refusal("answer", "empty")
    check_text(text.replace("\n", " "), 10 * LONGEST_TEXT)
    if (over := len(text) - LONGEST_TEXT) > 0:
        raise Refusal("long_text", "too_long", count=over)
