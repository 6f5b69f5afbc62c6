"""Faults on command: what is away, wrong or silent for a while, and works again by itself (P57)."""

from typing import Any, cast

import pytest

from services.events.calls import CallFailed
from tests.unit.webapp.portal.conftest import PAYER, anna, billed, payer
from tests.unit.webapp.portal.test_card_payments import Till
from tests.world.cast import ANNA
from tests.world.letters import publish
from tests.world.site import Site, Visitor

__all__ = ["anna", "billed", "payer"]


def _fail(site: Site, name: str, seconds: int = 60) -> None:
    site.ask("/dev/faults", name=name, **{"for": str(seconds)})


def test_it_tells_what_fails_and_until_when(site: Site) -> None:
    ask = site.app.test_client()
    assert ask.get("/dev/faults").json == {}
    told = ask.post("/dev/faults", data={"name": "mail", "for": "60"}).json
    assert list(told) == ["mail"]
    assert ask.post("/dev/faults", data={"name": "sms", "for": "60"}).json.keys() == {"mail", "sms"}
    assert ask.post("/dev/faults", data={"name": "mail", "off": "1"}).json.keys() == {"sms"}
    site.advance(seconds=61)
    assert ask.get("/dev/faults").json == {}


@pytest.mark.parametrize(
    "form", [{}, {"name": "mail"}, {"name": "the moon", "for": "5"}, {"name": "mail", "for": "-1"}, {"for": "5"}]
)
def test_nonsense_is_refused(site: Site, form: dict[str, str]) -> None:
    assert site.app.test_client().post("/dev/faults", data=form).status_code == 400


@pytest.mark.parametrize("fault", ["storage", "storage-corrupt"])
def test_a_letter_is_never_served_while_the_storage_fails(anna: Visitor, site: Site, fault: str) -> None:
    letter = publish(site)
    _fail(site, fault)
    assert anna.client.get(f"/levelezes/{letter}/fajl").status_code == 503
    site.advance(seconds=61)
    assert anna.client.get(f"/levelezes/{letter}/fajl").status_code == 200


def test_webhooks_wait_while_the_core_system_is_away(site: Site) -> None:
    gateways = cast(Any, site.parts.demo).gateways(site.parts.settings)
    _fail(site, "core")
    with pytest.raises(CallFailed, match="core system"):
        gateways.caller.post("http://127.0.0.1:9/", {}, b"{}")
    site.advance(seconds=61)
    with pytest.raises(CallFailed, match="no connection"):
        gateways.caller.post("http://127.0.0.1:9/", {}, b"{}")


def test_mails_wait_while_the_gateway_is_away(site: Site, visitor: Visitor) -> None:
    _fail(site, "mail")
    visitor.walk_to("email-sent")
    assert site.messages(ANNA.email) == []
    site.advance(seconds=61)
    site.advance(minutes=5)
    assert len(site.messages(ANNA.email)) == 1


def test_a_provider_that_is_away_leaves_the_other_ways(billed: Site, payer: Visitor) -> None:
    till = Till(billed, payer)
    _fail(billed, "payments")
    payer.open(till.address)
    assert billed.say("pay.card.unavailable") in payer.send("pay", way="card").text
    billed.advance(seconds=61)
    till.begin()


def test_what_no_call_back_says_is_learned_by_asking(billed: Site, payer: Visitor) -> None:
    till = Till(billed, payer)
    attempt = till.begin()
    _fail(billed, "payments-callback")
    till.command(attempt, "succeeded")
    assert till.invoice() == "pending"
    billed.advance(minutes=5)
    till.ask()
    assert till.invoice() == "paid"
    assert billed.told("payment_received", PAYER.email) == 1
