"""Card payments: begun at the provider, resumed, cancelled, and paid once whatever happens (P49, P50)."""

from typing import Any

import pytest

from services.gateways.payments import ProviderUnavailable
from tests.unit.webapp.portal.conftest import NEIGHBOUR, PAYER
from tests.unit.webapp.portal.test_invoice_pages import DUE, bring, lines, opened, transfer_data
from tests.world.api_client import Client
from tests.world.outcomes import at_once
from tests.world.pages import Page
from tests.world.papers import faults_of, language_of, text_of
from tests.world.site import Site, Visitor
from webapp.demo.payments import DemoProvider


class Till:
    """The payer at the ways of paying, and the provider behind them."""

    def __init__(self, site: Site, payer: Visitor) -> None:
        self.site, self.payer = site, payer
        self.address = f"{opened(payer, DUE).path}/fizetes"
        provider = site.parts.demo and site.parts.demo.payments
        assert isinstance(provider, DemoProvider)
        self.provider = provider

    def begin(self) -> str:
        """Choose the card, and return the attempt whose page the provider shows."""
        self.payer.open(self.address)
        page = self.payer.send("pay", way="card")
        assert page.step == "demo-payment"
        return page.path.rpartition("/")[2]

    def choose(self, action: str) -> Page:
        """Do something on the provider's page, and come back."""
        form = self.payer.seen.form("demo-payment")
        return self.payer.follow(self.payer.client.post(form["action"], data={"action": action}))

    def ask(self) -> None:
        """Have the worker ask about what is due."""
        self.site.parts.portal.payments.worker.ask_due()

    def command(self, attempt: str, state: str, callback: int = 1) -> None:
        self.site.ask(f"/dev/payments/{attempt}", state=state, callback=str(callback))

    def state(self, attempt: str) -> str:
        """Return the state on the payment's page."""
        page = self.payer.open(f"/fizetes/{attempt}")
        return next(page.root.all("main"))["data-state"]

    def told(self) -> Any:
        """Return the invoice as the insurer's system learns of it."""
        return Client(self.site, "invoices").get(f"/api/v1/invoices/{DUE}").json

    def invoice(self) -> str:
        return dict(lines(self.payer.open("/szamlak")))[DUE]


@pytest.fixture
def till(billed: Site, payer: Visitor) -> Till:
    one = Till(billed, payer)
    one.provider.forget()
    return one


def test_a_card_pays_the_invoice(till: Till) -> None:
    attempt = till.begin()
    assert till.invoice() == "pending"
    till.payer.open(f"/dev/fizetes/{attempt}")
    page = till.choose("pay")
    assert page.path == f"/fizetes/{attempt}"
    till.ask()
    assert till.state(attempt) == "succeeded"
    assert till.invoice() == "paid"
    payment = {"attempt": attempt, "way": "card", "amount": 24900, "state": "succeeded"}
    assert (till.told()["state"], till.told()["payments"]) == ("paid", [payment])
    (mail,) = till.site.mails_of("payment_received", PAYER.email)
    receipt = till.payer.open(mail["links"][0].removeprefix(till.site.parts.settings.public_url))
    assert receipt.step == "receipt"
    assert "24 900 Ft" in receipt.text.replace("\u00a0", " ")
    assert attempt in receipt.text


def test_the_address_says_nothing_the_provider_does(till: Till) -> None:
    attempt = till.begin()
    till.ask()
    page = till.payer.open(f"/fizetes/{attempt}?state=succeeded&paymentId=1")
    assert next(page.root.all("main"))["data-state"] == "pending"
    assert till.site.say("payment.pending.do_not") in page.text
    assert till.payer.client.post(f"/fizetes/{attempt}/visszahivas", data={"state": "succeeded"}).status_code == 200
    till.ask()
    assert till.state(attempt) == "pending"


def test_without_a_call_back_the_worker_asks_until_it_knows(till: Till) -> None:
    attempt = till.begin()
    till.site.advance(seconds=4)
    till.ask()
    till.command(attempt, "succeeded", callback=0)
    till.site.advance(minutes=5)
    till.ask()
    assert till.state(attempt) == "succeeded"


@pytest.mark.parametrize(("action", "state"), [("fail", "failed"), ("cancel", "cancelled")])
def test_what_was_not_paid_can_be_paid_again(till: Till, action: str, state: str) -> None:
    attempt = till.begin()
    till.choose(action)
    till.ask()
    assert till.state(attempt) == state
    assert till.invoice() == "due"
    assert till.site.told("payment_not_made", PAYER.email) == (state == "failed")
    again = till.begin()
    assert again != attempt
    till.choose("pay")
    till.ask()
    assert till.invoice() == "paid"


@pytest.mark.parametrize("path", ["orders", "commands", "orders/health", "commands/x"])
def test_a_browser_is_lent_no_word_of_the_insurers(till: Till, path: str) -> None:
    assert till.payer.client.post(f"/dev/fizetes/{path}", data=b"{}").status_code == 404
    assert till.payer.client.get(f"/dev/fizetes/{path}").status_code == 404


def test_a_live_payment_is_resumed_and_takes_no_second(till: Till) -> None:
    attempt = till.begin()
    page = till.payer.open(till.address)
    assert page.step == "pay"
    assert not transfer_data(page)
    assert till.payer.follow(till.payer.post(till.address, {"way": "card"})).step == "pay"
    till.payer.open(till.address)
    assert till.payer.act("resume").path == f"/dev/fizetes/{attempt}"
    assert len(till.provider.all()) == 1


def test_the_home_page_calls_upon_nobody_to_pay_what_they_are_paying(till: Till) -> None:
    called = till.site.say("home.todo.premium.pay")
    assert called in till.payer.open("/fiok").text
    till.begin()
    page = till.payer.open("/fiok")
    assert called not in page.text
    assert till.site.say("home.todo.premium.pending", amount="24 900 Ft") in page.text.replace("\u00a0", " ")


def test_a_live_payment_can_be_cancelled(till: Till) -> None:
    attempt = till.begin()
    till.payer.open(till.address)
    page = till.payer.act("cancel")
    assert transfer_data(page)
    assert till.state(attempt) == "cancelled"
    assert till.provider.state(attempt) == "cancelled"
    assert till.invoice() == "due"


def test_what_the_provider_has_taken_cannot_be_cancelled(till: Till) -> None:
    attempt = till.begin()
    till.command(attempt, "succeeded", callback=0)
    till.payer.open(till.address)
    assert till.payer.act("cancel").path == till.address
    assert till.state(attempt) == "succeeded"
    assert till.invoice() == "paid"


def test_two_tabs_begin_one_payment(till: Till) -> None:
    tabs = [till.payer.copy() for _ in range(8)]
    answers = at_once([lambda tab=tab: tab.post(till.address, {"way": "card"}) for tab in tabs])
    assert {answer.status_code for answer in answers} == {303}
    to_provider = [answer.location for answer in answers if "/dev/fizetes/" in answer.location]
    assert len(to_provider) == 1
    assert len(till.provider.all()) == 1
    assert len(till.site.rows("payments")) == 1


def test_the_end_of_one_attempt_never_touches_another(till: Till) -> None:
    first = till.begin()
    till.payer.open(till.address)
    till.payer.act("cancel")
    second = till.begin()
    till.command(first, "expired", callback=2)
    till.ask()
    assert till.state(second) == "pending"
    assert till.invoice() == "pending"


def test_a_payment_too_many_is_refunded_and_the_customer_told(till: Till) -> None:
    first = till.begin()
    till.payer.open(till.address)
    till.payer.act("cancel")
    second = till.begin()
    till.choose("pay")
    till.ask()
    till.command(first, "succeeded", callback=2)  # late, upon what was cancelled
    till.ask()
    till.ask()
    assert till.told()["state"] == "paid"
    assert [one["state"] for one in till.told()["payments"]] == ["succeeded", "succeeded"]
    (doubled,) = till.site.parts.portal.payments.refunds.due()
    assert (doubled.payment.id, doubled.number, doubled.payment.amount) == (first, DUE, 24900)
    assert till.site.told("payment_doubled", PAYER.email) == 1
    assert till.site.told("payment_received", PAYER.email) == 1
    assert till.site.say("payment.doubled.heading") in till.payer.open(f"/fizetes/{first}").text
    assert till.site.say("payment.doubled.heading") not in till.payer.open(f"/fizetes/{second}").text
    feed = Client(till.site, "events").get("/api/v1/events").json["events"]
    assert [(one["type"], one["data"]) for one in feed] == [
        ("payment.received", {"invoice": DUE, "payment": second}),
        ("payment.doubled", {"invoice": DUE, "payment": first}),
    ]


def test_a_refund_is_noted_once(till: Till) -> None:
    attempt = till.begin()
    bring(till.site, DUE, amount=24900, due_on=till.told()["due_on"], state="paid",
          **{name: till.told()[name] for name in ("period_from", "period_until")})  # fmt: skip
    till.choose("pay")
    till.ask()
    refunds = till.site.parts.portal.payments.refunds
    assert [one.payment.id for one in refunds.due()] == [attempt]
    outcomes = at_once([lambda: refunds.done(attempt, actor="test")] * 5)
    assert sorted(type(one).__name__ for one in outcomes) == ["NoneType"] + ["OutOfTurn"] * 4
    assert refunds.due() == ()


def test_calls_and_questions_at_once_settle_once(till: Till) -> None:
    attempt = till.begin()
    till.command(attempt, "succeeded", callback=0)
    settle = till.site.parts.portal.payments.worker.ask_due

    def call() -> None:
        till.site.app.test_client().post(f"/fizetes/{attempt}/visszahivas")

    at_once([call, settle] * 6)
    till.ask()
    assert till.invoice() == "paid"
    assert till.site.told("payment_received", PAYER.email) == 1
    assert till.site.parts.portal.payments.refunds.due() == ()


def test_a_provider_that_does_not_answer_leaves_the_other_ways(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> str:
        raise ProviderUnavailable("no answer")

    monkeypatch.setattr(DemoProvider, "start", away)
    till.payer.open(till.address)
    page = till.payer.send("pay", way="card")
    assert page.status == 503
    assert till.site.say("pay.card.unavailable") in page.text
    assert transfer_data(page)
    assert till.invoice() == "due"


def test_while_the_provider_is_away_a_payment_stays_open(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt = till.begin()
    till.command(attempt, "succeeded", callback=0)
    with monkeypatch.context() as away:
        away.setattr(DemoProvider, "state", _away)
        till.site.advance(minutes=1)
        till.ask()
    assert till.state(attempt) == "pending"
    till.site.advance(minutes=5)
    till.ask()
    assert till.state(attempt) == "succeeded"


def _away(*_: object) -> str:
    raise ProviderUnavailable("no answer")


def test_a_payment_whose_start_was_cut_off_is_resumed(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as dying:
        dying.setattr("services.payments.attempts.reach", _die)
        till.payer.open(till.address)
        assert till.payer.send("pay", way="card").status == 500
    assert till.provider.all() == []
    till.payer.open(till.address)
    page = till.payer.act("resume")
    assert page.step == "demo-payment"
    assert [one["attempt"] for one in till.provider.all()] == [page.path.rpartition("/")[2]]


def test_a_payment_that_the_provider_never_heard_of_ends_by_itself(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as dying:
        dying.setattr("services.payments.attempts.reach", _die)
        till.payer.open(till.address)
        till.payer.send("pay", way="card")
    till.site.advance(minutes=2)
    till.ask()
    assert till.invoice() == "due"


def _die(name: str) -> None:
    raise RuntimeError(name)


def test_somebody_elses_payment_is_not_there(till: Till) -> None:
    attempt = till.begin()
    till.site.open_account(NEIGHBOUR)
    other = till.site.visitor()
    other.sign_in(NEIGHBOUR.email)
    assert other.open(f"/fizetes/{attempt}").status == 404
    assert other.open(till.address.replace("fizetes", "nyugta")).status == 404
    for fields in ({"way": "card"}, {"action": "resume"}, {"action": "cancel"}):
        assert other.post(till.address, fields).status_code == 404
    assert till.state(attempt) == "pending"
    assert other.client.post("/fizetes/nothing/visszahivas").status_code == 404


def test_paying_needs_the_forms_token(till: Till) -> None:
    assert till.payer.post(till.address, {"way": "card"}, token="").status_code in (400, 403)
    assert till.provider.all() == []


def test_a_paid_invoice_begins_no_payment(till: Till) -> None:
    till.begin()
    till.choose("pay")
    till.ask()
    assert till.payer.follow(till.payer.post(till.address, {"way": "card"})).path == till.address
    assert len(till.provider.all()) == 1


def test_an_amount_that_is_being_paid_cannot_change(till: Till) -> None:
    till.begin()
    told = till.told()
    body = {name: told[name] for name in ("policy_number", "amount", "currency", "due_on")}
    answer = Client(till.site, "invoices").put(f"/api/v1/invoices/{DUE}", {**body, "amount": 30000})
    assert answer.status_code == 409


@pytest.mark.parametrize("way", ["qr", "transfer"])
def test_the_other_ways_are_on_the_page_already(till: Till, way: str) -> None:
    page = till.payer.follow(till.payer.post(till.address, {"way": way}))
    assert transfer_data(page)["reference"] == DUE
    assert till.provider.all() == []


def test_without_a_provider_no_card_is_offered(till: Till, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(till.site.parts.portal.payments.attempts, "_provider", None)
    page = till.payer.open(till.address)
    assert page.step == "pay"
    assert till.site.say("pay.way.card") not in page.text
    assert till.payer.follow(till.payer.post(till.address, {"way": "card"})).status == 503


@pytest.mark.parametrize("language", ["hu", "en"])
def test_a_receipt_is_a_tagged_file_too(till: Till, language: str) -> None:
    attempt = till.begin()
    till.choose("pay")
    till.ask()
    address = till.address.replace("fizetes", "nyugta")
    answer = till.payer.client.get(f"{address}?pdf=1", headers={"Accept-Language": language})
    assert answer.mimetype == "application/pdf"
    assert DUE not in answer.headers["Content-Disposition"]
    words = text_of(answer.data)
    for said in (DUE, attempt, till.site.say("receipt.not_invoice", language)):
        assert said in words
    assert "24 900" in words.replace("\u00a0", " ") or "24,900" in words
    assert language_of(answer.data) == language
    assert not faults_of(answer.data)


def test_before_it_is_paid_there_is_no_receipt(till: Till) -> None:
    assert till.payer.client.get(f"{till.address.replace('fizetes', 'nyugta')}?pdf=1").mimetype == "text/html"
    page = till.payer.open(till.address.replace("fizetes", "nyugta"))
    assert till.site.say("receipt.none") in page.text


def test_what_the_insurer_says_is_paid_is_not_resumed(till: Till) -> None:
    till.begin()
    bring(till.site, DUE, amount=24900, due_on=till.told()["due_on"], state="paid")
    page = till.payer.follow(till.payer.post(till.address, {"action": "resume"}))
    assert page.step != "demo-payment"


def test_one_mail_an_hour_says_that_a_payment_came_to_nothing(till: Till) -> None:
    for _ in range(3):
        till.command(till.begin(), "failed")
        till.ask()
    assert till.site.told("payment_not_made", PAYER.email) == 1
    till.site.advance(hours=2)
    till.payer.sign_in(PAYER.email)
    till.command(till.begin(), "failed")
    till.ask()
    assert till.site.told("payment_not_made", PAYER.email) == 2
