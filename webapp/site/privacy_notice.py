"""The privacy notice to read, in force and older; opening it is what a registration records (A5)."""

from flask import Blueprint, Response, abort, url_for
from markupsafe import Markup

from services.terms import Terms
from webapp.journey.browser import reader
from webapp.parts import current_parts
from webapp.ui.documents import notice_in_force
from webapp.ui.formats import day
from webapp.ui.language import language
from webapp.ui.respond import page

blueprint = Blueprint("notice", __name__, url_prefix="/tajekoztato")


@blueprint.get("")
def in_force() -> Response:
    """Show the notice in force."""
    return _show(notice_in_force() if current_parts().profile.notice else abort(404))


@blueprint.get("/<version>")
def one(version: str) -> Response:
    """Show one version."""
    return _show(current_parts().documents.notice.get(version, current_parts().clock.now()) or abort(404))


def _show(notice: Terms) -> Response:
    access = reader()
    if access:
        current_parts().registrations.consents.open_notice(access, notice.version)
    return page(
        "pages/terms.html",
        kind="notice",
        is_to_return=access is not None,
        terms={
            "version": notice.version,
            "date": day(notice.in_force_from),
            "html": Markup(notice.text(language())),  # noqa: S704 - the insurer's own text, shipped with the profile
            "language": notice.language(language()),
            "current": notice.version == notice_in_force().version,
            "current_url": url_for("notice.in_force"),
        },
    )
