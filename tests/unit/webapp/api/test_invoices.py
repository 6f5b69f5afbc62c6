"""The API of invoices: bringing them, and learning what was paid (P47)."""

from functools import partial
from typing import Any

import pytest

from tests.world.api_client import Client, about
from tests.world.cast import ANNA, MINTA
from tests.world.outcomes import at_once
from tests.world.site import Site

ADDRESS = "/api/v1/invoices/SZ-1"
ROW = {"policy_number": ANNA.policy_number, "amount": 24900, "currency": "HUF", "due_on": "2030-01-31"}


@pytest.fixture
def insurer(site: Site) -> Client:
    """The insurer's system."""
    return Client(site, "invoices")


def put(client: Client, **values: Any) -> tuple[int, Any]:
    answer = client.put(ADDRESS, {**ROW, **values})
    return answer.status_code, answer.json


def test_an_invoice_is_told_as_it_was_brought(insurer: Client) -> None:
    period = {"period_from": "2030-01-31", "period_until": "2030-04-30"}
    told = {"number": "SZ-1", **ROW, **period, "letter": None, "state": "due", "payments": []}
    assert put(insurer, **period) == (200, told)
    assert insurer.get(ADDRESS).json == told


def test_the_same_again_changes_nothing(insurer: Client) -> None:
    put(insurer)
    before = insurer.site.database("api_keys")
    assert put(insurer)[0] == 200
    assert insurer.site.database("api_keys") == before


def test_ten_at_once_bring_one_invoice(insurer: Client) -> None:
    answers = at_once([partial(put, insurer)] * 10)
    assert [status for status, _ in answers] == [200] * 10
    assert len(insurer.site.rows("invoices")) == 1


def test_what_is_not_paid_can_change(insurer: Client) -> None:
    put(insurer)
    assert put(insurer, amount=30000)[1]["amount"] == 30000
    assert put(insurer, due_on="2030-02-28")[1]["due_on"] == "2030-02-28"
    assert put(insurer, policy_number=MINTA.policy_number)[1]["policy_number"] == MINTA.policy_number


def test_what_is_paid_keeps_its_amount_and_stays_paid(insurer: Client) -> None:
    put(insurer)
    assert put(insurer, state="paid")[1]["state"] == "paid"
    assert about(insurer.put(ADDRESS, {**ROW, "amount": 30000})) == (409, "invoice-paid")
    assert put(insurer, due_on="2030-02-28")[1]["state"] == "paid"
    assert put(insurer, state="refunded")[1]["state"] == "refunded"
    assert insurer.get(ADDRESS).json["amount"] == ROW["amount"]


def test_an_invoice_is_overdue_from_the_day_after(insurer: Client) -> None:
    today = insurer.site.parts.portal.payments.invoices.today
    assert put(insurer, due_on=today.isoformat())[1]["state"] == "due"
    insurer.site.advance(hours=24)
    assert insurer.get(ADDRESS).json["state"] == "overdue"


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"policy_number": "940999999"}, "/policy_number"),
        ({"amount": 0}, "/amount"),
        ({"amount": 12.5}, "/amount"),
        ({"amount": "24900"}, "/amount"),
        ({"currency": "XXX"}, "/currency"),
        ({"due_on": "31 January"}, "/due_on"),
        ({"letter": "A" * 22}, "/letter"),
        ({"state": "overdue"}, "/state"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_what_is_wrong_is_pointed_at(insurer: Client, values: dict[str, Any], pointer: str) -> None:
    answer = insurer.put(ADDRESS, {**ROW, **values})
    assert about(answer) == (422, "invalid")
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    assert insurer.site.rows("invoices") == []


def test_a_number_that_is_no_number_has_no_address(insurer: Client) -> None:
    assert about(insurer.put("/api/v1/invoices/SZ%091", ROW)) == (404, "not-found")
    assert about(insurer.get("/api/v1/invoices/SZ-2")) == (404, "not-found")


def test_a_key_needs_the_scope(site: Site) -> None:
    assert about(Client(site, "references").put(ADDRESS, ROW)) == (403, "forbidden")


def test_an_advisers_key_reaches_their_own_customers_alone(site: Site) -> None:
    put(Client(site, "invoices"))
    adviser = Client(site, "invoices", adviser="tanacsado@example.hu")
    stranger = Client(site, "invoices", adviser="somebody.else@example.hu")
    assert adviser.get(ADDRESS).status_code == 200
    assert about(stranger.get(ADDRESS)) == (404, "not-found")
    assert about(stranger.put(ADDRESS, ROW)) == (422, "invalid")


@pytest.mark.parametrize("state", ["due", "paid"])
def test_an_advisers_key_takes_over_no_strangers_invoice(site: Site, state: str) -> None:
    stranger = {**ROW, "policy_number": "940100103", "state": state}
    assert Client(site, "invoices").put(ADDRESS, stranger).status_code == 200
    before = site.rows("invoices")
    adviser = Client(site, "invoices", adviser="tanacsado@example.hu")
    assert about(adviser.put(ADDRESS, {**ROW, "amount": 1})) == (422, "invalid")
    assert site.rows("invoices") == before
