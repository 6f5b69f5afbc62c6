"""Paying at Barion and at SimplePay, from the invoice to the receipt (P49)."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.unit.webapp.portal.conftest import PAYER
from tests.unit.webapp.portal.test_invoice_pages import DUE, lines, opened
from tests.world.providers import BarionDouble, Order, SimplePayDouble
from tests.world.site import Site
from webapp.cli.doctor import examine
from webapp.demo.invoices import load_invoices

Double = BarionDouble | SimplePayDouble
PAID = {BarionDouble: "Succeeded", SimplePayDouble: "FINISHED"}
FAILED = {BarionDouble: "Failed", SimplePayDouble: "NOTAUTHORIZED"}


class Till:
    """The payer at the ways of paying, and the provider's double behind them."""

    def __init__(self, site: Site, double: Double) -> None:
        load_invoices(site.parts.store, site.parts.profile, site.parts.clock)
        site.open_account(PAYER)
        self.site, self.double, self.payer = site, double, site.visitor()
        self.payer.sign_in(PAYER.email)
        self.address = f"{opened(self.payer, DUE).path}/fizetes"

    def begin(self) -> Order:
        self.payer.open(self.address)
        answer = self.payer.post(self.address, {"way": "card"})
        assert answer.status_code == 303
        assert answer.location.startswith(self.double.origin)
        return list(self.double.orders.values())[-1]

    def call(self, address: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes, dict[str, str]]:
        answer = self.site.app.test_client().post(urlsplit(address).path, data=body, headers=headers)
        return answer.status_code, answer.data, dict(answer.headers)

    def ask(self) -> None:
        self.site.parts.portal.payments.worker.ask_due()

    def come_back(self, address: str) -> str:
        """Follow the provider's redirect, and return the state that the page tells."""
        path = address.removeprefix(self.site.parts.settings.public_url)
        return next(self.payer.open(path).root.all("main"))["data-state"]

    def invoice(self) -> str:
        return dict(lines(self.payer.open("/szamlak")))[DUE]


@pytest.fixture(params=[BarionDouble, SimplePayDouble])
def till(request: pytest.FixtureRequest, make_site: Callable[..., Site]) -> Iterator[Till]:
    with request.param.running() as double:
        yield Till(make_site(payments_url=double.url), double)


def finish(till: Till, order: Order, kind: dict[type, str], **how: Any) -> str:
    double: Any = till.double
    return str(double.finish(order, kind[type(till.double)], till.call, **how))


def test_a_card_pays_the_invoice(till: Till) -> None:
    order = till.begin()
    back = finish(till, order, PAID)
    till.ask()
    assert till.come_back(back) == "succeeded"
    assert order.id in till.payer.seen.text
    assert till.invoice() == "paid"
    assert till.site.told("payment_received", PAYER.email) == 1


def test_calls_are_answered_as_the_provider_wants(till: Till) -> None:
    order = till.begin()
    finish(till, order, PAID, times=2)
    till.ask()
    till.ask()
    assert [status for status, _, _ in order.calls] == [200, 200]
    if isinstance(till.double, SimplePayDouble):
        for _, body, headers in order.calls:
            assert headers["Signature"] == till.double.sign(body)
            assert b'"receiveDate":' in body
    assert till.site.told("payment_received", PAYER.email) == 1
    assert till.site.parts.portal.payments.refunds.due() == ()


def test_coming_back_before_the_call_says_that_it_is_not_known_yet(till: Till) -> None:
    back = finish(till, till.begin(), PAID, times=0)
    assert till.come_back(back) == "pending"
    till.site.advance(seconds=5)
    till.ask()
    assert till.come_back(back) == "succeeded"


def test_what_was_declined_can_be_paid_again(till: Till) -> None:
    back = finish(till, till.begin(), FAILED)
    till.site.advance(seconds=5)
    till.ask()
    assert till.come_back(back) == "failed"
    finish(till, till.begin(), PAID)
    till.ask()
    assert till.invoice() == "paid"


def test_what_was_given_up_and_paid_all_the_same_pays(till: Till) -> None:
    order = till.begin()
    till.payer.open(till.address)
    till.payer.act("cancel")
    assert till.invoice() == "due"
    finish(till, order, PAID)
    till.ask()
    assert till.invoice() == "paid"


def test_a_provider_that_is_away_leaves_the_other_ways(till: Till) -> None:
    till.double.fault = "away"
    till.payer.open(till.address)
    page = till.payer.send("pay", way="card")
    assert page.status == 503
    assert till.invoice() == "due"
    till.double.fault = ""
    finish(till, till.begin(), PAID)
    till.ask()
    assert till.invoice() == "paid"


def test_forms_lead_to_the_provider_from_the_paying_page_alone(till: Till) -> None:
    policy = till.payer.client.get(till.address).headers["Content-Security-Policy"]
    assert f"form-action 'self' {till.double.origin};" in policy
    for address in ("/szamlak", till.address.removesuffix("/fizetes"), "/fiok"):
        assert "form-action 'self';" in till.payer.client.get(address).headers["Content-Security-Policy"]


def test_what_simplepay_demands_stands_at_its_button(till: Till) -> None:
    """Chapters 7 and 8 of its documentation: its name leads to how paying works, and the customer accepts expressly."""
    page = till.payer.open(till.address)
    is_simplepay = isinstance(till.double, SimplePayDouble)
    facts = till.site.texts.facts("hu")
    assert ("SimplePay Zrt." in page.text) == is_simplepay
    assert (till.site.say("pay.simplepay.submit") in page.text) == is_simplepay
    links = [link["href"] for link in page.root.all("a") if link["href"].startswith("https://simplep")]
    assert len(links) == (2 if is_simplepay else 0)
    if is_simplepay:
        for said in (facts["legal_name"], facts["postal_address"], "127.0.0.1"):
            assert str(said) in page.text.replace("\u00a0", " ")


def test_a_forged_call_changes_nothing(till: Till) -> None:
    order = till.begin()
    till.ask()
    body = b'{"orderRef":"%s","merchant":"PUBLICTESTHUF","status":"FINISHED"}' % order.id.encode()
    status, _, _ = till.call("/fizetes/ertesites", body, {"Signature": "AAAA", "Content-Type": "application/json"})
    assert status == 403
    assert till.invoice() == "pending"


def test_the_doctor_asks_the_provider(till: Till) -> None:
    def finding() -> Any:
        return next(one for one in examine(till.site.parts.settings) if one.subject == "card payments")

    assert (finding().is_bad, finding().state) == (False, f"{till.site.parts.portal.payments.provider.name} answers")  # type: ignore[union-attr]
    till.double.fault = "broken"
    assert finding().is_bad
    assert "BELEPO_PAYMENTS_URL" in finding().advice
