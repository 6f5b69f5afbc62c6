"""Requests in words, as lists and pages show them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from flask import url_for

from services.contracts.contract import Contract
from services.profiles.request_kinds import CONTRACT, Question
from services.requests.kinds import Kind, Offer
from services.requests.request import BY_CUSTOMER, Answers, Draft, Event, Request
from services.values import money
from webapp.parts import current_parts
from webapp.portal.contract_lines import name_of
from webapp.portal.words import Badge, today
from webapp.ui.formats import amount, date_and_time, date_in_words, date_until, day
from webapp.ui.language import language, say

ICONS = {"claim": "alert", "change": "user", "portfolio": "shield", "documents": "document"}
"""The picture of each group of kinds, in the order of the page."""
_TONES = {"question": "wait", "withdrawn": "over", "closed": "over"}


@dataclass(frozen=True)
class Happened:
    """Something that happened to a request, in words."""

    words: str
    at: str
    tone: str
    text: str | None
    letters: tuple[str, ...]
    """The addresses of the letters that answer."""
    by: str | None = None
    """The name of who acted in the customer's place (P55)."""


def has_text(key: str) -> bool:
    """Tell whether there is a text with this key."""
    return current_parts().profile.texts.has(key, language())


def title_of(kind: str) -> str:
    """Return the name of a kind; one that the profile has no more is a request like any."""
    key = f"request.kind.{kind}.title"
    return say().plain(key if has_text(key) else "request.list.heading")


def label_key(kind: str, question: str) -> str:
    """Return the key of a question's words: its own, or the common ones of its name."""
    own = f"request.kind.{kind}.{question}.label"
    return own if has_text(own) else f"request.common.{question}.label"


def hint_key(kind: str, question: Question) -> str | None:
    """Return the key of what helps with a question: its own words, those of its name or of its type; None without."""
    common = f"request.common.{_HINTS.get(question.type, question.name)}.hint"
    keys = (f"request.kind.{kind}.{question.name}.hint", common)
    return next((key for key in keys if has_text(key)), None)


_HINTS = {"bank_account": "account", "time": "time", "money": "money"}


def takes(kind: Kind) -> str:
    """Return about how long it takes to ask, and what is promised, in one line."""
    t, days = say(), kind.rules.days
    promise = t.plain("request.promise", days=days) if days else t.plain("request.promise.at_once")
    return f"{t.plain('request.start.takes', minutes=kind.rules.minutes)} · {promise}"


def contract_in_words(contract: Contract) -> str:
    """Return a contract by its product and what is insured, or its number."""
    return f"{name_of(contract)}, {contract.insured or contract.number}"


def answer_in_words(kind: str, question: Question, answer: Any, contracts: Iterable[Contract]) -> str:
    """Return an answer as people read it; an account number masked but for its end."""
    if answer is None:
        return say().plain("request.review.none")
    if question.type == CONTRACT:
        known = next((one for one in contracts if one.number == answer), None)
        return contract_in_words(known) if known else str(answer)
    if question.type == "choice":
        return say().plain(f"request.kind.{kind}.{question.name}.{answer}")
    return _IN_WORDS.get(question.type, str)(answer)


def _day(answer: str) -> str:
    return date_in_words(date.fromisoformat(answer))


def _yes_or_no(answer: Any) -> str:
    return say().plain("portal.no" if answer == "no" else "portal.yes")


_IN_WORDS: Mapping[str, Callable[[Any], str]] = {
    **dict.fromkeys(("date", "date_from_today", "date_until_today"), _day),
    **dict.fromkeys(("yes_no", "statement"), _yes_or_no),
    "files": lambda count: say().plain("request.review.files", count=count),
    "money": lambda units: amount(units, _currency()),
    "bank_account": lambda number: f"•••• •••• •••• {number[-4:]}",
}


def answers_in_words(
    kind: Kind, answers: Answers, contracts: Sequence[Contract], address_of: Callable[..., str] | None = None
) -> list[dict[str, Any]]:
    """Return the answers in the order of the questions, each with its question and where it is changed.

    `address_of` makes the address of a page; by default that of the customer's own.
    """
    return [
        {
            "name": question.name,
            "question": say().plain(label_key(kind.name, question.name)).rstrip(" *"),
            "answer": answer_in_words(kind.name, question, answers[question.name], contracts),
            "change": (address_of or address)(kind.name, page.id),
        }
        for page in kind.path(answers)
        for question in page.questions
        if question.name in answers
    ]


def typed(question: Question, answer: Any, offer: Offer) -> Mapping[str, str]:
    """Return an answer as it stands in the fields of its form."""
    name = question.name
    if answer is None:
        return {}
    if question.type == CONTRACT:
        return {name: next((one.id for one in offer.contracts if one.number == answer), "")}
    if question.is_date:
        year, month, day_ = answer.split("-")
        return {f"{name}-year": year, f"{name}-month": str(int(month)), f"{name}-day": str(int(day_))}
    if question.type == "money":
        return {name: str(money.in_main_unit(answer, _currency()))}
    return {name: "1" if answer is True else str(answer)}


def address(kind: str, page_id: str | None = None, *, contract_id: str | None = None) -> str:
    """Return the address of a new request, of one of its pages, or of a request about this contract."""
    return url_for("request_new.show", kind=kind, kerdes=page_id, szerzodes=contract_id)


def line_of_draft(draft: Draft) -> dict[str, Any]:
    """Return what a list shows of a request that was not sent."""
    last = end_of_draft(draft.begun_at)
    return {
        "id": draft.id,
        "state": "draft",
        "href": address(draft.kind),
        "title": title_of(draft.kind),
        "about": say().plain("request.list.draft.until", date_until=date_until(last)),
        "badge": Badge("plain", "document", say().plain("request.state.draft")),
        "tone": "",
        "icon": _icon(draft.kind),
        "button": say().plain("request.list.draft.go_on"),
    }


def line(request: Request) -> dict[str, Any]:
    """Return what a list shows of a request that was sent."""
    return {
        "id": request.id,
        "state": request.state,
        "href": url_for("requests.show", request_id=request.id),
        "title": title_of(request.kind),
        "about": f"{say().plain('request.list.reference', number=request.reference)} · {day(request.sent_at)}",
        "badge": badge(request),
        "tone": "warn" if request.state == "question" else "",
        "icon": _icon(request.kind),
        "button": "",
    }


def badge(request: Request) -> Badge:
    """Return the state of a request, with its day where one is coming."""
    t, state = say(), request.state
    words = t.plain(f"request.state.{state}")
    if state in ("sent", "taken") and request.promised_on >= today():
        # At large text a badge breaks, also inside of its date.
        until = date_until(request.promised_on).replace("\u00a0", " ")
        return Badge("soon", "clock", t.plain("request.list.answered_by", date_until=until))
    tone, icon = {
        "question": ("warn", "clock"),
        "answered": ("ok", "tick"),
        "withdrawn": ("plain", "undo"),
        "closed": ("plain", "tick"),
    }.get(state, ("soon", "clock"))
    return Badge(tone, icon, words)


def story(events: Iterable[Event], names: Mapping[str, str] | None = None) -> list[Happened]:
    """Return what happened to a request, oldest first; `names` are of those who acted in the customer's place."""
    return [
        Happened(
            say().plain(f"request.event.{event.type}"),
            date_and_time(event.at),
            _TONES.get(event.type, "ok"),
            event.text,
            tuple(url_for("letter.show", letter_id=letter_id) for letter_id in event.letters),
            (names or {}).get(event.actor) if event.type in BY_CUSTOMER else None,
        )
        for event in events
    ]


def end_of_draft(begun_at: datetime) -> date:
    """Return the day on which a draft is erased."""
    return local_day(begun_at + current_parts().profile.request_rules.draft)


def local_day(moment: datetime) -> date:
    """Return the day of a moment at the insurer's."""
    return moment.astimezone(current_parts().profile.zone).date()


def _icon(kind: str) -> str:
    rules = current_parts().profile.requests.get(kind)
    return ICONS[rules.group] if rules else "document"


def _currency() -> str:
    return money.currency_of(current_parts().profile.country)
