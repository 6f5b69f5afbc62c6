"""The accessibility statement: what is tested, by the suite's own tests, and honestly what is not (WCAG 2.2 AA)."""

from datetime import date

from flask import Blueprint, Response

from webapp.rendering import date_in_words, page

blueprint = Blueprint("accessibility", __name__)

ADDRESS = "/akadalymentesseg"
TESTED = {
    "rules": "test_states.py::test_nobody_is_kept_out",
    "html": "test_states.py::test_the_nu_checker_finds_valid_html",
    "narrow": "test_states.py::test_nobody_is_kept_out",
    "colours": "test_states.py::test_nobody_is_kept_out",
    "keyboard": "test_states.py::test_the_keyboard_and_the_screen_reader_reach_everything",
    "tree": "test_states.py::test_the_keyboard_and_the_screen_reader_reach_everything",
    "no_script": "test_registration.py::test_a_person_registers",
    "time": "test_account.py::test_a_session_warns_before_it_ends",
}
"""What the statement says is tested, and the end-to-end test that does it."""
NOT_TESTED = ("people", "safari", "documents")
"""What it says is not."""
REVIEWED = date(2026, 11, 21)


@blueprint.get(ADDRESS)
def statement() -> Response:
    """Show the statement."""
    return page(
        "pages/accessibility.html",
        tested=list(TESTED),
        not_tested=NOT_TESTED,
        reviewed=date_in_words(REVIEWED),
    )
