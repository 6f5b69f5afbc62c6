"""Thirteen faults, a hundred times each, over a clock moved by hand: an invoice is paid once, whatever happens (P50).

A customer wants to pay one invoice and goes on until it is paid. Chance decides when the fault strikes. After each run
one payment has paid the invoice, all other money is in the worklist of refunds, and no page has said what is not so.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import event, select

from services.gateways.payments import PaymentOrder, ProviderState, ProviderUnavailable, StartedPayment
from services.payments.attempts import PaymentPages
from services.payments.ledger import NewInvoice
from services.payments.statement_files import Entry
from services.refusal import OutOfTurn, Refusal
from services.store.engine import Store
from services.store.tables.messages import outbox
from services.store.tables.payments import invoices, payments
from tests.unit.services.payments.test_payments_at_once import Provider, Shop
from tests.world.cast import ANNA
from tests.world.outcomes import at_once, only_answers

PAGES = PaymentPages("/fizetes/{}".format, "/fizetes/{}/visszahivas".format)
AMOUNT = 24900
RUNS = {"sqlite": 100, "postgresql": 8}


class Killed(BaseException):
    """The process has died here."""


class Bank(Provider):
    """A provider that can be away. What it says of a payment is what has become of the customer's money."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False

    def start(self, order: PaymentOrder) -> StartedPayment:
        self._answer()
        return super().start(order)

    def state(self, attempt: str, provider_id: str | None) -> ProviderState:
        self._answer()
        return super().state(attempt, provider_id)

    def cancel(self, attempt: str, provider_id: str | None) -> ProviderState:
        self._answer()
        return super().cancel(attempt, provider_id)

    def _answer(self) -> None:
        if self.is_away:
            raise ProviderUnavailable("away")


class Run:
    """One customer, one invoice, and what chance does to them."""

    def __init__(self, shop: Shop, number: str, chance: random.Random) -> None:
        self.shop, self.number, self.chance = shop, number, chance
        self.bank: Any = shop.provider
        self.transfers = 0
        shop.one.ledger.put(number, NewInvoice(ANNA.policy_number, AMOUNT, "HUF", date(2030, 1, 31)))
        with shop.world.store.read() as connection:
            self.id = str(connection.execute(select(invoices.c.id).where(invoices.c.number == number)).scalar_one())

    # --- What the customer does ---------------------------------------------------------------------------------

    def begin(self) -> str | None:
        """Press the button; return the attempt, or None when a page said why not."""
        server = self.chance.choice(self.shop.servers)
        with suppress(OutOfTurn, Refusal):
            return server.attempts.begin(self.shop.session, self.id, PAGES).rpartition("/")[2]
        return None

    def resume(self) -> str | None:
        with suppress(OutOfTurn, Refusal):
            return self.shop.one.attempts.resume(self.shop.session, self.invoice(), PAGES).rpartition("/")[2]
        return None

    def cancel(self) -> None:
        with suppress(OutOfTurn, Refusal):
            self.shop.one.attempts.cancel(self.shop.session, self.invoice())

    def pays(self, attempt: str | None) -> None:
        """Enter the card on the provider's page."""
        if attempt is not None and self.bank.says.get(attempt, "pending") == "pending":
            self.bank.says[attempt] = "succeeded"

    def transfers_money(self, amount: int) -> None:
        """Pay at the bank, and have the bank's statement taken in."""
        self.transfers += amount
        key = f"{self.number}-{self.transfers}-{self.chance.random()}"
        entry = Entry(key, date(2026, 11, 30), amount, "HUF", self.number, "")
        for _ in range(self.chance.choice((1, 2))):
            self.shop.one.bank_entries.take_in([entry])

    # --- What the world does --------------------------------------------------------------------------------------

    def calls(self, *attempts: str | None) -> None:
        """Let the provider call back."""
        for attempt in attempts:
            if attempt is not None:
                self.chance.choice(self.shop.servers).attempts.hint(attempt)

    def passes(self, seconds: float) -> None:
        self.shop.world.clock.advance(seconds=seconds)
        self.work()

    def work(self) -> None:
        self.chance.choice(self.shop.servers).worker.ask_due()
        self.look()

    # --- What must be true ----------------------------------------------------------------------------------------

    def invoice(self) -> Any:
        return self.shop.one.invoices.find(self.shop.session, self.id)

    def attempts(self) -> tuple[Any, ...]:
        return self.shop.one.invoices.payments(self.shop.session, self.id)

    def money(self) -> int:
        """Return what the customer has given."""
        by_card = [one for one in self.bank.orders.values() if one.reference == self.number]
        return self.transfers + sum(one.amount for one in by_card if self.bank.says.get(one.attempt) == "succeeded")

    def look(self) -> None:
        """Fail where a page would say what is not so."""
        for one in self.attempts():
            if one.way == "card" and one.state == "succeeded":
                assert self.bank.says.get(one.id) == "succeeded", "a page says that money came, and none did"
        invoice = self.invoice()
        assert invoice.is_open or self.money() >= AMOUNT, "a page says that the invoice is paid, and it is not"

    def ends(self) -> None:
        """Let the customer pay at last, time go by, and look what has become of the money."""
        self.bank.is_away = False
        for _ in range(6):
            for seconds in (5, 301, 3700):
                self.passes(seconds)
                if not self.invoice().is_open:
                    break
            if not self.invoice().is_open:
                break
            attempt = self.resume() if self.invoice().live_attempt else self.begin()
            self.pays(attempt)
        for one in self.attempts():
            if one.way == "card":
                self.bank.says.setdefault(one.id, "expired")
        # Each attempt that came to nothing is asked about for a day.
        for _ in range(4):
            if all(one.state == "succeeded" for one in self.attempts()):
                break
            self.passes(90_000)
        self.judge()

    def judge(self) -> None:
        invoice, kept = self.invoice(), self.attempts()
        assert invoice.state == "paid"
        succeeded = [one for one in kept if one.state == "succeeded"]
        assert invoice.paid_by in {one.id for one in succeeded}
        assert sum(one.amount for one in succeeded) == self.money(), "money that nobody knows of"
        refunds = {one.id: one.refund for one in kept if one.doubled_at is not None}
        assert sum(refunds.values()) == self.money() - AMOUNT
        listed = {one.payment.id: one.amount for one in self.shop.one.refunds.due() if one.number == self.number}
        assert listed == refunds
        assert invoice.live_attempt is None
        mails = self.mails()
        assert mails.count("payment_received") == 1
        whole = sum(1 for one in succeeded if one.refund == one.amount and one.id != invoice.paid_by)
        assert mails.count("payment_doubled") == whole

    def mails(self) -> list[str]:
        topics = [f"payment:{one.id}" for one in self.attempts()]
        with self.shop.world.store.read() as connection:
            return list(connection.execute(select(outbox.c.message).where(outbox.c.topic.in_(topics))).scalars())


# --- The faults -------------------------------------------------------------------------------------------------------


def lost_calls(run: Run) -> None:
    run.pays(run.begin())


def doubled_calls(run: Run) -> None:
    attempt = run.begin()
    run.pays(attempt)
    for _ in range(run.chance.randrange(2, 5)):
        run.calls(attempt)
        if run.chance.random() < 0.5:
            run.work()


def reordered_calls(run: Run) -> None:
    """The first attempt's calls come after the second one's."""
    first = run.begin()
    run.cancel()
    second = run.begin()
    run.pays(run.chance.choice((first, second)))
    late = [first, second, first, second]
    run.chance.shuffle(late)
    for attempt in late:
        run.calls(attempt)
        run.passes(run.chance.randrange(60))


def forged_calls(run: Run) -> None:
    attempt = run.begin()
    for _ in range(run.chance.randrange(1, 6)):
        run.calls(attempt)
        with pytest.raises(OutOfTurn):
            run.calls("somebody-elses-attempt")
        run.work()
    assert run.invoice().is_open
    run.pays(attempt)


def back_and_another_way(run: Run) -> None:
    """Back from the provider, a transfer, and perhaps the card all the same."""
    attempt = run.begin()
    if run.chance.random() < 0.5:
        run.cancel()
    run.transfers_money(AMOUNT)
    if run.chance.random() < 0.5:
        run.bank.says[str(attempt)] = "succeeded"
        run.calls(attempt)


def two_tabs(run: Run) -> None:
    """Each tab begins, resumes, cancels and pays what it has got."""
    tabs: list[str | None] = [None, None]
    for _ in range(run.chance.randrange(3, 9)):
        tab = run.chance.randrange(2)
        deed = run.chance.choice(("begin", "resume", "cancel", "pay", "time"))
        if deed == "cancel":
            run.cancel()
        elif deed == "pay":
            run.pays(tabs[tab])
        elif deed == "time":
            run.passes(run.chance.randrange(200))
        else:
            tabs[tab] = (run.begin() if deed == "begin" else run.resume()) or tabs[tab]
        run.look()


def double_click(run: Run) -> None:
    begin = [partial(server.attempts.begin, run.shop.session, run.id, PAGES) for server in run.shop.servers]
    found = only_answers(at_once(begin))
    addresses = {one for one in found if isinstance(one, str)}
    assert len(addresses) <= 1, "two pages of the provider were handed out"
    for one in addresses:
        run.pays(one.rpartition("/")[2])


def late_success(run: Run) -> None:
    """The first attempt is cancelled, the second pays, and then the first has succeeded nevertheless."""
    first = run.begin()
    run.cancel()
    if run.chance.random() < 0.7:
        run.pays(run.begin())
    run.passes(run.chance.randrange(3000))
    run.bank.says[str(first)] = "succeeded"
    if run.chance.random() < 0.5:
        run.calls(first)


def partial_payments(run: Run) -> None:
    """Parts by transfer, before, while and after the card pays."""
    parts = [run.chance.randrange(1, AMOUNT // 2) for _ in range(run.chance.randrange(1, 4))]
    attempt = run.begin() if run.chance.random() < 0.5 else None
    for part in parts:
        run.transfers_money(part)
        if attempt is None and run.chance.random() < 0.5:
            attempt = run.begin()
        run.look()
    run.pays(attempt)


def expired(run: Run) -> None:
    attempt = run.begin()
    run.bank.says[str(attempt)] = "expired"
    run.passes(run.chance.randrange(4000))
    if run.chance.random() < 0.3:
        run.bank.says[str(attempt)] = "succeeded"  # the money had left all the same


def provider_down(run: Run) -> None:
    """At the start, on the way back, or for an hour."""
    run.bank.is_away = run.chance.random() < 0.3
    attempt = run.begin()
    run.bank.is_away = False
    attempt = attempt or run.begin()
    run.pays(attempt)
    run.bank.is_away = True
    if run.chance.random() < 0.5:
        run.cancel()
    for _ in range(run.chance.randrange(1, 13)):
        run.calls(attempt)
        run.passes(300)
        assert run.invoice().is_open
    run.bank.is_away = False


def killed(run: Run) -> None:
    """The process dies before any statement or commit, or at a named point, in whatever it does."""
    attempt: str | None = None
    for _ in range(run.chance.randrange(2, 7)):
        deed = run.chance.choice((run.begin, run.resume, run.cancel, run.work, run.work))
        with dying(run), suppress(Killed):
            found = deed()
            attempt = found if isinstance(found, str) else attempt
        if run.chance.random() < 0.4:
            run.pays(attempt)
            run.calls(attempt)
        run.shop.world.clock.advance(seconds=run.chance.randrange(120))
        run.look()


def clock_moved(run: Run) -> None:
    """Forward by days and back again, as often as chance wants."""
    attempt = run.begin()
    for _ in range(run.chance.randrange(1, 5)):
        moved = run.chance.randrange(-86_400, 86_400)
        run.passes(moved)
        if run.chance.random() < 0.3:
            run.pays(attempt)
        attempt = attempt or run.begin()
    run.calls(attempt)


@contextmanager
def dying(run: Run) -> Iterator[None]:
    left = run.chance.randrange(1, 16)

    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Killed

    engine = run.shop.world.store.engine
    event.listen(engine, "before_cursor_execute", count)
    event.listen(engine, "commit", count)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("services.payments.attempts.reach", count)
        try:
            yield
        finally:
            event.remove(engine, "before_cursor_execute", count)
            event.remove(engine, "commit", count)


FAULTS: tuple[Callable[[Run], None], ...] = (
    lost_calls, doubled_calls, reordered_calls, forged_calls, back_and_another_way, two_tabs, double_click,
    late_success, partial_payments, expired, provider_down, killed, clock_moved,
)  # fmt: skip


@pytest.fixture
def shop(store: Store, monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setattr("tests.unit.services.payments.test_payments_at_once.Provider", Bank)
    return Shop(store)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda one: one.__name__)
def test_an_invoice_is_paid_once_whatever_happens(shop: Shop, fault: Callable[[Run], None]) -> None:
    kind = "sqlite" if shop.world.store.is_sqlite else "postgresql"
    shop.one.ledger.put("SZ-1", NewInvoice(ANNA.policy_number, AMOUNT, "HUF", date(2030, 1, 31), state="paid"))
    for number in range(RUNS[kind]):
        run = Run(shop, f"SIM-{number}", random.Random(f"{fault.__name__} {number}"))
        start = shop.world.clock.moment
        fault(run)
        run.look()
        shop.world.clock.moment = max(shop.world.clock.moment, start) + timedelta(seconds=1)
        run.ends()
        with shop.world.store.write() as connection:
            # What is over is of no more use, and the next run's questions go quicker without it.
            connection.execute(payments.update().where(payments.c.state != "pending").values(ask_at=None))
