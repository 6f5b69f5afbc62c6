"""What a page says of the terms and the privacy notice that it asks to be read."""

from pathlib import Path
from typing import Any

from flask import url_for

from services.terms import Terms
from webapp.parts import current_parts
from webapp.ui.formats import day
from webapp.ui.language import language


def file_size(file: Path) -> str:
    """Return the size of a document in words, such as “240 kB”."""
    return f"{max(1, round(file.stat().st_size / 1000))}\u00a0kB"


def terms_shown(terms: Terms, opened: str | None) -> dict[str, Any]:
    """Return what a form that asks for acceptance says of the terms; `opened` is the version that was opened."""
    pdf = terms.pdf(language())
    return {
        "version": terms.version,
        "date": day(terms.in_force_from),
        "url": url_for("terms.one", version=terms.version),
        "pdf_url": url_for("terms.pdf", version=terms.version) if pdf else None,
        "pdf_size": file_size(pdf) if pdf else None,
        "opened": opened == terms.version,
        "changes": terms.changes(language()),
    }


def notice_shown(opened: str | None) -> dict[str, Any]:
    """Return what a form says of the notice in force; `opened` is the version that was opened."""
    notice = notice_in_force()
    return {
        "version": notice.version,
        "date": day(notice.in_force_from),
        "url": url_for("notice.one", version=notice.version),
        "opened": opened == notice.version,
    }


def notice_in_force() -> Terms:
    return current_parts().documents.notice.in_force(current_parts().clock.now())
