"""Paid once, whatever happens: customers at a server with two processes, its workers and its provider (P50).

After each story one payment has paid the invoice, all other money is in the console's worklist of refunds, and every
page of the customer's says what is so.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from functools import partial
from http.client import HTTPException
from itertools import count
from typing import Any

import pytest

from services.payments.statement_files import Entry
from tests.unit.conftest import postgresql_database
from tests.unit.webapp.portal.test_invoice_pages import lines, opened, transfer_data
from tests.world.api_client import Client
from tests.world.cast import CROWD
from tests.world.colleague import CLERK, SERVICE, Colleague
from tests.world.far import FarApp, FarSite, until
from tests.world.outcomes import at_once
from tests.world.pages import Page
from tests.world.served import Server
from tests.world.site import Secrets, Visitor

AMOUNT = 24900
WORKLIST = f"{SERVICE}/munkalistak/befizetesek"
_numbers = count()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FarSite]:
    """A server with two processes, on a database of each kind in turn."""
    database = {"DATABASE_URL": postgresql_database("belepo_served")} if request.param == "postgresql" else {}
    site = FarSite(tmp_path_factory.mktemp(request.param), Secrets(), WORKERS="2", **database)
    yield site
    site.end()


class Story:
    """A customer of their own, who has an invoice to pay."""

    def __init__(self, site: FarSite) -> None:
        self.site, self.customer = site, CROWD[next(_numbers) % len(CROWD)]
        self.number = f"SZ{self.customer.policy_number[-6:]}-2"
        self.transfers = 0
        site.ask("/dev/faults", name="payments", off="1")
        site.ask("/dev/faults", name="payments-callback", off="1")
        if not any(row.kutid == self.customer.kutid for row in site.rows("accounts")):
            site.open_account(self.customer)
        self.payer = self.device()
        self.address = f"{opened(self.payer, self.number).path}/fizetes"

    def device(self) -> Visitor:
        """Return a browser of the customer's, signed in."""
        visitor = self.site.visitor()
        page = visitor.sign_in(self.customer.email)
        assert page.is_signed_in, page.text
        return visitor

    # --- What the customer does ---------------------------------------------------------------------------------

    def begin(self) -> str:
        """Choose the card, and return the attempt whose page the provider shows."""
        self.payer.open(self.address)
        assert self.payer.send("pay", way="card").step == "demo-payment"
        return self.payer.seen.path.rpartition("/")[2]

    def resume(self, action: str) -> Page:
        """Go on with what is under way, and press a button on the provider's page."""
        self.payer.open(self.address)
        self.payer.act("resume")
        return self.choose(action)

    def choose(self, action: str) -> Page:
        """Press a button on the provider's page, and come back."""
        form = self.payer.seen.form("demo-payment")
        return self.payer.follow(self.payer.client.post(form["action"], data={"action": action}))

    def cancel(self) -> None:
        """Cancel what is under way, on the paying page."""
        self.payer.open(self.address)
        self.payer.act("cancel")

    def transfer(self, amount: int) -> None:
        """Pay at the bank, whose statement is taken in twice."""
        self.transfers += amount
        key = f"{self.number}-{self.transfers}-{self.site.now}"
        for _ in range(2):
            entry = Entry(key, date(2026, 11, 30), amount, "HUF", self.number, "Példa Pál")
            self.site.parts.portal.payments.bank_entries.take_in([entry])

    # --- What the provider does ---------------------------------------------------------------------------------

    def says(self, attempt: str, state: str, callback: int = 1) -> None:
        self.site.ask(f"/dev/payments/{attempt}", state=state, callback=str(callback))

    def orders(self) -> list[dict[str, Any]]:
        """Return what stands in the provider's books."""
        return [one for one in json.loads(self.site.ask("/dev/payments")) if one["invoice"] == self.number]

    # --- What pages say -----------------------------------------------------------------------------------------

    def invoice(self) -> str:
        """Return what the list says of the invoice."""
        page = self.payer.open("/szamlak")
        assert page.step == "invoices", page.title
        return dict(lines(page))[self.number]

    def payment(self, attempt: str) -> str:
        """Return what an attempt's page says."""
        return next(self.payer.open(f"/fizetes/{attempt}").root.all("main"))["data-state"]

    def becomes(self, attempt: str, state: str) -> None:
        """Wait until an attempt's page says so."""
        until(lambda: self.payment(attempt) == state)

    def told(self) -> Any:
        """Return the invoice as the insurer's system learns of it."""
        return Client(self.site, "invoices").get(f"/api/v1/invoices/{self.number}").json

    def refunds(self) -> dict[str, str]:
        """Return the lines of the worklist that are about this invoice, by payment."""
        clerk = Colleague(self.site)
        clerk.sign_in(CLERK)
        found = {one["data-refund"]: one.text for one in clerk.open(WORKLIST).root.all("li") if "data-refund" in one}
        return {payment: text for payment, text in found.items() if self.number in text}

    def ends(self, *, paid_by: str = "", refunded: int = 0) -> None:
        """Look that the invoice was paid once, and that all other money waits to be refunded.

        `paid_by` is the attempt that paid, where one did; `refunded` is how much is to be refunded.
        """
        self.payer = self.device()
        until(lambda: self.invoice() == "paid")
        said = self.told()
        came_in = [one for one in said["payments"] if one["state"] == "succeeded"]
        by_card = {one["attempt"] for one in self.orders() if one["state"] == "succeeded"}
        assert {one["attempt"] for one in came_in if one["way"] == "card"} == by_card
        assert sum(one["amount"] for one in came_in) == AMOUNT + refunded
        (row,) = (row for row in self.site.rows("invoices") if row.number == self.number)
        assert not paid_by or row.paid_by == paid_by
        to_refund = self.refunds()
        assert (not refunded) == (not to_refund)
        money = {one["attempt"]: one["amount"] for one in came_in}
        for payment, line in to_refund.items():
            assert payment in money
            assert any(f"{amount:,} Ft".replace(",", " ") in line for amount in (refunded, money[payment])), line
        mails = Counter(mail["subject"] for mail in self.site.mails(self.customer.email))
        assert mails[self.site.say("mail.payment_received.subject")] == 1
        for one in said["payments"]:
            page = self.payer.open(f"/fizetes/{one['attempt']}")
            assert next(page.root.all("main"))["data-state"] == one["state"]
            is_whole_refund = one["attempt"] in to_refund and one["amount"] == AMOUNT
            assert (self.site.say("payment.doubled.heading") in page.text) == is_whole_refund
        assert self.payer.open(self.address.replace("fizetes", "nyugta")).step == "receipt"
        assert not transfer_data(self.payer.open(self.address))


@pytest.fixture
def story(served: FarSite) -> Story:
    return Story(served)


def test_two_devices_two_tabs_and_double_clicks_begin_one_payment(story: Story) -> None:
    devices = [story.payer, story.device()]
    clicks = [partial(one.copy().post, story.address, {"way": "card"}) for one in devices for _ in range(4)]
    answers = at_once(clicks)
    assert {answer.status_code for answer in answers} == {303}
    to_provider = [answer.location for answer in answers if answer.location != story.address]
    assert len(to_provider) == len(story.orders()) == 1
    story.payer.open(to_provider[0])
    pay = partial(story.payer.client.post, to_provider[0], data={"action": "pay"})
    assert {answer.status_code for answer in at_once([pay] * 4)} == {303}
    story.ends(paid_by=to_provider[0].rpartition("/")[2])


@pytest.mark.parametrize("calls", [0, 2], ids=["lost", "doubled"])
def test_calls_that_get_lost_or_come_twice(story: Story, calls: int) -> None:
    attempt = story.begin()
    story.site.ask("/dev/faults", name="payments-callback", **{"for": "3600" if not calls else "0.001"})
    story.choose("pay")
    assert story.payment(attempt) in ("pending", "succeeded")
    if calls:
        hint = partial(story.payer.client.post, f"/fizetes/{attempt}/visszahivas")
        assert {answer.status_code for answer in at_once([hint] * 8)} == {200}
        story.says(attempt, "succeeded", calls)
    else:
        story.site.advance(minutes=6)
        story.payer = story.device()
    story.ends(paid_by=attempt)


def test_calls_in_another_order(story: Story) -> None:
    first = story.begin()
    story.cancel()
    second = story.begin()
    story.says(second, "succeeded", 2)
    at_once([partial(story.says, first, "expired", 2), partial(story.says, second, "succeeded", 2)])
    story.becomes(second, "succeeded")
    assert story.payment(first) == "cancelled"
    story.ends(paid_by=second)


def test_forged_calls_change_nothing(story: Story) -> None:
    attempt = story.begin()
    forger = story.site.app.test_client()
    for form in ({"state": "succeeded"}, {"paymentId": attempt, "Status": "Succeeded"}):
        assert forger.post(f"/fizetes/{attempt}/visszahivas", data=form).status_code == 200
    body = json.dumps({"attempt": attempt, "state": "succeeded"})
    assert forger.post("/fizetes/ertesites", data=body, headers={"Signature": "0" * 64}).status_code == 403
    elsewhere = {"Origin": "https://evil.example"}
    assert forger.post(f"/dev/fizetes/{attempt}", data={"action": "pay"}, headers=elsewhere).status_code == 403
    assert story.payer.open(f"/fizetes/{attempt}?state=succeeded").status == 200
    story.site.advance(minutes=1)
    assert story.payment(attempt) == "pending"
    assert story.invoice() == "pending"
    story.resume("pay")
    story.ends(paid_by=attempt)


def test_back_and_paying_otherwise(story: Story) -> None:
    attempt = story.begin()
    page = story.payer.open(story.address)  # Back
    assert page.has_button("resume")
    assert not transfer_data(page), "while a card payment lives nobody is invited to pay otherwise"
    story.cancel()
    assert transfer_data(story.payer.seen)["reference"] == story.number
    story.transfer(AMOUNT)
    assert story.invoice() == "paid"
    story.says(attempt, "succeeded", 2)  # the card was in the other tab
    story.becomes(attempt, "succeeded")
    story.ends(refunded=AMOUNT)


def test_a_late_success_after_a_second_attempt(story: Story) -> None:
    first = story.begin()
    story.cancel()
    second = story.begin()
    story.choose("pay")
    at_once([partial(story.says, first, "succeeded", 2), story.invoice])
    story.becomes(first, "succeeded")
    story.becomes(second, "succeeded")
    story.ends(refunded=AMOUNT)


def test_in_parts(story: Story) -> None:
    story.transfer(10_000)
    attempt = story.begin()
    assert [one["amount"] for one in story.orders()] == [AMOUNT - 10_000]
    story.transfer(4_900)  # while the card is being paid
    story.choose("pay")
    story.becomes(attempt, "succeeded")
    story.ends(paid_by=attempt, refunded=4_900)


@pytest.mark.parametrize("state", ["expired", "failed"])
def test_what_came_to_nothing_is_paid_again(story: Story, state: str) -> None:
    first = story.begin()
    story.says(first, state)
    story.becomes(first, state)
    assert story.invoice() == "due"
    second = story.begin()
    story.choose("pay")
    story.ends(paid_by=second)


def test_the_provider_is_away_at_the_start(story: Story) -> None:
    story.site.ask("/dev/faults", name="payments", **{"for": "60"})
    story.payer.open(story.address)
    page = story.payer.send("pay", way="card")
    assert page.status == 503
    assert story.site.say("pay.card.unavailable") in page.text
    assert transfer_data(page)["reference"] == story.number
    assert story.invoice() == "due"
    story.site.ask("/dev/faults", name="payments", off="1")
    attempt = story.begin()
    story.choose("pay")
    story.ends(paid_by=attempt)


def test_the_provider_is_away_on_return_and_for_an_hour(story: Story) -> None:
    attempt = story.begin()
    story.site.ask("/dev/faults", name="payments", **{"for": "3600"})
    page = story.choose("pay")
    assert next(page.root.all("main"))["data-state"] == "pending"
    assert story.site.say("payment.pending.do_not") in page.text
    story.site.advance(minutes=50)
    story.payer = story.device()
    assert story.payment(attempt) == "pending"
    story.payer.open(story.address)
    assert story.payer.act("cancel").status == 503
    assert story.invoice() == "pending"
    story.site.advance(minutes=20)
    story.ends(paid_by=attempt)


def test_the_clock_is_moved(story: Story) -> None:
    attempt = story.begin()
    story.site.advance(days=2)
    story.payer = story.device()
    assert story.payment(attempt) == "pending"
    story.resume("pay")
    story.ends(paid_by=attempt)


def test_the_provider_dies(story: Story) -> None:
    attempt = story.begin()
    story.site.provider().kill()
    story.choose("pay")
    story.ends(paid_by=attempt)


def test_the_servers_processes_die_while_many_click(story: Story) -> None:
    tabs = [story.payer.copy() for _ in range(8)]

    def kill() -> None:
        for worker in story.site.server.workers():
            worker.kill()

    def click(tab: Visitor) -> None:
        with suppress(OSError, HTTPException):
            tab.post(story.address, {"way": "card"})

    at_once([*(partial(click, tab) for tab in tabs), kill])
    story.ends(paid_by=_pays(story))


def test_a_process_dies_between_two_writes(story: Story) -> None:
    """After the provider's answer and before it is kept. The simulation has a death before any statement."""
    parts = story.site.parts
    if parts.store.engine.dialect.name != "sqlite":
        pytest.skip("one more server to start, and it dies before the database is asked")
    settings = {"DATABASE_URL": str(parts.settings.database_url), "CRASH_AT": "payments.started"}
    dying = Server(parts.settings.data_dir, **settings)
    try:
        tab = story.payer.copy()
        tab.client = FarApp(dying.port).test_client()
        for name in ("session", "device"):
            tab.client.set_cookie(name, story.payer.client.get_cookie(name).value)  # type: ignore[union-attr]
        with pytest.raises((OSError, HTTPException)):
            tab.post(story.address, {"way": "card"})
    finally:
        dying.end()
    assert story.invoice() == "pending"
    story.ends(paid_by=_pays(story))


def _pays(story: Story) -> str:
    """Go on until the provider's page comes, pay there, and return the attempt."""

    def is_answered() -> bool:
        with suppress(OSError, HTTPException):
            return story.payer.open(story.address).status == 200
        return False

    until(is_answered)
    if story.payer.seen.has_button("resume"):
        story.payer.act("resume")
    else:
        story.payer.send("pay", way="card")
    assert story.payer.step == "demo-payment"
    attempt = story.payer.seen.path.rpartition("/")[2]
    story.choose("pay")
    return attempt
