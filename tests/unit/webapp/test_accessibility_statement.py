"""The accessibility statement says what is so: each test that it speaks of is there."""

import re
from pathlib import Path

import pytest
from browsing import Site

from webapp.accessibility import ADDRESS, NOT_TESTED, TESTED

E2E = Path(__file__).parents[2] / "e2e"


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


def test_it_is_reached_from_every_page_and_names_the_telephone(site: Site) -> None:
    visitor = site.visitor()
    assert f'href="{ADDRESS}"' in visitor.get("/").html
    page = visitor.get(ADDRESS)
    for key in (*(f"tested.{one}" for one in TESTED), *(f"not_tested.{one}" for one in NOT_TESTED)):
        assert site.say(f"accessibility.{key}") in page.text
    assert site.parts.profile.phone_display in page.text
