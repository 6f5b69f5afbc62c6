"""The customer's home: what needs them first, then contracts, the newest letters, ways on (P1, P4)."""

from dataclasses import dataclass

from flask import Blueprint, Response, url_for

from services.accounts import Session
from services.letters.mailbox import LetterFilter
from webapp.account import sessions
from webapp.parts import current_parts
from webapp.portal import places
from webapp.portal.contract_lines import line as contract_line
from webapp.portal.request_words import end_of_draft, title_of
from webapp.portal.words import due_day, due_in_words, line, type_in_words
from webapp.ui.formats import amount, clock_time, date_in_words, date_on, date_until
from webapp.ui.language import say
from webapp.ui.respond import page

blueprint = Blueprint("home", __name__)

_NEWEST, _MOST_DUE = 3, 5
_WAYS = (
    ("home.ways.search", "letters.show", "", "search"),
    ("home.ways.contact", "account.overview", "details", "user"),
    ("settings.archive", "files.archive", "", "download"),
)
"""Ways on: the key of the words, the page and a part of it, the picture."""
_REQUEST_WAYS = (
    ("home.ways.claim", "claim", "alert"),
    ("home.ways.change", "change", "user"),
    ("home.ways.documents", "documents", "document"),
)
"""Ways to requests: the key of the words, the group, the picture."""


_PREMIUMS = {
    "due": ("home.todo.premium", "warn", "home.todo.premium.pay"),
    "overdue": ("home.todo.premium.overdue", "bad", "home.todo.premium.pay"),
    # Nobody is called upon to pay what they are paying (P50).
    "pending": ("home.todo.premium.pending", "", "home.todo.open"),
}
"""How an invoice waits, by its state: the key of the words, the tone, the key of the button."""


@dataclass(frozen=True)
class Task:
    """Something that waits for the customer."""

    words: str
    href: str
    tone: str
    icon: str
    about: str = ""
    contract: str = ""
    button: str = ""


@blueprint.get("/fiok")
@sessions.needed
def show(session: Session) -> Response:
    """Show what needs the customer, contracts in force, and the newest letters."""
    mailbox = current_parts().portal.letters.mailbox
    contracts = current_parts().portal.contracts.portfolio.all(session)
    newest = mailbox.page(session, LetterFilter()).letters[:_NEWEST]
    tasks = _tasks(session)
    return page(
        "portal/home.html",
        notice=sessions.flash.take(time=clock_time(session.over_at)),
        customer=session.account.name,
        tasks=tasks[:_MOST_DUE],
        task_count=len(tasks),
        letters=[{**line(letter), "badge": None} for letter in newest],
        contracts=[contract_line(one) for one in contracts if not one.is_cancelled][:_NEWEST],
        has_contracts=bool(contracts),
        ways=_ways(),
    )


def _ways() -> list[tuple[str, str, str]]:
    """Return the ways on, each with its address and picture: first what can be asked for here (T5)."""
    groups = {kind.group for kind in current_parts().profile.requests.values()}
    asked = [
        (key, url_for("requests.show_all", _anchor=group), picture)
        for key, group, picture in _REQUEST_WAYS
        if group in groups
    ]
    return asked + [(key, url_for(page_, _anchor=part or None), picture) for key, page_, part, picture in _WAYS]


def _tasks(session: Session) -> list[Task]:
    """Return what waits: letters with a day, invoices to pay, requests, then what is unread besides."""
    due = current_parts().portal.letters.mailbox.page(session, LetterFilter(is_due=True)).letters
    tasks = []
    for letter in sorted(due, key=due_day):
        words, is_late = due_in_words(letter)
        tone = "bad" if is_late else "warn"
        about = letter.title if letter.title != type_in_words(letter.type) else ""
        tasks.append(
            Task(
                words,
                url_for("letter.show", letter_id=letter.id),
                tone,
                "mail",
                about,
                letter.policy_number or "",
                say().plain("home.todo.open"),
            )
        )
    tasks += _invoices(session)
    tasks += _requests(session)
    others = places.unread() - sum(letter.is_unread for letter in due)
    if others > 0:
        words = say().plain("home.letters.unread", count=places.unread())
        tasks.append(Task(words, url_for("letters.show", unread=1), "", "mail"))
    return tasks


def _requests(session: Session) -> list[Task]:
    """Return the insurer's questions that wait for an answer, and what was begun and not sent."""
    t, services = say(), current_parts().portal.requests
    if not services.kinds.has_any:
        return []
    tasks = []
    for one in services.own.waiting(session):
        if one.reference is None:
            about = t.plain("home.todo.draft.ends", date_on=date_on(end_of_draft(one.at)))
            words, tone, icon = t.plain("home.todo.draft", kind=title_of(one.kind)), "", "document"
        else:
            about, tone, icon = "", "warn", "chat"
            words = t.plain("home.todo.question", kind=title_of(one.kind), number=one.reference)
        button = t.plain("home.todo.answer" if one.reference else "request.list.draft.go_on")
        tasks.append(Task(words, url_for("requests.show", request_id=one.id), tone, icon, about, button=button))
    return tasks


def _invoices(session: Session) -> list[Task]:
    t, tasks = say(), []
    for invoice in current_parts().portal.payments.invoices.to_pay(session):
        facts = {"amount": amount(invoice.remaining, invoice.currency), "date": date_in_words(invoice.due_on)}
        key, tone, does = _PREMIUMS[invoice.state]
        words = t.plain(key, **facts, date_until=date_until(invoice.due_on))
        href, button = url_for("invoices.show", invoice_id=invoice.id), t.plain(does)
        tasks.append(Task(words, href, tone, "document", contract=invoice.policy_number or "", button=button))
    return tasks
