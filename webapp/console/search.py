"""Finding a customer: the console's first page."""

from flask import Response, request

from services.refusal import Refusal
from services.staff import StaffSession
from webapp.console import cases, letter_lists, staff_sessions
from webapp.console.staff_sessions import blueprint, desk_page, listed, needed
from webapp.parts import current_parts
from webapp.ui.form_errors import Fields, Problem, SentForm, explain
from webapp.ui.forms import StepForm, Text
from webapp.ui.language import say
from webapp.ui.respond import go_on

_FIELDS = Fields({"policy_number": "staff.search.heading"})


class SearchForm(StepForm):
    """Whatever is known of the customer, in one field."""

    policy_number = Text(200)


@blueprint.get("")
@needed
def home(seen: StaffSession) -> Response:
    """Show the search, the customers it found, and an adviser's own customers."""
    return _home(seen, shows_results="talalatok" in request.args)


@blueprint.post("/kereses")
@needed
def search(seen: StaffSession) -> Response:
    """Search; one customer is opened at once, several are listed."""
    form = SearchForm(request.form)
    try:
        if not form.validate():
            raise next(form.refusals())[1]
        case_id = current_parts().staff.search.search(seen, str(form.policy_number.data))
    except Refusal as refusal:
        typed = {"policy_number": str(form.policy_number.data).replace("\0", "")}
        if refusal.reason == "none":
            # An adviser gets one answer, whether the customer does not exist or is another adviser's.
            missing = say()("staff.not_yours" if seen.member.is_adviser else "staff.search.none")
            label = say().plain(_FIELDS.labels["policy_number"])
            problem = Problem("policy_number", label, missing)
            return _home(seen, 404, SentForm(typed, {"policy_number": missing}, problems=[problem]))
        sent = explain([("", refusal)], _FIELDS, typed)
        return _home(seen, sent.status, sent)
    if case_id:
        return go_on(cases.address(case_id), lambda: cases.show_case(seen, case_id))
    staff_sessions.look_again()  # the session knows whom the search found
    return go_on(f"{staff_sessions.address('home')}?talalatok", _results)


@blueprint.post("/ugyfel")
@needed
def open_customer(seen: StaffSession) -> Response:
    """Open a customer whom a list shows."""
    case_id = current_parts().staff.search.open(seen, request.form.get("customer", ""))
    return go_on(cases.address(case_id), lambda: cases.show_case(seen, case_id))


@needed
def _results(seen: StaffSession) -> Response:
    return _home(seen, shows_results=True)


def _home(
    seen: StaffSession, status: int = 200, form: SentForm | None = None, *, shows_results: bool = False
) -> Response:
    parts = current_parts()
    found = parts.staff.search.found(seen) if shows_results else None
    return desk_page(
        seen,
        "console/home.html",
        status,
        found=None if found is None else listed(found),
        own=listed(parts.staff.search.own(seen)) if seen.member.is_adviser and found is None else None,
        desk=letter_lists.desk_lines(seen) if seen.member.is_adviser and found is None else None,
        notice=staff_sessions.flash.take() if seen.member.is_adviser else None,
        warning=letter_lists.warning.take(),
        form=form or SentForm(),
    )
