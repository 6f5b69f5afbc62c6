"""Finding a customer: the console's first page."""

from collections.abc import Callable

from flask import Response, make_response, redirect, request

from services.refusal import Refusal
from webapp.console import cases, staff_sessions
from webapp.console.staff_sessions import blueprint, desk_page, listed, needed
from webapp.parts import wired
from webapp.ui.form_errors import Fields, Problem, SentForm, explain
from webapp.ui.forms import StepForm, Text
from webapp.ui.language import say
from webapp.ui.respond import is_fragment_due

_FIELDS = Fields({"policy_number": "staff.search.heading"})


class SearchForm(StepForm):
    """Whatever is known of the customer, in one field."""

    policy_number = Text(200)


@blueprint.get("")
@needed
def home() -> Response:
    """Show the search, whom it found, and an adviser's own customers."""
    return _home(shows_results="talalatok" in request.args)


@blueprint.post("/kereses")
@needed
def search() -> Response:
    """Search; one customer is opened at once, several are listed."""
    seen = staff_sessions.current()
    assert seen is not None
    form = SearchForm(request.form)
    try:
        if not form.validate():
            raise next(form.refusals())[1]
        case_id = wired().staff.cases.search(seen, str(form.policy_number.data))
    except Refusal as refusal:
        typed = {"policy_number": str(form.policy_number.data).replace("\0", "")}
        if refusal.reason == "none":
            # To an adviser one answer, whether there is no such customer or they are another's.
            missing = say()("staff.not_yours" if seen.member.is_adviser else "staff.search.none")
            label = say().plain(_FIELDS.labels["policy_number"])
            problem = Problem("policy_number", label, missing)
            return _home(404, SentForm(typed, {"policy_number": missing}, problems=[problem]))
        sent = explain([("", refusal)], _FIELDS, typed)
        return _home(sent.status, sent)
    if case_id:
        return _opened(case_id)
    staff_sessions.look_again()
    return go(f"{staff_sessions.door()}?talalatok", lambda: _home(shows_results=True))


@blueprint.post("/ugyfel")
@needed
def open_customer() -> Response:
    """Open a customer whom a list shows."""
    seen = staff_sessions.current()
    assert seen is not None
    case_id = wired().staff.cases.open(seen, request.form.get("customer", ""))
    return _opened(case_id)


def _opened(case_id: str) -> Response:
    return go(cases.address(case_id), lambda: cases.show_case(case_id))


def go(address: str, show: Callable[[], Response]) -> Response:
    """Go to another page of the console: by a redirect, or at once with its fragment."""
    if not is_fragment_due():
        return make_response(redirect(address, 303))
    response = show()
    response.headers["HX-Push-Url"] = address
    return response


def _home(status: int = 200, form: SentForm | None = None, *, shows_results: bool = False) -> Response:
    seen = staff_sessions.current()
    assert seen is not None
    parts = wired()
    found = parts.staff.cases.found(seen) if shows_results else None
    return desk_page(
        "console/home.html",
        status,
        found=None if found is None else listed(found),
        own=listed(parts.staff.cases.own(seen)) if seen.member.is_adviser and found is None else None,
        form=form or SentForm(),
    )
