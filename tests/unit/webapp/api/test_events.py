"""The feed by the API: what happened, to those who may know, and nothing personal (P42)."""

import json
from typing import Any

import pytest

from tests.world import letters
from tests.world.api_client import ILONAS_POLICY, Client, about
from tests.world.cast import ANNA, PASSWORD
from tests.world.site import Site

ADDRESS = "/api/v1/events"


@pytest.fixture
def insurer(site: Site) -> Client:
    """The insurer's system."""
    return Client(site, "events")


def read(client: Client, query: str = "") -> tuple[list[dict[str, Any]], int]:
    answer = client.get(ADDRESS + query)
    assert answer.status_code == 200, answer.text
    return answer.json["events"], answer.json["next"]


def open_letter(site: Site) -> str:
    """Let Anna open a letter, and return its id."""
    letter_id = letters.publish(site)
    visitor = site.visitor()
    visitor.open("/belepes")
    visitor.send(email=ANNA.email, password=PASSWORD)
    assert visitor.open(f"/levelezes/{letter_id}").status == 200
    return letter_id


def test_a_letter_that_is_opened_is_told_of(site: Site, insurer: Client) -> None:
    site.open_account()
    letter_id = open_letter(site)
    (event,), after = read(insurer)
    assert (event["type"], event["data"]) == ("document.opened", {"document": letter_id})
    assert (event["id"], after) == (1, 1)
    assert event["at"].endswith("Z")
    assert read(insurer, "?after=1") == ([], 1)
    assert read(insurer) == ([event], 1)


def test_a_letter_whose_mail_cannot_be_sent_is_told_of(site: Site, insurer: Client) -> None:
    letter_id = letters.publish(site)
    (event,), _ = read(insurer)
    assert (event["type"], event["data"]) == ("document.bounced", {"document": letter_id})


def test_contact_data_that_staff_record_are_told_of_without_them(site: Site, insurer: Client) -> None:
    service = Client(site, "registrations")
    begun = service.start()
    code = site.code("+36209998877")
    assert service.post(f"/api/v1/registrations/{begun.json['id']}/code/check", {"code": code}).status_code == 200
    told, after = read(insurer)
    assert [event["type"] for event in told] == ["contact.changed", "contact.changed"]
    assert [event["data"] for event in told] == [{"contact_change": row.id} for row in site.rows("contact_changes")]
    assert after == 2
    for secret in ("ilona", "998877", ILONAS_POLICY):
        assert secret not in json.dumps(told)


def test_pages_lead_on(site: Site, insurer: Client) -> None:
    for _ in range(3):
        letters.publish(site)
    first, after = read(insurer, "?limit=2")
    second, end = read(insurer, f"?limit=2&after={after}")
    assert [event["id"] for event in [*first, *second]] == [1, 2, 3]
    assert (after, end) == (2, 3)


def test_an_adviser_reads_of_their_own_customers_alone(site: Site) -> None:
    letters.publish(site, ANNA)
    own, _ = read(Client(site, "events", adviser="tanacsado@example.hu"))
    assert [event["type"] for event in own] == ["document.bounced"]
    assert read(Client(site, "events", adviser="somebody.else@example.hu")) == ([], 1)


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("after=-1", "/after"),
        ("after=x", "/after"),
        ("after=99999999999999999999", "/after"),
        ("after=1&after=2", "/after"),
        ("limit=0", "/limit"),
        ("limit=1001", "/limit"),
        ("since=1", "/since"),
    ],
)
def test_what_is_wrong_is_pointed_at(insurer: Client, query: str, pointer: str) -> None:
    answer = insurer.get(f"{ADDRESS}?{query}")
    assert about(answer) == (422, "invalid")
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]


def test_a_key_needs_the_scope(site: Site) -> None:
    assert about(Client(site, "documents").get(ADDRESS)) == (403, "forbidden")
