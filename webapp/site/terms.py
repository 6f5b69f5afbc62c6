"""The terms to read: in force and older, as a page and as a PDF. Opening them is what a registration records (M23)."""

from flask import Blueprint, Response, abort, send_file, url_for
from markupsafe import Markup

from services.terms import Terms
from webapp.account import sessions
from webapp.journey.browser import reader
from webapp.parts import current_parts
from webapp.ui.documents import file_size
from webapp.ui.formats import day
from webapp.ui.language import language
from webapp.ui.respond import page

blueprint = Blueprint("terms", __name__)


@blueprint.get("/aszf")
def in_force() -> Response:
    """Show the terms in force."""
    return _show(current_parts().documents.terms.in_force(current_parts().clock.now()))


@blueprint.get("/aszf/<version>.pdf")
def pdf(version: str) -> Response:
    """Send a version as PDF."""
    file = _version(version).pdf(language())
    if file is None:
        abort(404)
    _record(version)
    return send_file(file, "application/pdf", as_attachment=False, download_name=file.name)


@blueprint.get("/aszf/<version>")
def one(version: str) -> Response:
    """Show one version."""
    return _show(_version(version))


def _version(version: str) -> Terms:
    return current_parts().documents.terms.get(version, current_parts().clock.now()) or abort(404)


def _show(terms: Terms) -> Response:
    now, signed_in_ = current_parts().clock.now(), sessions.current()
    _record(terms.version)
    pdf = terms.pdf(language())
    return page(
        "pages/terms.html",
        kind="terms",
        is_to_return=current_parts().accounts.changed_terms.terms_due(signed_in_)
        if signed_in_
        else reader() is not None,
        terms={
            "version": terms.version,
            "date": day(terms.in_force_from),
            "html": Markup(terms.text(language())),  # noqa: S704 - the insurer's own text, shipped with the profile
            "language": terms.language(language()),
            "current": terms.version == current_parts().documents.terms.in_force(now).version,
            "pdf_url": url_for("terms.pdf", version=terms.version) if pdf else None,
            "pdf_size": file_size(pdf) if pdf else None,
            "current_url": url_for("terms.in_force"),
        },
    )


def _record(version: str) -> None:
    if (signed_in_ := sessions.current()) is not None:
        current_parts().accounts.changed_terms.open_terms(signed_in_, version)
    if access := reader():
        current_parts().registrations.consents.open_terms(access, version)
