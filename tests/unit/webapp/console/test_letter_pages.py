"""The letters of a customer at the console: states, the notice again, withdrawing, contents (P23)."""


import pytest

from tests.world.cast import ANNA
from tests.world.colleague import ADVISER, BOSS, Colleague, colleague
from tests.world.letters import kutid_of, publish
from tests.world.pages import Page
from tests.world.site import Site


@pytest.fixture
def letter_id(site: Site) -> str:
    """A letter to Anna, who has no account and no address on record."""
    return publish(site)


def letters_of(one: Colleague, text: str = ANNA.policy_number) -> Page:
    one.serve(text)
    assert one.page is not None
    return one.open(f"{one.page.path}/levelek")


def actions(site: Site) -> list[str]:
    return [row.action for row in site.rows("audit") if row.kutid == kutid_of(site)]


def test_staff_see_the_states_of_an_identified_customers_letters(site: Site, letter_id: str) -> None:
    clerk = colleague(site, BOSS)
    clerk.search(ANNA.policy_number)
    assert clerk.page is not None
    case = clerk.page.path
    assert clerk.client.get(f"{case}/levelek").status_code == 404  # not identified yet
    clerk.record_identification()
    page = clerk.open(f"{case}/levelek")
    assert f'data-letter="{letter_id}"' in page.text
    assert site.say("letter.state.bounced") in page.text
    assert "/fajl" not in page.text


def test_an_adviser_sees_the_states_of_own_customers(site: Site, letter_id: str) -> None:
    adviser = colleague(site, ADVISER)
    assert f'data-letter="{letter_id}"' in letters_of(adviser).text
    assert adviser.page is not None
    assert adviser.client.get(f"{adviser.page.path}/{letter_id}/fajl").status_code == 404


def test_another_customers_letter_is_not_there(site: Site, letter_id: str) -> None:
    clerk = colleague(site, BOSS)
    page = letters_of(clerk, "940000005")
    assert letter_id not in page.text
    clerk.post(f"{page.path}/{letter_id}", {"action": "withdraw", "reason": "Tévedés"})
    assert site.parts.portal.letters.publishing.find(letter_id)[0].withdrawn_at is None
