"""Judges whether a file is a PDF that a customer can open (P10), with bounded memory."""

import logging
import os
from functools import cache
from importlib import import_module
from typing import IO, Any

from services.refusal import Refusal

LARGEST = 20 * 1024 * 1024
"""Bytes of the largest letter."""
_HEAD = 1024
"""Bytes in which the header is looked for, and from the end the end mark (ISO 32000-1, H.3)."""
_BEFORE = b"\xef\xbb\xbf \t\r\n"
"""What may stand before the header: a mark of the encoding, white space."""
_DECODED = 64 * 1024 * 1024
"""Bytes that one compressed stream may hold: a small file may promise many gigabytes."""


def judge(file: IO[bytes]) -> None:
    """Raise Refusal ``document.<reason>`` unless `file`, read from its beginning, is a whole and open PDF.

    The reasons are ``empty``, ``too_large``, ``no_pdf``, ``encrypted`` and ``damaged``. Leaves it at its beginning.
    """
    size = file.seek(0, os.SEEK_END)
    if size == 0:
        raise Refusal("document", "empty")
    if size > LARGEST:
        raise Refusal("document", "too_large")
    file.seek(0)
    # Readers find the header later too, so that a file may be a page or an archive as well. No letter needs that.
    if not file.read(_HEAD).lstrip(_BEFORE).startswith(b"%PDF-"):
        raise Refusal("document", "no_pdf")
    file.seek(max(0, size - _HEAD))
    is_whole = b"%%EOF" in file.read()
    file.seek(0)
    _read(file)
    if not is_whole:
        raise Refusal("document", "damaged")
    file.seek(0)


def _read(file: IO[bytes]) -> None:
    pikepdf = _reader()
    try:
        with pikepdf.open(file) as document:
            if document.is_encrypted:  # with an empty user password too: scripts and screen readers may be kept out
                raise Refusal("document", "encrypted")
            if not len(document.pages):
                raise Refusal("document", "damaged")
    except pikepdf.PasswordError:
        raise Refusal("document", "encrypted") from None
    except Refusal:
        raise
    except Exception:  # qpdf raises errors of several kinds for what it cannot read
        raise Refusal("document", "damaged") from None


@cache
def _reader() -> Any:
    """Load the library when the first file comes, with limits for the whole process; pages alone never need it."""
    # It tells at its import that it logs, and then of each damaged file: the refusal says what there is to say.
    logging.getLogger("pikepdf").setLevel(logging.CRITICAL)
    reader = import_module("pikepdf")
    import_module("pikepdf.settings").set_qpdf_limits(
        flate_max_memory=_DECODED,
        png_max_memory=_DECODED,
        tiff_max_memory=_DECODED,
        run_length_max_memory=_DECODED,
        dct_max_memory=_DECODED,
        parser_max_container_size=1_000_000,
        doc_max_warnings=100,
    )
    return reader
