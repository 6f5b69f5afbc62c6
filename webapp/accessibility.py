"""The accessibility statement: what is tested, by the suite's own tests, and honestly what is not (WCAG 2.2 AA)."""

from datetime import date

from flask import Blueprint, Response

from webapp.rendering import date_in_words, page

blueprint = Blueprint("accessibility", __name__)

ADDRESS = "/akadalymentesseg"
_LOOKED_AT = (
    "test_states.py::test_nobody_is_kept_out",
    "test_states.py::test_no_other_insurers_customer_is_kept_out",
)
TESTED = {
    "rules": _LOOKED_AT,
    "html": ("test_states.py::test_the_nu_checker_finds_valid_html",),
    "narrow": _LOOKED_AT,
    "colours": _LOOKED_AT,
    "keyboard": ("test_states.py::test_the_keyboard_and_the_screen_reader_reach_everything",),
    "tree": ("test_states.py::test_the_keyboard_and_the_screen_reader_reach_everything",),
    "no_script": ("test_registration.py::test_a_person_registers", "test_account.py::test_a_customer_comes_back"),
    "time": (
        "test_account.py::test_a_session_warns_before_it_ends",
        "test_time.py::test_the_warning_comes_by_itself_and_is_said_once",
        "test_time.py::test_after_the_hour_a_kind_page_leads_to_a_new_start",
    ),
}
"""What the statement says is tested, and the end-to-end tests that do it."""
NOT_TESTED = ("people", "safari", "documents", "mails")
"""What it says is not."""
REVIEWED = date(2026, 11, 27)


@blueprint.get(ADDRESS)
def statement() -> Response:
    """Show the statement."""
    return page(
        "pages/accessibility.html",
        tested=list(TESTED),
        not_tested=NOT_TESTED,
        reviewed=date_in_words(REVIEWED),
    )
