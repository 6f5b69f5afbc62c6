"""QR codes as part of a page."""

import segno
from markupsafe import Markup


def qr_code(content: str) -> Markup:
    """Return a QR code as inline SVG, black on white with its quiet zone of four modules (ISO/IEC 18004).

    Banks ask for error correction M.
    """
    code = segno.make_qr(content, error="m", boost_error=False)
    drawn = code.svg_inline(omitsize=True, dark="#000", light="#fff", svgclass="qr", lineclass=None)
    return Markup(drawn)  # noqa: S704 - the library draws; nothing of the content is in it as text
