"""Files that a customer adds to a question: the part of a page that takes them, and the file itself (P38–P41).

The pages that have such a question know whose files they are: they call `shown` and `act` with a `Place`.
"""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request, url_for

from services.accounts import Session
from services.gateways.storage import StorageUnavailable
from services.refusal import OutOfTurn, Refusal
from services.uploads.upload import MOST, MOST_OF_A_DAY, OpenedFile, Upload
from webapp.account import sessions
from webapp.http.bodies import largest_body, takes_file
from webapp.parts import current_parts
from webapp.ui.form_errors import Fields, SentForm, explain
from webapp.ui.formats import date_and_time, file_size
from webapp.ui.language import say
from webapp.ui.respond import page

blueprint = Blueprint("uploads", __name__, url_prefix="/ugyintezes/fajl")

_SANDBOX = "default-src 'none'; sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
"""What others made runs nothing, and reaches nothing of ours (P17)."""
_BUFFER = 256 * 1024
"""Werkzeug reads 64 KiB at once, and counts what it has read of a file among the texts until it is written away."""
_OTHERS = "belepo.file_senders"
_LATE = timedelta(minutes=2)
_FILE = Fields({"file": "upload.label"})
_PASSWORD = Fields({"file_password": "upload.password.label"})
_ENDINGS = {"image/jpeg": "jpg", "application/pdf": "pdf"}
_BADGES = {
    "received": ("warn", "clock"),
    "checking": ("warn", "clock"),
    "ready": ("ok", "tick"),
    "refused": ("bad", "alert"),
    "handed-over": ("ok", "tick"),
}


@dataclass(frozen=True)
class Place:
    """Whose files a page shows, for which question, and where its forms go."""

    owner: str
    """The request or draft, by its id."""
    kutid: str | None
    question: str | None
    """The question that the files answer; None where those of all questions are shown, and none is taken."""
    action: str
    """The address that the forms are posted to. To take large bodies it ends as `webapp.http.bodies` says."""
    address_of: Callable[[str], str] | None = None
    """Makes the address of a file's rendition by its id; by default that of `show`, for the customer's own."""


# --- For the pages with such a question ---------------------------------------------------------------------------


def shown(place: Place, *, is_whole: bool = False) -> Mapping[str, Any]:
    """Return what `components/uploads.html` shows: the question's files, the limits and the addresses.

    With `is_whole` the files of the other questions too.
    """
    files_of = current_parts().portal.uploads.files
    found = files_of.all(place.owner, None if is_whole else place.question)
    files = [_line(place, upload) for upload in found]
    return {
        "action": place.action,
        "files": files,
        "limit": MOST,
        "of_day": MOST_OF_A_DAY,
        "is_taken": place.question is not None,
        "is_waiting": any(upload.is_waiting for upload in found),
        "is_refused": any(upload.state == "refused" for upload in found),
        "is_locked": any(upload.is_locked for upload in found),
        "is_late": any(_is_late(upload) for upload in found),
    }


def act(place: Place) -> SentForm | None:
    """Do what a form of that part asks for: add a file, take one away, describe one, or open one with its password.

    Return the form with what is to be mended: 422, 413 (too large), or 503 while the storage is away. None where it is
    done, now or before: then the caller goes on to its page, whose next notice says what happened.
    """
    uploads, form = current_parts().portal.uploads, request.form
    try:
        if removed := form.get("remove"):
            uploads.files.remove(place.owner, removed)
            sessions.flash.leave("upload.removed")
        elif described := form.get("describe"):
            uploads.files.describe(place.owner, described, form.get("description", ""))
            sessions.flash.leave("upload.described")
        elif locked := form.get("unlock"):
            uploads.intake.unlock(place.owner, locked, form.get("file_password", ""))
        else:
            _receive(place)
    except StorageUnavailable:
        return replace(explain([("", Refusal("file", "away"))], _FILE, {}), status=503)
    except OutOfTurn:
        return None  # taken away, sent or opened meanwhile: the page says how things stand
    except Refusal as refusal:
        asked = explain([("", refusal)], _PASSWORD if refusal.field == "file_password" else _FILE, {})
        return replace(asked, status=413) if refusal.reason == "too_big" else asked
    return None


def send(opened: OpenedFile) -> Response:
    """Send a rendition, to be shown by the browser and never run. Its name is ours (P17)."""
    response = Response(opened.chunks, mimetype=opened.type)
    response.content_length = opened.size
    response.headers["Content-Security-Policy"] = _SANDBOX
    name = f"{opened.upload.id[:8]}.{_ENDINGS.get(opened.type, 'bin')}"
    response.headers.set("Content-Disposition", "inline", filename=name)
    return response


def unchecked(back: str | None = None) -> Response:
    """Answer that a file cannot be opened, or not yet (409); `back` is where its page is."""
    t = say()
    return page(
        "pages/fault.html",
        409,
        heading=t("upload.unchecked.heading"),
        text=t("upload.unchecked.text"),
        extra=None,
        button={"href": back or url_for("home.show"), "text": t("upload.unchecked.back")},
        reference=None,
    )


# --- The file itself ------------------------------------------------------------------------------------------------


@blueprint.get("/<upload_id>")
@sessions.needed
def show(session: Session, upload_id: str) -> Response:
    """Send the rendition of one of the customer's files; 409 as long as it has none."""
    try:
        return send(current_parts().portal.uploads.reading.open(session.account.kutid, upload_id))
    except Refusal:
        return unchecked()


# --- Large requests -------------------------------------------------------------------------------------------------


def set_up(app: Flask, others: Mapping[str, Callable[[], Response | None]]) -> None:
    """Let a customer who is signed in send a file to the addresses that take one; before any form is read.

    `others` are blueprints where somebody else may: each tells by an answer who may not.
    """
    app.extensions[_OTHERS] = others
    app.before_request(_admit)


def turn_away() -> Response | None:
    """Return the answer to a file from somebody who may not send one to the address that is asked; None to others."""
    others: Mapping[str, Callable[[], Response | None]] = current_app.extensions[_OTHERS]
    return others.get(request.blueprint or "", _turn_away)()


def _turn_away() -> Response | None:
    return sessions.ask_before(request.path) if sessions.current() is None else None


def _admit() -> Response | None:
    if not takes_file(request.method, request.path):
        return None
    if (answer := turn_away()) is not None:
        return answer  # the body stays unread: its form could not be taken
    request.max_content_length = largest_body(request.method, request.path)
    request.max_form_memory_size = _BUFFER
    return None


# --- Inside ---------------------------------------------------------------------------------------------------------


def _receive(place: Place) -> None:
    file = request.files.get("file")
    if place.question is None:
        raise OutOfTurn
    if file is None:
        raise Refusal("file", "empty")
    with closing(file):
        if not (file.filename or file.stream.read(1)):
            raise Refusal("file", "empty")
        intake = current_parts().portal.uploads.intake
        intake.receive(place.owner, place.kutid, place.question, file.filename or "", file.stream)
    sessions.flash.leave("upload.added")


def _is_late(upload: Upload) -> bool:
    return upload.is_waiting and current_parts().clock.now() - upload.received_at > _LATE


def _line(place: Place, upload: Upload) -> Mapping[str, Any]:
    t, state = say(), upload.state
    tone, icon = _BADGES[state]
    words = "password" if upload.is_locked else state.replace("-", "_")
    address_of = place.address_of or (lambda upload_id: url_for("uploads.show", upload_id=upload_id))
    facts = {"file_size": file_size(upload.size), "datetime": date_and_time(upload.received_at)}
    return {
        "id": upload.id,
        "name": upload.name,
        "href": address_of(upload.id),
        "state": state,
        "badge": {"tone": tone, "icon": "lock" if upload.is_locked else icon, "words": t(f"upload.state.{words}")},
        "receipt": t("upload.receipt.row", **facts),
        "groups": [upload.sha256[start : start + 8] for start in range(0, len(upload.sha256), 8)],
        "sha256": upload.sha256,
        "why": t(f"upload.refused.{upload.reason}", limit=200) if upload.reason else None,
        "description": upload.description or "",
        "is_locked": upload.is_locked,
        "is_waiting": upload.is_waiting,
        "is_sent": upload.sent_at is not None,
        "picture": upload.is_open and upload.rendition_type == "image/jpeg",
    }
