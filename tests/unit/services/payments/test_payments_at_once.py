"""Many at once, on both databases: one live attempt, one payment, one mail (P50)."""

from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from functools import partial

import pytest

from services.gateways.payments import PaymentOrder, ProviderState, StartedPayment
from services.payments.attempts import PaymentPages
from services.payments.group import PaymentServices, build_payments
from services.payments.ledger import NewInvoice
from services.store.engine import Store
from services.store.tables.payments import invoices, payments
from tests.world.cast import ANNA
from tests.world.outcomes import at_once, only_answers, outcome_of
from tests.world.world import LINKS, World, move_in

INVOICE = NewInvoice(ANNA.policy_number, 24900, "HUF", date(2030, 1, 31))
PAGES = PaymentPages("/fizetes/{}".format, "/fizetes/{}/visszahivas".format)


class Provider:
    """A provider that knows each order once, and says what a test has it say."""

    name = "Provider"
    origin = "https://provider.example"
    demanded = None

    def __init__(self) -> None:
        self.orders: dict[str, PaymentOrder] = {}
        self.says: dict[str, ProviderState] = {}
        self.meanwhile: Callable[[], object] | None = None
        """What happens once while it is being asked."""

    def start(self, order: PaymentOrder) -> StartedPayment:
        self.orders[order.attempt] = order
        return StartedPayment(f"{self.origin}/{order.attempt}", f"id-{order.attempt}")

    def state(self, attempt: str, provider_id: str | None) -> ProviderState:
        if happens := self.meanwhile:
            self.meanwhile = None
            happens()
        return self.says.get(attempt, "pending" if attempt in self.orders else "expired")

    def cancel(self, attempt: str, provider_id: str | None) -> ProviderState:
        return self.says.setdefault(attempt, "cancelled")

    def read(self, body: bytes, signature: str, now: datetime) -> None:
        return None

    def probe(self) -> None:
        pass


class Shop:
    """Two servers around one database, a customer at each, and an invoice to pay."""

    def __init__(self, store: Store) -> None:
        move_in(store)
        self.world = World(store)
        self.provider = Provider()
        self.servers: list[PaymentServices] = [
            build_payments(self.world.base, messages=self.world.message_services, links=LINKS, provider=self.provider)
            for _ in range(2)
        ]
        self.one, _ = self.servers
        self.one.ledger.put("SZ-1", INVOICE)
        self.world.registered(ANNA)
        self.session = self.world.signed_in(ANNA)
        (self.invoice,) = self.one.invoices.page(self.session).open

    def begin(self) -> str:
        """Begin a payment, and return the attempt."""
        return self.one.attempts.begin(self.session, self.invoice.id, PAGES).rpartition("/")[2]

    def cancel(self) -> None:
        self.one.attempts.cancel(self.session, self.one.invoices.find(self.session, self.invoice.id))

    def rows(self) -> list[object]:
        with self.world.store.read() as connection:
            return list(connection.execute(payments.select()))

    def mails(self, message: str) -> int:
        subject = self.world.profile.texts.say(f"mail.{message}.subject", "hu")
        return sum(letter.subject == subject for letter in self.world.letters("email", ANNA.email))


@pytest.fixture
def shop(store: Store) -> Shop:
    return Shop(store)


def test_of_twelve_that_begin_one_reaches_the_provider(shop: Shop) -> None:
    begin = [
        partial(outcome_of, server.attempts.begin, shop.session, shop.invoice.id, PAGES) for server in shop.servers
    ]
    assert Counter(at_once(begin * 6)) == {"ok": 1, "out_of_turn": 11}
    assert len(shop.rows()) == len(shop.provider.orders) == 1


def test_the_same_answer_at_once_pays_once_and_mails_once(shop: Shop) -> None:
    attempt = shop.begin()
    shop.provider.says[attempt] = "succeeded"
    hint = partial(shop.one.attempts.hint, attempt)
    only_answers(at_once([hint, *(server.worker.ask_due for server in shop.servers)] * 4))
    shop.one.attempts.hint(attempt)
    shop.one.worker.ask_due()
    assert shop.one.invoices.find(shop.session, shop.invoice.id).paid_by == attempt
    assert shop.mails("payment_received") == 1
    assert shop.one.refunds.due() == ()


def test_a_call_while_a_worker_asks_has_another_ask_and_still_pays_once(shop: Shop) -> None:
    attempt = shop.begin()
    one, other = shop.servers
    shop.provider.says[attempt] = "succeeded"
    one.attempts.hint(attempt)

    def call() -> None:
        other.attempts.hint(attempt)
        assert other.worker.ask_due() == 1

    shop.provider.meanwhile = call
    one.worker.ask_due()
    assert one.refunds.due() == ()
    assert (shop.mails("payment_received"), shop.mails("payment_doubled")) == (1, 0)


def test_of_two_successes_at_once_one_pays_and_the_other_is_refunded(shop: Shop) -> None:
    attempts = [shop.begin()]
    shop.cancel()
    attempts.append(shop.begin())
    shop.provider.says = dict.fromkeys(attempts, "succeeded")
    for attempt in attempts:
        shop.one.attempts.hint(attempt)
    only_answers(at_once([server.worker.ask_due for server in shop.servers] * 4))
    shop.one.worker.ask_due()
    paid_by = shop.one.invoices.find(shop.session, shop.invoice.id).paid_by
    assert {paid_by, *(one.payment.id for one in shop.one.refunds.due())} == set(attempts)
    assert len(shop.one.refunds.due()) == 1
    assert (shop.mails("payment_received"), shop.mails("payment_doubled")) == (1, 1)


def test_an_amount_changes_or_a_payment_begins_never_both(shop: Shop) -> None:
    change = partial(outcome_of, shop.one.ledger.put, "SZ-1", NewInvoice(ANNA.policy_number, 5, "HUF", INVOICE.due_on))
    begin = partial(outcome_of, shop.one.attempts.begin, shop.session, shop.invoice.id, PAGES)
    changed, begun = at_once([change, begin])
    assert begun == "ok"
    (order,) = shop.provider.orders.values()
    with shop.world.store.read() as connection:
        amount = connection.execute(invoices.select()).one().amount
    assert order.amount == amount == (5 if changed == "ok" else 24900)
    assert changed in ("ok", "invoice.paid")


def test_a_late_success_is_found_without_a_call_back(shop: Shop) -> None:
    attempt = shop.begin()
    shop.cancel()
    shop.provider.says[attempt] = "succeeded"
    shop.world.clock.advance(minutes=11)
    shop.one.worker.ask_due()
    assert shop.one.invoices.find(shop.session, shop.invoice.id).paid_by == attempt


def test_what_came_to_nothing_is_asked_about_three_times(shop: Shop) -> None:
    shop.begin()
    shop.cancel()
    asked = 0
    for _ in range(60):
        shop.world.clock.advance(hours=1)
        asked += shop.one.worker.ask_due()
    assert asked == 3
