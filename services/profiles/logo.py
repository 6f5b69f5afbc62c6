"""An insurer's logo: an SVG that draws and does nothing else, beside its profile."""

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from xml.etree import ElementTree

LIGHT, DARK = "logo.svg", "logo-dark.svg"
_LARGEST = 64 * 1024
_SVG = "{http://www.w3.org/2000/svg}"
_DRAWS = frozenset({
    "svg", "g", "defs", "symbol", "use", "title", "desc", "metadata", "path", "rect", "circle", "ellipse", "line",
    "polyline", "polygon", "text", "tspan", "style", "linearGradient", "radialGradient", "stop", "clipPath", "mask",
    "pattern",
})  # fmt: skip
"""Elements that a logo may have. Others run something, load something or move."""
_REFERENCES = re.compile(r"url\(\s*['\"]?\s*(?!#)|@import|javascript:|expression\(", re.I)
_WIDEST, _HEIGHT = 6, 32
"""The greatest width for its height; how high it is shown, in pixels."""


class UnfitLogo(ValueError):
    """The file cannot be the logo; the message says why."""


@dataclass(frozen=True)
class Logo:
    """A logo that has been judged."""

    content: bytes
    width: int
    """As shown, in pixels."""

    height = _HEIGHT

    @property
    def digest(self) -> str:
        """What tells its versions apart."""
        return sha256(self.content).hexdigest()[:8]


def read_logo(file: Path) -> Logo:
    """Return the logo in a file. Raises UnfitLogo for one that scripts, loads from elsewhere, or is no SVG.

    Browsers run nothing in a picture that a page shows; opened by its own address it would be a document.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UnfitLogo(f"cannot be read: {error.strerror}") from error
    if len(content) > _LARGEST:
        raise UnfitLogo(f"has {len(content)} bytes; {_LARGEST} are the most")
    if b"<!DOCTYPE" in content.upper() or b"<!ENTITY" in content.upper():
        raise UnfitLogo("has a DOCTYPE; save it without one")
    try:
        root = ElementTree.fromstring(content)  # noqa: S314 (entities were refused above)
    except ElementTree.ParseError as error:
        raise UnfitLogo(f"is no SVG: {error}") from error
    if root.tag != f"{_SVG}svg":
        raise UnfitLogo("is no SVG")
    for element in root.iter():
        _judge(element)
    return Logo(content, _width(root))


def _judge(element: "ElementTree.Element") -> None:
    name = str(element.tag).removeprefix(_SVG)
    if name not in _DRAWS:
        raise UnfitLogo(f"has <{name.rpartition('}')[2]}>; a logo draws, and neither runs nor loads anything")
    if name == "style" and _REFERENCES.search(element.text or ""):
        raise UnfitLogo("has a style that loads something")
    for attribute, value in element.attrib.items():
        attribute_name = attribute.rpartition("}")[2].lower()
        if attribute_name.startswith("on"):
            raise UnfitLogo(f"has {attribute_name}=…, which runs a script")
        if attribute_name in ("href", "src") and not value.strip().startswith("#"):
            raise UnfitLogo(f"refers to {value.strip()[:40]}, which is outside of it")
        if _REFERENCES.search(value):
            raise UnfitLogo(f"has {attribute_name}=…, which loads something")


def _width(root: "ElementTree.Element") -> int:
    try:
        _, _, width, height = (float(number) for number in re.split(r"[\s,]+", root.attrib["viewBox"].strip()))
        wide = width / height
    except (KeyError, ValueError, ZeroDivisionError):
        raise UnfitLogo("has no viewBox, which says how wide it is for its height") from None
    if not 0.2 <= wide <= _WIDEST:
        raise UnfitLogo(f"is {wide:.1f} times as wide as high; from 0.2 to {_WIDEST} fits the head of a page")
    return max(1, round(wide * _HEIGHT))
