"""The insurer's six values as a stylesheet of their own, as the content policy wants it; and the logo."""

import hashlib
from dataclasses import dataclass

from flask import Blueprint, Response, abort, make_response, url_for

from services.profiles import Profile
from webapp.http.security import SANDBOX
from webapp.parts import current_parts

blueprint = Blueprint("brand", __name__)

_TWO_LOGOS = (
    ".brand .on-dark,:root[data-theme=dark] .brand .on-light{display:none}"
    ":root[data-theme=dark] .brand .on-dark{display:inline}"
    "@media(prefers-color-scheme:dark){:root:not([data-theme=light]) .brand .on-light{display:none}"
    ":root:not([data-theme=light]) .brand .on-dark{display:inline}}"
)
"""Which logo a page shows: as its colours follow the system, or the customer's choice."""
_LOGO_POLICY = f"{SANDBOX}; style-src 'unsafe-inline'"


@dataclass(frozen=True)
class ShownLogo:
    """A logo in a page: where it is, how large, and on which pages."""

    url: str
    width: int
    height: int
    ground: str
    """The class by which the stylesheet shows it; empty where it is the only one."""


def stylesheet(profile: Profile) -> str:
    """Return the stylesheet that makes the pages an insurer's own."""
    brand = profile.brand
    values = {
        "brand": brand.brand,
        "brand-dark": brand.brand_dark,
        "accent": brand.accent,
        "canvas": brand.canvas,
        "canvas-dark": brand.canvas_dark,
        "radius": f"{brand.radius}px",
    }
    properties = "".join(f"--{name}:{value};" for name, value in values.items())
    return f":root{{{properties}}}{_TWO_LOGOS if len(profile.logos) > 1 else ''}"


def brand_url(profile: Profile) -> str:
    """Return its address, which changes when the values do."""
    return url_for("brand.show", digest=_digest(stylesheet(profile)))


def shown_logos(profile: Profile) -> list[ShownLogo]:
    """Return the logos of the insurer's folder: none, one, or one for light pages and one for dark ones."""
    grounds = ("on-light", "on-dark") if len(profile.logos) > 1 else ("",)
    return [
        ShownLogo(url_for("brand.logo", digest=logo.digest), logo.width, logo.height, ground)
        for logo, ground in zip(profile.logos, grounds, strict=False)
    ]


@blueprint.get("/brand-<digest>.css")
def show(digest: str) -> Response:
    """Answer with the stylesheet, to be kept for good."""
    sheet = stylesheet(current_parts().profile)
    if digest != _digest(sheet):
        abort(404)
    return _to_keep(sheet.encode(), "text/css")


@blueprint.get("/brand-<digest>.svg")
def logo(digest: str) -> Response:
    """Answer with a logo, to be kept for good. Opened by itself it is a document that may do nothing (P17)."""
    found = next((one for one in current_parts().profile.logos if one.digest == digest), None)
    if found is None:
        abort(404)
    response = _to_keep(found.content, "image/svg+xml")
    response.headers["Content-Security-Policy"] = _LOGO_POLICY
    return response


def _to_keep(content: bytes, mimetype: str) -> Response:
    response = make_response(content)
    response.mimetype = mimetype
    response.cache_control.public = True
    response.cache_control.max_age = 31536000
    response.cache_control.immutable = True
    return response


def _digest(sheet: str) -> str:
    return hashlib.sha256(sheet.encode()).hexdigest()[:8]
