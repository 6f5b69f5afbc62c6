"""What a page says about the end of the session of who is signed in, a customer or a member of staff."""

from flask import Response, make_response, render_template, session

from services.sessions import AnySession
from webapp.parts import current_parts
from webapp.ui.formats import clock_time, time_left


def note_extended() -> None:
    """Have the next note say that the session was extended."""
    session["extended"] = True


def session_note(ending: AnySession, *, until_url: str, stay_url: str) -> dict[str, object]:
    """Return what a page says about the end of a session.

    `until_url` answers with this note again, `stay_url` extends the session.
    """
    warning = int(current_parts().profile.sign_in.warning.total_seconds())
    left = time_left(ending.over_at)
    return {
        "time": clock_time(ending.over_at),
        "is_last": ending.ends_at <= ending.idle_at,
        "is_due": left <= warning,
        "is_extended": session.pop("extended", False),
        "ask_in": left + 1 if left <= warning else left - warning,
        "until_url": until_url,
        "stay_url": stay_url,
    }


def answered(note: dict[str, object] | None, **context: object) -> Response:
    """Answer with a note of `session_note` alone; `context` is what it says where the session has ended."""
    return make_response(render_template("components/session_note.html", session_note=note, **context))
