"""Pages on which a registration cannot go on: what happened, what can be done now, who helps, and a reference."""

from datetime import datetime
from typing import Any

from flask import Response, url_for

from services.registrations import Registration
from webapp.journey import funnel
from webapp.ui.formats import clock_time, date_and_time, first_minute
from webapp.ui.language import say
from webapp.ui.references import lasting_reference, passing_reference
from webapp.ui.respond import page

_STATUS = {
    "link_expired": 410,
    "link_unknown": 404,
    "link_completed": 410,
    "already_registered": 409,
    "codes_used_up": 403,
    "ended_by_staff": 410,
}

_HOW = {
    "link_expired": ("warn", "clock"),
    "link_unknown": ("warn", "mail"),
    "link_completed": ("info", "tick"),
    "already_registered": ("info", "user"),
    "codes_used_up": ("warn", "phone"),
    "ended_by_staff": ("warn", "phone"),
}


def show(
    kind: str,
    *,
    registration: Registration | None = None,
    kutid: str | None = None,
    at: datetime | None = None,
    again_at: datetime | None = None,
) -> Response:
    """Answer with the dead end `kind`, keeping a reference code by which staff find it."""
    funnel.stopped(kind, registration)
    at = at or (registration.expires_at if registration else None)
    t = say()
    reference = _reference(kind, kutid, registration)
    tone, picture = _HOW[kind]
    return page(
        "pages/dead_end.html",
        _STATUS[kind],
        heading=t(f"dead_end.{kind}.heading"),
        paragraphs=list(_paragraphs(kind, registration, at)),
        reference=reference,
        again_at=t("dead_end.codes_used_up.next", datetime=date_and_time(first_minute(again_at))) if again_at else None,
        button=_button(kind),
        tone=tone,
        picture=picture,
    )


def _reference(kind: str, kutid: str | None, registration: Registration | None) -> str:
    if kutid is None and registration is None:
        return passing_reference(kind)
    return lasting_reference(
        kind,
        kutid=kutid or (registration.kutid if registration else None),
        registration_id=registration.id if registration else None,
    )


def _paragraphs(kind: str, registration: Registration | None, at: datetime | None) -> list[Any]:
    t = say()
    if kind == "link_expired" and (at is None or (registration is not None and registration.mailed_at is None)):
        return [t("dead_end.link_expired.next")]
    paragraphs = [t(f"dead_end.{kind}.text", time=clock_time(at) if at else "")]
    if kind in ("link_expired", "already_registered", "link_completed"):
        paragraphs.append(t(f"dead_end.{kind}.next"))
    return paragraphs


def _button(kind: str) -> dict[str, Any] | None:
    t = say()
    if kind in ("link_expired", "link_unknown", "ended_by_staff"):
        return {"action": "restart", "text": t("dead_end.link_expired.button")}
    if kind in ("link_completed", "already_registered"):
        return {"href": url_for("sign_in.show"), "text": t("start.sign_in.button")}
    return None
