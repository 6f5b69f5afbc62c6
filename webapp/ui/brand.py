"""The insurer's six values as a stylesheet of their own: the policy on content forbids styles in the page."""

import hashlib

from flask import Blueprint, Response, abort, make_response, url_for

from services.profiles import Brand
from webapp.parts import current_parts

blueprint = Blueprint("brand", __name__)


def stylesheet(brand: Brand) -> str:
    """Return the stylesheet that makes the pages an insurer's own."""
    values = {
        "brand": brand.brand,
        "brand-dark": brand.brand_dark,
        "accent": brand.accent,
        "canvas": brand.canvas,
        "canvas-dark": brand.canvas_dark,
        "radius": f"{brand.radius}px",
    }
    return ":root{" + "".join(f"--{name}:{value};" for name, value in values.items()) + "}"


def brand_url(brand: Brand) -> str:
    """Return its address, which changes when the values do."""
    return url_for("brand.show", digest=_digest(stylesheet(brand)))


@blueprint.get("/brand-<digest>.css")
def show(digest: str) -> Response:
    """Answer with the stylesheet, to be kept for good."""
    sheet = stylesheet(current_parts().profile.brand)
    if digest != _digest(sheet):
        abort(404)
    response = make_response(sheet)
    response.mimetype = "text/css"
    response.cache_control.public = True
    response.cache_control.max_age = 31536000
    response.cache_control.immutable = True
    return response


def _digest(sheet: str) -> str:
    return hashlib.sha256(sheet.encode()).hexdigest()[:8]
