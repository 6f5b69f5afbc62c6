"""Finding a customer: the console's first page."""

from flask import Response, make_response, redirect, request

from services.refusal import Refusal
from webapp.console import door
from webapp.console.door import blueprint, desk_page, listed, needed
from webapp.forms import StepForm, Text
from webapp.mistakes import Fields, explain
from webapp.parts import wired
from webapp.rendering import is_fragment_due

_FIELDS = Fields({"policy_number": "staff.search.heading"})


class SearchForm(StepForm):
    """Whatever is known of the customer, in one field."""

    policy_number = Text(200)


@blueprint.get("")
@needed
def home() -> Response:
    """Show the search, whom it found, and an adviser's own customers."""
    return _home()


@blueprint.post("/kereses")
@needed
def search() -> Response:
    """Search; one customer is opened at once, several are listed."""
    seen = door.current()
    assert seen is not None
    form = SearchForm(request.form)
    try:
        if not form.validate():
            raise next(form.refusals())[1]
        case_id = wired().cases.search(seen, str(form.policy_number.data))
    except Refusal as refusal:
        if refusal.reason == "none" and seen.member.is_adviser:
            # One answer, whether there is no such customer or they are not the adviser's.
            refusal = Refusal("search", "not_yours")
        sent = explain([("", refusal)], _FIELDS, {"policy_number": str(form.policy_number.data)})
        is_missing = refusal.reason in ("none", "not_yours")
        return _home(404 if is_missing else sent.status, form=sent, is_failed=True)
    return go(f"{door.door()}/ugyfel/{case_id}" if case_id else f"{door.door()}?talalatok")


@blueprint.post("/ugyfel")
@needed
def open_customer() -> Response:
    """Open a customer whom a list shows."""
    seen = door.current()
    assert seen is not None
    case_id = wired().cases.open(seen, request.form.get("customer", ""))
    return go(f"{door.door()}/ugyfel/{case_id}")


def go(address: str) -> Response:
    """Show another page of the console: htmx fetches it by itself."""
    if not is_fragment_due():
        return make_response(redirect(address, 303))
    response = make_response("")
    response.headers["HX-Location"] = address
    return response


def _home(status: int = 200, *, is_failed: bool = False, **context: object) -> Response:
    seen = door.current()
    assert seen is not None
    parts = wired()
    shows_results = "talalatok" in request.args and not is_failed
    found = parts.cases.found(seen) if shows_results else None
    return desk_page(
        "console/home.html",
        status,
        found=None if found is None else listed(found),
        own=listed(parts.cases.own(seen)) if seen.member.is_adviser and found is None else None,
        **context,
    )
