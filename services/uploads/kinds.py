"""What kind of file it is, by its first bytes; whether that is true is found when its rendition is made (P38)."""

from services.uploads.upload import Kind

HEAD = 1024
"""The first bytes of a file, in which PDF readers search for the header (ISO 32000-1, H.3)."""
_HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"})
"""Brands of HEIF files (ISO/IEC 23008-12, annex B)."""


def kind_of(head: bytes) -> Kind | None:
    """Return the kind of a file that begins with `head`; None for one that is not taken."""
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC:
        return "heic"
    return "pdf" if b"%PDF-" in head[:HEAD] else None
