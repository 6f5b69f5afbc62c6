"""The letters of a customer at the console: states, the notice again, withdrawing, contents (P23)."""

from collections.abc import Callable

import pytest

from tests.world.cast import ANNA
from tests.world.colleague import ADVISER, BOSS, CLERK, Colleague, colleague
from tests.world.letters import kutid_of, publish
from tests.world.pages import Page
from tests.world.pdfs import pdf
from tests.world.site import Site


@pytest.fixture
def letter_id(site: Site) -> str:
    """A letter to Anna, who has no account and no address on record."""
    return publish(site)


def letters_of(one: Colleague, text: str = ANNA.policy_number) -> Page:
    one.serve(text)
    assert one.page is not None
    return one.open(f"{one.page.path}/levelek")


def press(one: Colleague, letter_id: str, action: str, **fields: str) -> Page:
    assert one.page is not None
    address = one.page.path.removesuffix(f"/{letter_id}")
    return one.follow(one.post(f"{address}/{letter_id}", {"action": action, **fields}))


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
    assert f'data-letter="{letter_id}"' in page.html
    assert site.say("letter.state.bounced") in page.text
    assert "/fajl" not in page.text


def test_an_adviser_sees_the_states_of_own_customers(site: Site, letter_id: str) -> None:
    adviser = colleague(site, ADVISER)
    assert f'data-letter="{letter_id}"' in letters_of(adviser).html
    assert adviser.page is not None
    assert adviser.client.get(f"{adviser.page.path}/{letter_id}/fajl").status_code == 404


def test_another_customers_letter_is_not_there(site: Site, letter_id: str) -> None:
    clerk = colleague(site, BOSS)
    page = letters_of(clerk, "940000005")
    assert letter_id not in page.html
    clerk.post(f"{page.path}/{letter_id}", {"action": "withdraw", "reason": "Tévedés"})
    assert site.parts.portal.letters.publishing.find(letter_id)[0].withdrawn_at is None


def test_the_notification_is_sent_again_but_not_twice_in_a_row(site: Site) -> None:
    site.open_account()
    letter_id = publish(site)
    site.advance(minutes=1)
    site.messages()
    clerk = colleague(site, CLERK)
    letters_of(clerk)
    early = press(clerk, letter_id, "notify")
    assert early.status == 422
    assert early.fields_in_error == [f"again-{letter_id}"]
    site.advance(minutes=10)
    before = len(site.mails())
    again = press(clerk, letter_id, "notify")
    assert "a•" in again.text
    site.messages()
    assert len(site.mails()) == before + 1
    assert press(clerk, letter_id, "notify").status == 422
    assert "letter_notified" in actions(site)


def test_without_an_address_there_is_nowhere_to_notify(site: Site, letter_id: str) -> None:
    clerk = colleague(site, CLERK)
    letters_of(clerk)
    assert press(clerk, letter_id, "notify").errors() == {
        f"again-{letter_id}": site.say("error.notification.no_address")
    }


def test_a_supervisor_withdraws_a_letter_for_a_reason(site: Site, letter_id: str) -> None:
    clerk = colleague(site, CLERK)
    assert 'value="withdraw"' not in letters_of(clerk).html
    press(clerk, letter_id, "withdraw", reason="Tévedés")
    assert site.parts.portal.letters.publishing.find(letter_id)[0].withdrawn_at is None
    boss = colleague(site, BOSS)
    letters_of(boss)
    refused = press(boss, letter_id, "withdraw", reason=" ")
    assert (refused.status, refused.fields_in_error) == (422, [f"reason-{letter_id}"])
    page = press(boss, letter_id, "withdraw", reason="Téves összeg állt benne")
    withdrawn = site.parts.portal.letters.publishing.find(letter_id)[0]
    assert withdrawn.withdrawn_reason == "Téves összeg állt benne"
    assert withdrawn.withdrawn_code is not None
    assert withdrawn.withdrawn_code in page.text
    assert "letter_withdrawn" in actions(site)


def test_contents_are_closed_to_staff_unless_the_profile_opens_them(site: Site, letter_id: str) -> None:
    clerk = colleague(site, CLERK)
    page = letters_of(clerk)
    assert site.say("staff.letter.content.closed") in page.text
    assert clerk.client.get(f"{page.path}/{letter_id}/fajl").status_code == 404


def test_where_the_profile_lets_staff_read_each_time_is_on_record(site_of: Callable[[str], Site]) -> None:
    site = site_of("allianz")
    letter_id = publish(site)
    clerk = colleague(site, CLERK)
    page = letters_of(clerk)
    answer = clerk.client.get(f"{page.path}/{letter_id}/fajl")
    assert answer.data == pdf()
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert "letter_read" in actions(site)
    events = [event.type for event in site.parts.portal.letters.publishing.find(letter_id)[1]]
    assert events[-1] == "staff"
    assert "opened" not in events
    adviser = colleague(site, ADVISER)
    page = letters_of(adviser)
    assert adviser.client.get(f"{page.path}/{letter_id}/fajl").status_code == 404
