"""The accessibility statement: what is tested, by the suite's own tests, and honestly what is not (WCAG 2.2 AA)."""

from datetime import date

from flask import Blueprint, Response
from markupsafe import Markup

from services.profiles import Profile, default, find
from webapp.parts import current_parts
from webapp.ui.formats import date_in_words, hours_in_words
from webapp.ui.language import language
from webapp.ui.respond import page

blueprint = Blueprint("accessibility", __name__)

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
    "no_script": (
        "test_registration.py::test_a_person_registers",
        "test_account.py::test_a_customer_comes_back",
        "test_insurers.py::test_a_customer_registers_and_signs_in",
        "test_insurers.py::test_a_customer_account_is_activated_at_the_first_sign_in",
    ),
    "time": (
        "test_account.py::test_a_session_warns_before_it_ends",
        "test_time.py::test_the_warning_comes_by_itself_and_is_said_once",
        "test_time.py::test_after_the_hour_a_kind_page_leads_to_a_new_start",
    ),
}
"""What the statement says is tested, and the end-to-end tests that do it."""
_RULES = ("rules", "html", "narrow", "colours")
ALL, OWN, ELSEWHERE = "all", "own", "elsewhere"
WHERE: dict[str, dict[str, tuple[str, ...]]] = {
    ALL: {"all": (*_RULES, "keyboard", "tree"), "journeys": ("no_script", "time")},
    OWN: {"own": _RULES, "journeys": ("no_script",), "shared": ("keyboard", "tree", "time")},
    ELSEWHERE: {"elsewhere": tuple(TESTED)},
}
"""Where it is tested, by how much of an insurer's own site the tests look at."""
NOT_TESTED = ("people", "safari", "passkeys", "scripts", "documents", "mails")
"""What it says is not."""
REVIEWED = date(2026, 11, 27)


def looked_at(profile: Profile) -> str:
    """Tell how much of an insurer's site is looked at: all of the default one, of others that ship what is theirs."""
    whole = find(default()).parent
    if profile.folder == whole:
        return ALL
    return OWN if profile.folder.parent == whole.parent else ELSEWHERE


@blueprint.get("/akadalymentesseg")
def statement() -> Response:
    """Show the statement."""
    profile = current_parts().profile
    contact = profile.texts.facts(language())["contact_url"]
    return page(
        "pages/accessibility.html",
        tested=WHERE[looked_at(profile)],
        not_tested=NOT_TESTED,
        longest=hours_in_words(profile.sign_in.hours),
        again=hours_in_words(profile.one_time_code.budget_hours),
        contact_url=Markup('<a href="https://{0}">{0}</a>').format(contact),
        reviewed=date_in_words(REVIEWED),
    )
