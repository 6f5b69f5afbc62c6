"""One letter: reading it, confirming it, and how it came (P3, P16, P18, P21)."""

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request, url_for

from services.accounts import Session
from services.letters.letter import Letter, LetterEvent
from services.refusal import OutOfTurn
from services.values import masking
from webapp.account import sessions
from webapp.parts import current_parts
from webapp.portal import certificate, twin
from webapp.portal.words import due_day, file_name, today, type_in_words
from webapp.ui.formats import clock_time, date_and_time, date_in_words, date_on, date_until, file_size
from webapp.ui.language import language, say
from webapp.ui.references import passing_reference
from webapp.ui.respond import go_on, page

blueprint = Blueprint("letter", __name__, url_prefix="/levelezes/<letter_id>")

_TONES = {"bounced": "bad", "withdrawn": "over", "replaced": "over"}
_PLAIN = ("notified", "bounced", "withdrawn")
"""Events whose sentence is one without the address or the reason in it."""


@dataclass(frozen=True)
class Happened:
    """Something that happened to a letter, in words."""

    words: str
    sentence: str
    at: str
    tone: str


def is_prefetched() -> bool:
    """Tell whether a browser asks ahead of its user, who may never come: nothing counts as opened by that (P13)."""
    told = (request.headers.get(name, "") for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"))
    return any("prefetch" in value or "preview" in value for value in map(str.lower, told))


@blueprint.get("")
@sessions.needed
def show(session: Session, letter_id: str) -> Response:
    """Show a letter, which is opened by that; a letter that was taken back says so (410)."""
    mailbox = current_parts().portal.letters.mailbox
    if request.method == "HEAD":
        return Response(status=410 if mailbox.find(session, letter_id).is_withdrawn else 200, mimetype="text/html")
    if is_prefetched():
        return Response(status=503)
    try:
        letter = mailbox.open(session, letter_id)
    except OutOfTurn:
        if not mailbox.is_of_another(session, letter_id):
            raise
        return _of_another(session)
    return withdrawn(session, letter) if letter.is_withdrawn else _show(session, letter)


@blueprint.post("")
@sessions.needed
def confirm(session: Session, letter_id: str) -> Response:
    """Note that the customer has read the letter; a second time changes nothing."""
    letter = current_parts().portal.letters.mailbox.confirm(session, letter_id)
    address = url_for("letter.show", letter_id=letter_id)
    return go_on(address, lambda: withdrawn(session, letter) if letter.is_withdrawn else _show(session, letter))


@blueprint.get("/igazolas")
@sessions.needed
def delivery(session: Session, letter_id: str) -> Response:
    """Show how a letter came to the customer, and its file's fingerprint; as a PDF where `pdf` asks for it (P18)."""
    if request.args.get("pdf"):
        return certificate.download(session, letter_id)
    mailbox = current_parts().portal.letters.mailbox
    letter = mailbox.find(session, letter_id)
    return page("portal/delivery.html", **_facts(letter), story=_story(mailbox.events(session, letter_id)))


def withdrawn(session: Session, letter: Letter) -> Response:
    """Say that a letter was taken back, when and why, with a code for staff (P12)."""
    assert letter.withdrawn_at is not None
    zone = current_parts().profile.zone
    return page(
        "portal/withdrawn.html",
        410,
        **_facts(letter),
        withdrawn_on=date_on(letter.withdrawn_at.astimezone(zone).date()),
        reason=letter.withdrawn_reason,
        newer=letter.replaced_by,
        reference=letter.withdrawn_code or passing_reference("letter_withdrawn"),
    )


def _show(session: Session, letter: Letter) -> Response:
    mailbox = current_parts().portal.letters.mailbox
    newer = mailbox.find(session, letter.replaced_by) if letter.replaced_by else None
    older = mailbox.find(session, letter.replaces) if letter.replaces else None
    confirm_by = letter.confirm_by
    return page(
        "portal/letter.html",
        **_facts(letter),
        notice=sessions.flash.take(time=clock_time(session.over_at)),
        newer=newer and {"href": url_for("letter.show", letter_id=newer.id), "date_on": date_on(newer.issued_on)},
        replaces=older and date_on(older.issued_on),
        twin=twin.blocks(letter.data) if letter.data else (),
        confirm={
            "until": date_in_words(confirm_by) if confirm_by else "",
            "late": date_on(confirm_by) if confirm_by and confirm_by < today() else "",
            "done": date_and_time(letter.confirmed_at) if letter.confirmed_at else "",
            "is_due": letter.is_to_confirm and newer is None,
            "date_until": date_until(due_day(letter)) if confirm_by else "",
        },
        story=_story(mailbox.events(session, letter.id)),
        action=url_for("letter.confirm", letter_id=letter.id),
    )


def _facts(letter: Letter) -> dict[str, Any]:
    words = type_in_words(letter.type)
    other_language = letter.language if letter.language != language() else ""
    return {
        "letter": letter,
        "type": words,
        "date": date_in_words(letter.issued_on),
        "published": date_and_time(letter.published_at),
        "size": file_size(letter.size),
        "file_url": url_for("files.show", letter_id=letter.id),
        "file_name": file_name(letter),
        "other_language": other_language,
        "groups": [letter.sha256[start : start + 8] for start in range(0, len(letter.sha256), 8)],
    }


def _story(events: tuple[LetterEvent, ...]) -> list[Happened]:
    t = say()
    return [
        Happened(
            words=t.plain(f"letter.state.{event.type}"),
            sentence=t.plain(f"delivery.event.{event.type}{'.plain' if event.type in _PLAIN else ''}"),
            at=date_and_time(event.at),
            tone=_TONES.get(event.type, "ok"),
        )
        for event in events
    ]


def _of_another(session: Session) -> Response:
    return page(
        "portal/other_account.html",
        403,
        email=masking.email(session.account.email),
        address=request.path,
        stay=url_for("home.show"),
    )
