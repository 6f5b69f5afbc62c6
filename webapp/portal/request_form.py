"""A page of a request as a form: which fields it has, and what was typed into them (P34)."""

from collections.abc import Callable, Mapping
from typing import Any

from markupsafe import Markup

from services.profiles.request_kinds import CONTRACT, Page, Question
from services.refusal import Refusal
from services.requests.kinds import Offer
from services.requests.reading import LONGEST_LINE, Reader
from services.requests.request import LONGEST_TEXT
from webapp.portal.request_words import has_text, hint_key, label_key, title_of
from webapp.ui.forms import check_text
from webapp.ui.language import say

_PARTS = ("year", "month", "day")
_FAR_TOO_LONG = 10 * LONGEST_TEXT
"""Beyond this a text is not read at all; within it, the sentence says by how much it is too long."""
_LOOKS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "email": ("email", {"autocomplete": "email", "spellcheck": "false"}),
    "phone": ("tel", {"autocomplete": "tel"}),
    "postal_code": ("text", {"autocomplete": "postal-code", "inputmode": "numeric"}),
    "town": ("text", {"autocomplete": "address-level2"}),
    "street": ("text", {"autocomplete": "address-line1"}),
    "name": ("text", {"autocomplete": "off"}),
    "time": ("text", {"autocomplete": "off"}),
    "year": ("text", {"autocomplete": "off", "inputmode": "numeric"}),
    "money": ("text", {"autocomplete": "off", "inputmode": "decimal"}),
    "plate": ("text", {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    "bank_account": ("text", {"autocomplete": "off", "spellcheck": "false"}),
}
"""How a field looks to browsers: its type, and what helps to fill it in (WCAG 1.3.5)."""
_NARROW = frozenset({"postal_code", "time", "year", "money", "plate", "phone"})


def heading(offer: Offer, page: Page) -> str | None:
    """Return the question that heads a page; None where several do, or a statement, whose words are long."""
    (first, *others) = page.questions
    if others or first.type == "statement":
        return None
    return say().plain(label_key(offer.kind.name, first.name)).rstrip(" *")


def fields(offer: Offer, page: Page) -> list[dict[str, Any]]:
    """Return what the template shows of each question."""
    is_heading = heading(offer, page) is not None
    return [_field(offer, question, is_heading=is_heading) for question in page.questions]


def _field(offer: Offer, question: Question, *, is_heading: bool) -> dict[str, Any]:
    label = say()(label_key(offer.kind.name, question.name))
    hint = hint_key(offer.kind.name, question)
    of_type, attributes = _LOOKS.get(question.type, ("text", {"autocomplete": "off"}))
    is_date = question.is_date
    return {
        "name": question.name,
        # The heading says it already to those who see.
        "label": Markup('<span class="vh">{}</span>').format(label) if is_heading else label,
        "hint": say()(hint) if hint else "",
        "look": "date" if is_date else question.type,
        "type": of_type,
        "class": "w13" if question.type in _NARROW else "",
        "attributes": attributes,
        "is_optional": question.is_optional,
        "options": [
            (option, say()(f"request.kind.{offer.kind.name}.{question.name}.{option}")) for option in question.options
        ],
    }


def labels(offer: Offer, page: Page) -> dict[str, str]:
    """Return the keys of the names of the page's questions, for the summary of what is to be mended."""
    return {question.name: label_key(offer.kind.name, question.name) for question in page.questions}


def dates(page: Page) -> list[str]:
    """Return the names of the page's questions that have three fields."""
    return [question.name for question in page.questions if question.is_date]


def names(page: Page) -> set[str]:
    """Return the names of the page's fields."""
    whole = {question.name for question in page.questions}
    return whole | {f"{name}-{part}" for name in dates(page) for part in _PARTS}


def is_sent(page: Page, form: Mapping[str, str]) -> bool:
    """Tell whether a form holds a field of this page."""
    return not names(page).isdisjoint(form)


def read(
    offer: Offer, page: Page, form: Mapping[str, str], reader: Reader, files: Callable[[str], int]
) -> tuple[dict[str, Any], list[tuple[str, Refusal]]]:
    """Return the answers that a form gives to a page, and what is refused: each field with its Refusal.

    `files` tells how many files there are for a question: they were received one by one before.
    """
    answers: dict[str, Any] = {}
    refusals: list[tuple[str, Refusal]] = []
    for question in page.questions:
        try:
            if question.type == "files":
                answers[question.name] = _count(question, files)
            else:
                answers[question.name] = _read(offer, question, form, reader)
        except Refusal as refusal:
            refusals.append((question.name, _in_own_words(question, refusal)))
    if not refusals:
        questions = {question.name: question for question in page.questions}
        refusals = [(name, _in_own_words(questions[name], one)) for name, one in reader.check(page, answers)]
    return answers, refusals


def _read(offer: Offer, question: Question, form: Mapping[str, str], reader: Reader) -> Any:
    whole = form.get(question.name, "")
    year, month, day = (form.get(f"{question.name}-{part}", "") for part in _PARTS)
    is_long = question.type == "long_text"
    check_text(whole.replace("\r", "").replace("\n", " ") if is_long else whole,
               _FAR_TOO_LONG if is_long else LONGEST_LINE)  # fmt: skip
    for part in (year, month, day):
        check_text(part, LONGEST_LINE)
    answer = reader.read(question, whole, (year, month, day))
    if question.type == CONTRACT and answer is not None:
        # The form holds the contract's id, the answer its number.
        number = next((one.number for one in offer.contracts if one.id == answer), None)
        if number is None:
            raise Refusal(CONTRACT, "unsuitable")
        return number
    return answer


def _count(question: Question, files: Callable[[str], int]) -> int | None:
    count = files(question.name)
    if not count and not question.is_optional:
        raise Refusal("files", "empty")
    return count or None


def _in_own_words(question: Question, refusal: Refusal) -> Refusal:
    """Return a refusal in the words of its question where it has some, such as ``happened_on.future``."""
    is_own = has_text(f"error.{question.name}.{refusal.reason}")
    return Refusal(question.name, refusal.reason, **refusal.facts) if is_own else refusal


def page_title(offer: Offer, page: Page) -> str:
    """Return the name of a page for the browser's title: the kind, and the first question."""
    question = say().plain(label_key(offer.kind.name, page.id)).rstrip(" *")
    return say().plain("request.form.title", kind=title_of(offer.kind.name), step=question)
