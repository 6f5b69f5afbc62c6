"""A letter's file, and all letters as one ZIP: streamed, and never run by a browser (P16, P17, P22)."""

import hashlib
import json
from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import chain

from flask import Blueprint, Response, render_template, request, stream_with_context, url_for
from werkzeug.exceptions import BadRequest, RequestedRangeNotSatisfiable
from zipstream import ZipStream

from services.accounts import Session
from services.gateways.storage import StorageUnavailable
from services.letters.archive import LetterDamaged
from services.letters.letter import Letter
from webapp.account import sessions
from webapp.http.security import SANDBOX
from webapp.parts import current_parts
from webapp.portal.letter import is_prefetched, withdrawn
from webapp.portal.words import file_name, type_in_words
from webapp.ui.formats import date_and_time, date_in_words
from webapp.ui.language import language, say
from webapp.ui.respond import page

blueprint = Blueprint("files", __name__, url_prefix="/levelezes")

_SUMS = "SHA256SUMS"


@blueprint.get("/<letter_id>/fajl")
@sessions.needed
def show(session: Session, letter_id: str) -> Response:
    """Send a letter's file, to be shown or, with `letoltes`, saved. HEAD opens nothing (P13)."""
    mailbox, is_saved = current_parts().portal.letters.mailbox, bool(request.args.get("letoltes"))
    letter = mailbox.find(session, letter_id)
    if letter.is_withdrawn:
        return withdrawn(session, letter)
    if is_prefetched():
        return Response(status=503)
    _judge_range(letter.size)
    response = Response(mimetype="application/pdf")
    if request.method == "GET":
        try:
            response.response = mailbox.file(session, letter_id, is_saved=is_saved).chunks
        except LetterDamaged:
            return _away("letter.corrupt.heading", "letter.corrupt.text", "letter.corrupt.next")
        except StorageUnavailable:
            return _away("fault.storage.heading", "fault.storage.text")
    response.content_length = letter.size
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers.set("Content-Disposition", "attachment" if is_saved else "inline", filename=file_name(letter))
    response.make_conditional(request, accept_ranges=True, complete_length=letter.size)
    return response


@blueprint.get("/archivum")
@sessions.needed
def archive(session: Session) -> Response:
    """Send all letters, or those since a day, as a ZIP that is made while it is sent."""
    since = _since()
    response = Response(mimetype="application/zip")
    if request.method == "GET":
        packed = stream_with_context(_packed(session, since))
        try:
            # The first letter is read before anything is answered: a storage that is away is a page then.
            response.response = chain([next(packed)], packed)
        except StorageUnavailable:
            return _away("fault.storage.heading", "fault.storage.text")
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers["Content-Disposition"] = 'attachment; filename="levelek.zip"'
    return response


def _judge_range(size: int) -> None:
    """Raise RequestedRangeNotSatisfiable for one range beyond the end; what else cannot be served counts as none.

    RFC 9110, 14.2: a range that is malformed, in another unit or one of several may be ignored, and a suffix that is
    longer than the file is all of it.
    """
    asked = request.range
    is_one = asked is not None and asked.units == "bytes" and len(asked.ranges) == 1
    if asked is not None and is_one and asked.range_for_length(size) is None and asked.ranges[0][0] >= size:
        raise RequestedRangeNotSatisfiable(size)
    if asked is None or asked.range_for_length(size) is None:
        request.environ.pop("HTTP_RANGE", None)


def _away(heading: str, text: str, extra: str = "") -> Response:
    t = say()
    response = page(
        "pages/fault.html",
        503,
        heading=t(heading),
        text=t(text),
        extra=t(extra) if extra else None,
        button={"href": url_for("letters.show"), "text": t("letter.list.heading")},
        reference=None,
    )
    response.headers["Retry-After"] = "60"
    return response


def _since() -> datetime | None:
    asked = request.args.get("since", "").strip()
    if not asked:
        return None
    try:
        return datetime.combine(date.fromisoformat(asked), time(), current_parts().profile.zone)
    except ValueError:
        raise BadRequest from None


def _packed(session: Session, since: datetime | None) -> Iterator[bytes]:
    packed, listed, sums = ZipStream(), [], []
    for letter, stored in current_parts().portal.letters.mailbox.archive(session, since):
        name = f"{letter.issued_on.isoformat()}-{letter.id}.pdf" if stored else None
        if stored and name:
            packed.add(stored.chunks, name)
            yield from packed.all_files()
            sums.append(f"{letter.sha256}  {name}")
        listed.append(_listed(letter, name))
    index = render_template(
        "portal/archive_index.html",
        letters=listed,
        made=date_and_time(current_parts().clock.now()),
        customer_number=current_parts().portal.letters.certificates.number(session, language()),
    )
    for name, text in (("letters.json", json.dumps(listed, ensure_ascii=False, indent=1)), ("index.html", index)):
        packed.add(text.encode(), name)
        sums.append(f"{hashlib.sha256(text.encode()).hexdigest()}  {name}")
    packed.add("".join(f"{one}\n" for one in sums).encode(), _SUMS)
    yield from packed.finalize()


def _listed(letter: Letter, name: str | None) -> dict[str, object]:
    zone = current_parts().profile.zone
    return {
        "id": letter.id,
        "file": name,
        "type": letter.type,
        "type_in_words": type_in_words(letter.type),
        "title": letter.title,
        "policy_number": letter.policy_number,
        "issued_on": letter.issued_on.isoformat(),
        "date_in_words": date_in_words(letter.issued_on),
        "published_at": letter.published_at.astimezone(zone).isoformat(),
        "withdrawn": letter.is_withdrawn,
        "sha256": letter.sha256,
        "size": letter.size,
    }
