"""What a customer lets their adviser see, in the settings and at the adviser's entrance (P53)."""

from datetime import timedelta

import pytest

from tests.world.cast import ANNA, ESZTER
from tests.world.colleague import ADVISER, CLERK, Colleague, colleague
from tests.world.letters import kutid_of, publish
from tests.world.pages import Page
from tests.world.pdfs import pdf
from tests.world.site import Site, Visitor

SETTINGS = "/fiok/beallitasok"


@pytest.fixture
def visitor(site: Site) -> Visitor:
    """Anna, signed in; an adviser is hers."""
    site.open_account()
    made = site.visitor()
    made.sign_in()
    return made


@pytest.fixture
def adviser(site: Site) -> Colleague:
    """Her adviser, at the partners' entrance."""
    return colleague(site, ADVISER)


def day(site: Site, days: int) -> str:
    return (site.now + timedelta(days=days)).date().isoformat()


def give(visitor: Visitor, until: str, scope: str = "letters", action: str = "give") -> Page:
    visitor.open(SETTINGS)
    return visitor.send("grant", scope=scope, until=until, action=action)


def look(one: Colleague, letter_id: str) -> int:
    return one.client.get(f"/partner/levelezes/{letter_id}").status_code


def test_a_letter_is_seen_by_grant_alone_and_not_after_it_was_taken_back(
    site: Site, visitor: Visitor, adviser: Colleague
) -> None:
    letter_id = publish(site, data={"title": "Díj", "blocks": []})
    assert look(adviser, letter_id) == 404
    assert site.say("grant.given") in give(visitor, day(site, 30)).text
    page = adviser.open(f"/partner/levelezes/{letter_id}")
    assert (page.status, page.step) == (200, "letter")
    assert adviser.client.get(f"/partner/levelezes/{letter_id}/fajl").data == pdf()
    assert site.say("grant.ended") in give(visitor, "", action="end").text
    ended = adviser.open(f"/partner/levelezes/{letter_id}")
    assert (ended.status, site.say("adviser.desk.ended") in ended.text) == (404, True)
    assert adviser.client.get(f"/partner/levelezes/{letter_id}/fajl").status_code == 404


def test_every_look_is_on_record_and_the_customer_sees_it(site: Site, visitor: Visitor, adviser: Colleague) -> None:
    letter_id = publish(site)
    give(visitor, day(site, 30))
    look(adviser, letter_id)
    looks = [row for row in site.rows("audit") if row.action == "adviser_looked"]
    assert [(row.kutid, row.facts) for row in looks] == [(kutid_of(site), {"letter": letter_id})]
    assert site.say("letter.type.payment_request") in visitor.open(SETTINGS).text
    assert site.say("letter.state.adviser") in visitor.open(f"/levelezes/{letter_id}").text


def test_both_are_told(site: Site, visitor: Visitor) -> None:
    give(visitor, day(site, 30))
    give(visitor, "", action="end")
    for message, to in (
        ("grant_given", ANNA.email), ("grant_ended", ANNA.email),
        ("grant_adviser", ADVISER), ("grant_adviser_ended", ADVISER),
    ):  # fmt: skip
        assert site.told(message, to) == 1


def test_it_ends_by_itself_after_its_last_day(site: Site, visitor: Visitor, adviser: Colleague) -> None:
    letter_id = publish(site)
    give(visitor, day(site, 0))
    assert look(adviser, letter_id) == 200
    site.advance(days=1)
    again = colleague(site, ADVISER)
    assert look(again, letter_id) == 404


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"until": ""}, {"until": "error.until.empty"}),
        ({"until": "2026-13-01"}, {"until": "error.until.malformed"}),
        ({"until": "2020-01-01"}, {"until": "error.until.past"}),
        ({"until": "2099-01-01"}, {"until": "error.until.too_far"}),
        ({"scope": "", "until": "2099-01-01"}, {"scope": "error.scope.empty"}),
    ],
)
def test_what_cannot_be_granted_is_said_beside_its_field(
    site: Site, visitor: Visitor, fields: dict[str, str], wrong: dict[str, str]
) -> None:
    refused = give(visitor, **fields)
    assert refused.status == 422
    assert refused.errors() == {name: site.say(key) for name, key in wrong.items()}
    assert not site.rows("grants")


def test_others_see_nothing_by_it(site: Site, visitor: Visitor, adviser: Colleague) -> None:
    letter_id, not_theirs = publish(site), publish(site, ESZTER)
    give(visitor, day(site, 30))
    assert look(adviser, not_theirs) == 404
    clerk = colleague(site, CLERK)
    assert clerk.client.get(f"/ugyfelszolgalat/levelezes/{letter_id}").status_code == 404
    assert look(adviser, "A" * 22) == 404


def test_who_has_no_adviser_has_nothing_to_set(site: Site) -> None:
    site.open_account(ESZTER)
    visitor = site.visitor()
    visitor.sign_in(ESZTER.email)
    page = visitor.open(SETTINGS)
    assert site.say("grant.adviser.none") in page.text
    visitor.post(f"{SETTINGS}/hozzaferes", {"scope": "letters", "until": day(site, 3), "action": "give"})
    assert not site.rows("grants")


def test_contracts_are_a_scope_of_their_own(site: Site, visitor: Visitor, adviser: Colleague) -> None:
    letter_id = publish(site)
    give(visitor, day(site, 30), "contracts")
    assert look(adviser, letter_id) == 404
    adviser.serve(ANNA.policy_number)
    case = adviser.seen.path
    page = adviser.open(f"{case}/szerzodesek")
    assert ANNA.policy_number in page.text
    give(visitor, "", "contracts", action="end")
    assert adviser.client.get(f"{case}/szerzodesek").status_code == 404


def test_giving_again_takes_the_place_of_what_was_given(site: Site, visitor: Visitor) -> None:
    give(visitor, day(site, 3))
    give(visitor, day(site, 9))
    live = [row.until.isoformat() for row in site.rows("grants") if row.ended_at is None]
    assert live == [day(site, 9)]


def test_an_old_page_ends_nothing_twice(site: Site, htmx: bool) -> None:
    site.open_account()
    visitor = site.visitor(htmx=htmx)
    visitor.sign_in()
    give(visitor, day(site, 3))
    give(visitor, "", action="end")
    answer = visitor.post(f"{SETTINGS}/hozzaferes", {"scope": "letters", "action": "end"})
    assert answer.status_code == (200 if htmx else 303)
    assert site.told("grant_ended") == 1
