"""Small PDFs for tests."""

from functools import cache
from io import BytesIO

import pikepdf


@cache
def pdf(words: str = "a letter", *, password: str | None = None) -> bytes:
    """Return a PDF of one page; other words make other bytes."""
    document = pikepdf.new()
    document.add_blank_page()
    document.docinfo["/Title"] = words
    written = BytesIO()
    document.save(
        written,
        deterministic_id=password is None,
        encryption=pikepdf.Encryption(user=password, owner=password) if password is not None else False,
    )
    return written.getvalue()
