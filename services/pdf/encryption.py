"""Encrypts PDF files for who knows a password (P25)."""

import io
from typing import Any

_LONGEST = 127
"""Bytes of a password that readers look at (ISO 32000-2, 7.6.4.3.3): of a longer one they would ignore the rest."""


def encrypted(content: bytes, password: str) -> bytes:
    """Return the PDF `content` encrypted by AES-256 (R6, ISO 32000-2), to be opened with `password` alone.

    The password also names the owner: who can open the file may do anything with it, print and copy included. Tags and
    metadata stay, for screen readers. Raises ValueError for a file that is no PDF or is encrypted already, and for a
    password that is empty or too long.
    """
    import pikepdf  # noqa: PLC0415

    if not 0 < len(password.encode()) <= _LONGEST:
        raise ValueError(f"a password has 1 to {_LONGEST} bytes")
    out = io.BytesIO()
    rules: Any = pikepdf.Encryption(owner=password, user=password, R=6)
    try:
        with pikepdf.open(io.BytesIO(content)) as opened:
            if opened.is_encrypted:
                raise ValueError("the file is encrypted already")
            opened.save(out, encryption=rules)
    except (pikepdf.PdfError, pikepdf.PasswordError) as error:
        raise ValueError("the file is no PDF that can be read") from error
    return out.getvalue()
