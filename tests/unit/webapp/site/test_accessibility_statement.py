"""The accessibility statement says what is so: each test that it speaks of is there."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from services.profiles import default, load
from tests import ROOT
from tests.world.site import Site
from webapp.site.accessibility import ALL, ELSEWHERE, NOT_TESTED, OWN, TESTED, WHERE, looked_at

PROFILES = {"mygenerali": ALL, "allianz": OWN, "genertel": OWN, "generali-sk": OWN}
ADDRESS = "/akadalymentesseg"
E2E = ROOT / "tests" / "e2e"


@pytest.mark.parametrize("test", sorted({test for tests in TESTED.values() for test in tests}))
def test_what_it_says_is_tested_is_a_test(test: str) -> None:
    file, _, name = test.partition("::")
    assert re.search(rf"^def {name}\(", (E2E / file).read_text("utf-8"), re.M)


@pytest.mark.parametrize("test", TESTED["no_script"])
def test_what_it_says_works_without_a_script_is_walked_without_one(test: str) -> None:
    file, _, name = test.partition("::")
    module = (E2E / file).read_text("utf-8")
    marks = module[: module.index(f"\ndef {name}(")].rpartition("\n\n\n")[2]
    assert "pytestmark" not in module
    assert not re.search(r"scripted|once|looked_at|of_states", marks)


@pytest.mark.parametrize("scope", WHERE)
def test_everything_stands_in_it_once_but_what_is_tested_of_one_site_alone(scope: str) -> None:
    said = [one for ones in WHERE[scope].values() for one in ones]
    assert sorted(said) == sorted(TESTED)


@pytest.mark.parametrize(("profile", "scope"), PROFILES.items())
def test_it_says_of_each_site_how_much_is_looked_at(profile: str, scope: str) -> None:
    assert looked_at(load(profile)) == scope


def test_an_insurers_own_profile_is_not_looked_at() -> None:
    profile = load(default())
    assert looked_at(profile.model_copy(update={"folder": Path("/srv/elsewhere") / profile.name})) == ELSEWHERE


def test_it_names_the_languages_in_which_all_is_looked_at() -> None:
    assert load(default()).languages == ("hu", "en")


@pytest.mark.parametrize(("profile", "language"), [(name, code) for name in PROFILES for code in load(name).languages])
def test_it_is_reached_from_every_page_and_names_more_than_the_telephone(
    site_of: Callable[[str], Site], profile: str, language: str
) -> None:
    site = site_of(profile)
    rules = site.parts.profile
    visitor = site.visitor(language)
    assert f'href="{ADDRESS}"' in visitor.open("/").html
    page = visitor.open(ADDRESS)
    keys = [f"tested.in.{where}" for where in WHERE[PROFILES[profile]]]
    keys += [f"tested.{one}" for one in TESTED if one != "time"] + [f"not_tested.{one}" for one in NOT_TESTED]
    for key in keys:
        assert site.say(f"accessibility.{key}", language) in page.text
    facts = rules.texts.facts(language)
    for other_way in (rules.phone_display, facts["contact_url"], facts["postal_address"]):
        assert other_way in page.text
    assert f'href="https://{facts["contact_url"]}"' in page.html


def test_it_says_where_time_ends_for_good(site: Site) -> None:
    rules = site.parts.profile
    text = site.visitor("en").open(ADDRESS).text.replace("\N{NO-BREAK SPACE}", " ")
    assert f"after {rules.sign_in.hours} hours you have to sign in again" in text
    assert f"at most {rules.one_time_code.budget_hours} hours later" in text
