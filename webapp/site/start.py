"""The pages around the registration: start, appearance, and the page for Internet Explorer."""

import re

from flask import Blueprint, Response, request, url_for

from webapp.http.addresses import local
from webapp.http.cookies import keep
from webapp.journey.browser import held
from webapp.parts import current_parts
from webapp.ui.formats import clock_time
from webapp.ui.respond import page, see_other

blueprint = Blueprint("site", __name__)

_INTERNET_EXPLORER = re.compile(r"MSIE |Trident/")
# Programs ask there, and what they are told must be true; some old ones call themselves Internet Explorer.
_OF_PROGRAMS = frozenset({"brand", "api", "operations", "demo"})


@blueprint.before_app_request
def refuse_internet_explorer() -> Response | None:
    """Tell users of Internet Explorer which browsers are supported (M3)."""
    agent = request.headers.get("User-Agent", "")
    if _INTERNET_EXPLORER.search(agent) and request.endpoint and not _is_for_programs():
        return page("pages/ie.html")
    return None


def _is_for_programs() -> bool:
    return request.blueprint in _OF_PROGRAMS or request.endpoint == "password.well_known"


@blueprint.get("/")
def start() -> Response:
    """Show who the insurer is and the two ways in."""
    in_progress = None
    if access := held():
        registration = current_parts().registrations.records.find(access)
        if registration and not registration.has_account and registration.expires_at > current_parts().clock.now():
            in_progress = {"time": clock_time(registration.expires_at)}
    has_claims = bool(current_parts().portal.requests.kinds.claims())
    return page("pages/start.html", in_progress=in_progress, has_claims=has_claims)


@blueprint.post("/megjelenes")
def appearance() -> Response:
    """Keep the choice of light or dark, and go back to the page it was made on."""
    chosen = request.form.get("theme", "")
    response = see_other(local(request.form.get("next", "")) or url_for("site.start"))
    if chosen in ("light", "dark"):
        keep(response, "theme", chosen)
    return response
